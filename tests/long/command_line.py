"""The command line with arguments drawn at random. Counted are the commands refused.

See tests/commands.py.
"""

import os
import tempfile
from pathlib import Path

import runner
from commands import check, make_files

if __name__ == "__main__":
    options = runner.parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_files(Path(folder))
        os.chdir(folder)
        runner.run(__doc__, check, options)
        os.chdir("/")
