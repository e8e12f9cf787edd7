"""Runs the programs of tests/c and the core under ThreadSanitizer: gcc, and clang where it is.

    python tools/check_threads.py [compiler ...]
    python tools/check_threads.py --memory [compiler ...]
    python tools/check_threads.py --pool [compiler ...]

With --memory: under AddressSanitizer and UndefinedBehaviorSanitizer, all but the kernels, with
which a compiler is busy for many minutes. Those have guard pages in the tests. With --pool:
the pool alone, without a sanitizer, whose steps between threads are too slow to meet.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["-std=gnu11", "-g", "-ffp-contract=off", "-pthread"]
THREADS = ["-O1", "-fsanitize=thread"]
POOL = ["-O2"]
POOL_SOURCES = ("memory", "pool", "threads")
MEMORY = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]


def build(compiler, flags, folder):
    """The core's objects once, then each program."""
    def compile_one(source):
        target = f"{folder}/{source.stem}-{source.parent.name}.o"
        plain = flags is MEMORY and source.parent.name == "isa"
        subprocess.run([compiler, f"-I{ROOT}/src/corr_c", "-c", str(source), *FLAGS,
                        *(["-O2"] if plain else flags), "-o", target], check=True)
        return target

    sources = sorted(ROOT.glob("src/corr_c/**/*.c"), key=lambda path: path.parent.name != "isa")
    if flags is POOL:
        sources = [source for source in sources if source.stem in POOL_SOURCES]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compile_one, sources))
    for source in sorted(ROOT.glob("tests/c/*.c")):
        if (source.stem == "pool") != (flags is POOL) or flags is THREADS and source.stem == "memory":
            continue
        program = f"{folder}/{source.stem}"
        subprocess.run([compiler, f"-I{ROOT}/src/corr_c", str(source), *objects, *FLAGS, *flags,
                        "-lm", "-o", program], check=True)
        yield program


def main():
    flags = {"--memory": MEMORY, "--pool": POOL}.get("".join(sys.argv[1:2]), THREADS)
    wanted = sys.argv[1:] if flags is THREADS else sys.argv[2:]
    if not wanted:
        wanted = ("gcc", "clang", "clang-16") if flags is THREADS else ("gcc",)
    compilers = [name for name in wanted if shutil.which(name)]
    for name in compilers:
        with tempfile.TemporaryDirectory() as folder:
            for program in build(name, flags, folder):
                print(f"{name}, {flags[-1]}, {Path(program).name}: ",
                      end="", flush=True)
                if code := subprocess.run([program]).returncode:
                    return code
    return 0 if compilers else 1


if __name__ == "__main__":
    sys.exit(main())
