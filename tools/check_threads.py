"""Runs the programs of tests/c and the core under ThreadSanitizer: gcc, and clang where it is.

    python tools/check_threads.py [compiler ...]
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["-std=gnu11", "-O1", "-g", "-ffp-contract=off", "-fsanitize=thread", "-pthread"]


def build(compiler, folder):
    """The core's objects once, then each program."""
    def compile_one(source):
        target = f"{folder}/{source.stem}-{source.parent.name}.o"
        subprocess.run([compiler, f"-I{ROOT}/src/corr_c", "-c", str(source), *FLAGS, "-o", target], check=True)
        return target

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compile_one, sorted(ROOT.glob("src/corr_c/**/*.c"))))
    for source in sorted(ROOT.glob("tests/c/*.c")):
        program = f"{folder}/{source.stem}"
        subprocess.run([compiler, f"-I{ROOT}/src/corr_c", str(source), *objects, *FLAGS, "-lm", "-o", program],
                       check=True)
        yield program


def main():
    wanted = sys.argv[1:] or ("gcc", "clang", "clang-16")
    compilers = [name for name in wanted if shutil.which(name)]
    for name in compilers:
        with tempfile.TemporaryDirectory() as folder:
            for program in build(name, folder):
                print(f"{name}, ThreadSanitizer, {Path(program).name}: ", end="", flush=True)
                if code := subprocess.run([program]).returncode:
                    return code
    return 0 if compilers else 1


if __name__ == "__main__":
    sys.exit(main())
