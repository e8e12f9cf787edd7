"""Whole numbers through every direct path, all passes, against an exact reference.

Counted are the problems whose results are not mostly zeros. See tests/exactness.py.
"""

import runner
from exactness import check

if __name__ == "__main__":
    runner.run(__doc__, check)
