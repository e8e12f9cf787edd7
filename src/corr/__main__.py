"""`python -m corr` is the command `corr`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
