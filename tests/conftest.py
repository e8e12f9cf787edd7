"""Before NumPy is imported."""

import os

# The references are many products too small for threads, which would spin beside the tests.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Marks in the tests of SciPy that tests/test_scipys_own.py imports: those known, to which a newer
# SciPy may add, so that marks are not held to this list.
SCIPYS_MARKS = ("slow", "xslow", "xfail_on_32bit", "fail_slow", "thread_unsafe",
                "skip_xp_backends", "xfail_xp_backends", "uses_xp_backend",
                "uses_xp_capabilities", "array_api_backends")


def pytest_configure(config):
    for mark in SCIPYS_MARKS:
        config.addinivalue_line("markers", f"{mark}: of SciPy's own tests")


def pytest_terminal_summary(terminalreporter):
    """How many drawn problems counted: tests record them as properties."""
    totals = {}
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            totals[name] = totals.get(name, 0) + value
    for name, value in totals.items():
        terminalreporter.write_line(f"{name}: {value:,}")
