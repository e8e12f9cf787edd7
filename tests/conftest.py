"""Before NumPy is imported."""

import os

# The references are many products too small for threads, which would spin beside the tests.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pytest_terminal_summary(terminalreporter):
    """How many drawn problems counted: tests record them as properties."""
    totals = {}
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            totals[name] = totals.get(name, 0) + value
    for name, value in totals.items():
        terminalreporter.write_line(f"{name}: {value:,}")
