"""Builds corr._core with the C core in src/corr_c, for gcc, clang, clang-cl and MSVC."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

CORE = Path("src/corr_c")
PLATFORM = sysconfig.get_platform()
# -O2: at -O3 gcc spills the accumulators of the larger tiles. No contraction: where a
# product and a sum are written apart, they round apart.
UNIX_FLAGS = ["-std=c11", "-O2", "-ffp-contract=off", "-fvisibility=hidden", "-g0"]
# Added for the sources whose names hold the first. Nothing here unwinds or lets through what does, and
# without those tables wheels are smaller; so they are where clang unrolls no loops but those marked, and
# where a fallback has fewer pointers.
NO_UNWINDING = ["-fno-asynchronous-unwind-tables"]
# What is called a few times beside long work is small rather than fast.
SMALL = {part: ["-Os"] for part in (
    "/engines/winograd_", "/engines/fft", "/engines/columns", "/engines/phases", "/engines/weight_gradient",
    "turned.c", "/plan/choose_winograd", "/plan/choose_input", "/plan/choose_weight", "/plan/input_gradient",
    "/problem/rewrite", "/problem/padding")}
MORE_FLAGS = {**{part: NO_UNWINDING for part in ("/isa/", "/engines/", "/plan/", "/problem/", "/base/", "/_")},
              "/isa/avx": ["-fno-unroll-loops"], **SMALL}
GCC_FLAGS = {"/isa/generic": ["-fno-ivopts"]}
# clang moves loads up before it gives out registers: the 4x24 tile ran at half its speed.
CLANG_FLAGS = {"/isa/avx": ["-mllvm", "-enable-misched=false"]}
MSVC_FLAGS = ["/O2", "/std:c11", "/fp:precise"]
# /fp:precise lets clang contract.
CLANG_CL_FLAGS = ["/O2", "/clang:-std=c11", "/clang:-ffp-contract=off", "-Wno-unused-command-line-argument"]

NEEDS_AVX512 = """
#include "compiler.h"
#if CORR_X86
#include <immintrin.h>
CORR_TARGET_PUSH("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")
float probe(const float *p, __mmask16 m);
float probe(const float *p, __mmask16 m) {
    return _mm512_reduce_add_ps(_mm512_and_ps(_mm512_maskz_loadu_ps(m, p), _mm512_loadu_ps(p)));
}
CORR_TARGET_POP
#endif
"""


def clang_cl():
    """On Windows: MSVC knows no pragma that unrolls, so its tiles would live in memory."""
    return shutil.which("clang-cl") or shutil.which(
        "clang-cl", path=r"C:\Program Files\LLVM\bin")


def side_by_side(compile, more_flags, sources, extra_postargs=(), **options):
    """setuptools compiles a module's files one after another, and all with the same flags."""
    def one(source):
        more = [flag for table in more_flags for part, flags in table.items() if part in source
                for flag in flags]
        return compile([source], extra_postargs=[*extra_postargs, *more], **options)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [path for paths in pool.map(one, sources) for path in paths]


class Build(build_ext):
    def build_extensions(self):
        flags, link_flags, macros = UNIX_FLAGS, [], []
        more_flags = [MORE_FLAGS, CLANG_FLAGS if self.is_clang() else GCC_FLAGS]
        if self.compiler.compiler_type == "msvc":
            flags, more_flags = MSVC_FLAGS, []
            if clang_cl():
                more_flags = [CLANG_FLAGS]
                self.compiler.initialize()
                self.compiler.cc = clang_cl()
                target = "aarch64" if PLATFORM == "win-arm64" else "x86_64"
                flags = [f"--target={target}-pc-windows-msvc", *CLANG_CL_FLAGS]
        elif PLATFORM == "linux-aarch64":
            # gcc there moves loads up before it gives out registers, and the tiles spill.
            flags = [*flags, "-fno-schedule-insns"]
        if sys.platform.startswith("linux"):
            link_flags = ["-Wl,--strip-all", "-pthread"]
        if not self.compiles(NEEDS_AVX512, flags):
            print("corr: this compiler lacks AVX-512, its kernels are left out", file=sys.stderr)
            macros = [("CORR_NO_AVX512", "1")]
        for ext in self.extensions:
            ext.extra_compile_args, ext.extra_link_args = flags, link_flags
            if ext.name == "corr._kernels":  # the tests' own: small rather than fast
                small = "/O1" if self.compiler.compiler_type == "msvc" else "-Os"
                ext.extra_compile_args = [*flags, small]
            ext.define_macros += macros
        self.compiler.compile = partial(side_by_side, self.compiler.compile, more_flags)
        self.parallel = self.parallel or True  # and the two modules
        super().build_extensions()

    def is_clang(self):
        command = getattr(self.compiler, "compiler", [])  # not of MSVC's class
        return bool(command) and "clang" in subprocess.run(
            [*command, "--version"], capture_output=True, text=True).stdout

    def compiles(self, text, flags):
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "probe.c")
            source.write_text(text)
            try:
                self.compiler.compile([str(source)], output_dir=folder, include_dirs=[str(CORE)],
                                      extra_postargs=flags)
            except CompileError:
                return False
        return True


def extension(name, sources, depends):
    return Extension(
        name,
        [f"src/corr/{name.rpartition('.')[2]}.pyx", *sources],
        include_dirs=[CORE.as_posix(), numpy.get_include()],
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
        depends=depends,
    )


# What takes longest to compile comes first.
core_sources = sorted((path.as_posix() for path in CORE.rglob("*.c")),
                      key=lambda path: ("/isa/" not in path, path))
core_headers = sorted(path.as_posix() for path in CORE.rglob("*.h"))
# What others include lies within the package, beside corr_import.h.
shutil.copyfile(CORE / "corr.h", "src/corr/include/corr.h")

setup(
    ext_modules=cythonize(
        [
            extension("corr._core", core_sources, core_headers),
            # Reaches the core through corr._core's table, as foreign extensions do.
            extension("corr._kernels", [], core_headers),
        ],
        # docs/building.md has the review behind the last.
        compiler_directives={
            "binding": True,
            "embedsignature": False,
            "freethreading_compatible": True,
        },
    ),
    cmdclass={"build_ext": Build},
)
