"""Tests AVX-512's kernels on a machine without it: each vector as two of AVX2.

    python tools/emulate_avx512.py [arguments of pytest]

In a copy of the tree, simd/avx512.h gets its instructions from tests/c/emulated_avx512.h; the
copy is built, which takes some minutes, and the suite runs with CORR_ISA=avx512. This shows
that the kernels and what plans them compute the same with vectors of 64 bytes; it says nothing
of their speed, nor of what a compiler makes of the true instructions. gcc; needs what
building and testing need.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EDITS = [
    ("isa/avx512.c", '"avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"', '"avx2,fma"'),
    ("simd/avx512.h", "_mm512_", "emulated_"),
    ("simd/avx512.h", "\ntypedef __m512 ", '\n#include "emulated_avx512.h"\ntypedef __m512 '),
    ("base/cpu.c", "has_bits(r7[1], f | dq | bw | vl) && has_bits(saved_state(), 0xe6)",
     "(f | dq | bw | vl)"),
]
# Their limits are for the speed of true instructions, or they are of no ISA.
LEFT_OUT = ["test_bench.py", "test_foreign.py", "test_mutants.py", "test_types.py"]


def main():
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "corr")
        skip = shutil.ignore_patterns(".git", "build", "*.so", "__pycache__", "*.egg-info")
        shutil.copytree(ROOT, tree, ignore=skip)
        core = tree / "src/corr_c"
        shutil.copy(tree / "tests/c/emulated_avx512.h", core / "simd")
        for name, old, new in EDITS:
            text = (core / name).read_text()
            assert old in text, f"{name} does not hold {old!r}"
            (core / name).write_text(text.replace(old, new))
        subprocess.run([sys.executable, "setup.py", "-q", "build_ext", "--inplace"], cwd=tree,
                       check=True, env={**os.environ, "CFLAGS": "-Wno-psabi"})
        ignored = [f"--ignore=tests/{name}" for name in LEFT_OUT]
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *ignored, *sys.argv[1:]], cwd=tree,
            env={**os.environ, "PYTHONPATH": f"{tree}/src", "CORR_ISA": "avx512"},
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
