"""Lets threadpoolctl see and limit corr's threads.

Importing this module registers corr with threadpoolctl; ``import corr`` does so by itself
where threadpoolctl was imported before.

Examples
--------
>>> import corr.threadpoolctl
>>> from threadpoolctl import threadpool_limits
>>> with threadpool_limits(limits=1, user_api="corr"):
...     corr.get_num_threads()
1
"""

from __future__ import annotations

import threadpoolctl

from ._version import __version__

__all__ = ["CorrController"]


class CorrController(threadpoolctl.LibController):
    """corr's pool, by the symbols of its compiled module."""

    user_api = "corr"
    internal_api = "corr"
    filename_prefixes = ("_core.",)  # others' modules too: the symbols tell
    check_symbols = ("corr_pool_get_num_threads", "corr_pool_set_num_threads")

    def get_num_threads(self) -> int:
        return int(self.dynlib.corr_pool_get_num_threads())

    def set_num_threads(self, num_threads: int) -> None:
        self.dynlib.corr_pool_set_num_threads(num_threads)

    def get_version(self) -> str:
        return __version__


threadpoolctl.register(CorrController)
