"""Runs the programs of tests/c with the core, one of three ways.

    python tools/check_c.py {threads|memory|pool} [compiler ...]

threads: core.c and engines.c under ThreadSanitizer, by gcc and by clang where it is. memory:
those and memory.c under AddressSanitizer and UndefinedBehaviorSanitizer, all but the kernels,
with which a compiler is busy for many minutes; those have guard pages in the tests. pool: the
pool alone without a sanitizer, whose steps between threads are too slow to meet.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "src/corr_c"
FLAGS = ["-std=gnu11", "-g", "-ffp-contract=off", "-pthread", f"-I{CORE}"]


@dataclass
class Way:
    programs: list[str]
    flags: list[str]
    kernel_flags: list[str]
    compilers: tuple[str, ...] = ("gcc",)
    sources: tuple[str, ...] = ("**/*.c",)


THREADS = ["-O1", "-fsanitize=thread"]
MEMORY = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
PLAIN = ["-O2"]
WAYS = {
    "threads": Way(["core", "engines"], THREADS, THREADS, compilers=("gcc", "clang", "clang-16")),
    "memory": Way(["core", "engines", "memory"], MEMORY, PLAIN),
    "pool": Way(["pool"], PLAIN, PLAIN, sources=("base/memory.c", "base/pool.c", "base/threads.c")),
}


def build(way, compiler, folder):
    """The core's objects once, then each program."""
    def compile_one(source):
        room = source.parent.name
        target = f"{folder}/{source.stem}-{room}.o"
        flags = way.kernel_flags if room == "isa" else way.flags
        subprocess.run([compiler, *FLAGS, *flags, "-c", str(source), "-o", target], check=True)
        return target

    sources = [source for pattern in way.sources for source in CORE.glob(pattern)]
    sources.sort(key=lambda source: source.parent.name != "isa")  # the longest first
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compile_one, sources))
    for name in way.programs:
        program = f"{folder}/{name}"
        subprocess.run([compiler, *FLAGS, *way.flags, str(ROOT / f"tests/c/{name}.c"), *objects,
                        "-lm", "-o", program], check=True)
        yield program


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("compilers", nargs="*", metavar="compiler",
                        help="by default gcc, and with threads clang where it is")
    options = parser.parse_args()
    way = WAYS[options.way]
    wanted = options.compilers or way.compilers
    compilers = [name for name in wanted if shutil.which(name)]
    if not compilers or options.compilers and compilers != options.compilers:
        parser.error(f"not all are here: {', '.join(wanted)}")
    for compiler in compilers:
        with tempfile.TemporaryDirectory() as folder:
            for program in build(way, compiler, folder):
                print(f"{compiler}, {options.way}, {Path(program).name}: ", end="", flush=True)
                if code := subprocess.run([program]).returncode:
                    return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
