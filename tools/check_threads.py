"""Runs tests/c/core.c and the core under ThreadSanitizer: gcc, and clang where it is found.

    python tools/check_threads.py [compiler ...]
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["-std=gnu11", "-O1", "-g", "-ffp-contract=off", "-fsanitize=thread", "-pthread", "-lm"]


def main():
    sources = [str(ROOT / "tests/c/core.c"), *map(str, sorted(ROOT.glob("src/corr_c/**/*.c")))]
    wanted = sys.argv[1:] or ("gcc", "clang", "clang-16")
    compilers = [name for name in wanted if shutil.which(name)]
    for name in compilers:
        with tempfile.TemporaryDirectory() as folder:
            program = f"{folder}/core"
            subprocess.run([name, f"-I{ROOT}/src/corr_c", *sources, *FLAGS, "-o", program],
                           check=True)
            print(f"{name}, ThreadSanitizer: ", end="", flush=True)
            if code := subprocess.run([program]).returncode:
                return code
    return 0 if compilers else 1


if __name__ == "__main__":
    sys.exit(main())
