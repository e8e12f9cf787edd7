"""Calls with arguments drawn at random, in processes that may crash without ending this one.

    python tests/long/bad_calls.py [--seconds S] [--seed FIRST] [--count N]

Counted are the calls that were refused. See tests/arguments.py.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import runner

TESTS = Path(__file__).resolve().parent.parent
BATCH = 20000


def batch(first, count, at):
    run = subprocess.run([sys.executable, str(TESTS / "arguments.py"), str(first), str(count), at],
                         capture_output=True, text=True)
    if run.returncode:
        seed = int.from_bytes(Path(at).read_bytes(), "little")
        raise AssertionError(f"seed {seed}, exit {run.returncode}: {run.stderr[-3000:]}")
    return int(run.stdout)


if __name__ == "__main__":
    options = runner.parser(__doc__).parse_args()
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes(8))
        file.flush()
        size = min(BATCH, options.count or BATCH)
        runner.run(__doc__, lambda seed: batch(seed, size, file.name), options, step=size)
