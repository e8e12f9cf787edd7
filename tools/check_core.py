"""Compiles the C core without a warning: gcc, clang, and clang for other systems.

    python tools/check_core.py [--quick]

clang is the one in PyPI's ziglang, which also cross-compiles; without it, only `gcc`.
Objects are made and thrown away; nothing is run.
"""

import argparse
import importlib.util
import shutil
import subprocess
import sys
import tempfile
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


def compiles(name, command, source, folder):
    target = Path(folder) / (source.stem + ".o")
    run = subprocess.run(
        [*command, *FLAGS, "-c", str(source), "-o", str(target)], capture_output=True, text=True
    )
    if run.returncode:
        print(f"{name}: {source.relative_to(CORE)}\n{run.stderr}")
    return run.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="this machine's target only")
    quick = parser.parse_args().quick
    sources = sorted(CORE.rglob("*.c"))
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, command in compilers(quick):
            wrong = sum(not compiles(name, command, source, folder) for source in sources)
            print(f"{name}: {len(sources) - wrong} of {len(sources)} files without a warning")
            failed += wrong
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
