"""Compiles the C core without a warning: gcc, clang, and clang for other systems.

    python tools/check_core.py [--quick]

clang is the one in PyPI's ziglang, which also cross-compiles; without it, only `gcc`.
Objects are made and thrown away; nothing is run.
"""

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

FLAGS = ["-std=c11", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
TARGETS = [
    "x86_64-linux-gnu",
    "x86_64-windows-gnu",
    "aarch64-linux-gnu",
    "aarch64-macos",
    "x86_64-macos",
]
CORE = Path(__file__).resolve().parent.parent / "src" / "corr_c"


def compilers(quick):
    if shutil.which("gcc"):
        yield "gcc", ["gcc"]
    if importlib.util.find_spec("ziglang"):
        for target in TARGETS[: 1 if quick else None]:
            # Zig turns on traps for undefined behaviour unless told otherwise.
            command = [sys.executable, "-m", "ziglang", "cc", "-target", target, "-fno-sanitize=all"]
            yield f"clang {target}", command


def complaint(compiler, folder, source):
    """What the compiler says of the file; nothing if it is content."""
    name, command = compiler
    run = subprocess.run([*command, *FLAGS, "-c", source, "-o", Path(folder, name, source.stem + ".o")],
                         capture_output=True, text=True)
    return f"{name}: {source.relative_to(CORE)}\n{run.stderr}" if run.returncode else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="this machine's target only")
    quick = parser.parse_args().quick
    # What takes longest comes first.
    sources = sorted(CORE.rglob("*.c"), key=lambda path: (path.parent.name != "isa", path))
    failed = 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        running = []
        for compiler in compilers(quick):
            Path(folder, compiler[0]).mkdir()
            running.append((compiler[0], pool.map(partial(complaint, compiler, folder), sources)))
        for name, results in running:
            wrong = [text for text in results if text]
            print(*wrong, f"{name}: {len(sources) - len(wrong)} of {len(sources)} files without a warning",
                  sep="\n", flush=True)
            failed += len(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
