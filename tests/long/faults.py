"""Every allocation of drawn problems made to fail, threads refused. Counted are the failures.

See tests/faults.py.
"""

import runner
from faults import check

if __name__ == "__main__":
    runner.run(__doc__, check)
