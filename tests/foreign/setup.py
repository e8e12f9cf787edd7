"""Two foreign modules, as another project would build them against the installed corr."""

from Cython.Build import cythonize
from setuptools import Extension, setup

import corr

include = [corr.get_include()]
setup(
    ext_modules=[
        Extension("plain_c", ["plain_c.c"], include_dirs=include),
        *cythonize([Extension("by_cython", ["by_cython.pyx"], include_dirs=include)],
                   include_path=include, language_level=3),
    ]
)
