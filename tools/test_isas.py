"""Runs the installed corr's suite once an ISA that this machine can run, the best first.

    python tools/test_isas.py [arguments of pytest]
"""

import os
import subprocess
import sys

import corr


def main():
    for isa in reversed(corr.show_config("dicts")["isas"]):
        print(f"CORR_ISA={isa}", flush=True)
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *sys.argv[1:]],
            env={**os.environ, "CORR_ISA": isa},
        )
        if run.returncode:
            return run.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
