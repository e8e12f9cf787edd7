"""Builds corr._core with the C core in src/corr_c, for gcc, clang and MSVC."""

import sys
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

CORE = Path("src/corr_c")
# -O2: at -O3 gcc spills the accumulators of the larger tiles. No contraction: where a
# product and a sum are written apart, they round apart.
UNIX_FLAGS = ["-std=c11", "-O2", "-ffp-contract=off", "-fvisibility=hidden", "-g0"]
MSVC_FLAGS = ["/O2", "/std:c11", "/fp:precise"]


class Build(build_ext):
    def build_extension(self, ext):
        unix = self.compiler.compiler_type != "msvc"
        ext.extra_compile_args = UNIX_FLAGS if unix else MSVC_FLAGS
        if sys.platform.startswith("linux"):
            ext.extra_link_args = ["-Wl,--strip-all", "-pthread"]
        super().build_extension(ext)


def extension(name, sources, depends):
    return Extension(
        name,
        [f"src/corr/{name.rpartition('.')[2]}.pyx", *sources],
        include_dirs=[CORE.as_posix(), numpy.get_include()],
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
        depends=depends,
    )


core_sources = sorted(path.as_posix() for path in CORE.rglob("*.c"))
core_headers = sorted(path.as_posix() for path in CORE.rglob("*.h"))

setup(
    ext_modules=cythonize(
        [
            extension("corr._core", core_sources, core_headers),
            # Reaches the core through corr._core's table, as foreign extensions do.
            extension("corr._kernels", [], core_headers),
        ],
        compiler_directives={"binding": True, "embedsignature": False},
    ),
    cmdclass={"build_ext": Build},
)
