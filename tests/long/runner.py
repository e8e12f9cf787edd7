"""What all the programs of this folder share: cases from a seed on, until the time is up.

    python tests/long/NAME.py [--seconds S] [--seed FIRST] [--count N]

A case is drawn from its seed alone; a failure names the seed, so that
`--seed THAT --count 1` repeats it. CORR_ISA chooses the kernels, as everywhere.
"""

import argparse
import os
import sys
import time
import traceback
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for what the tests share


def parser(doc):
    made = argparse.ArgumentParser(description=doc.splitlines()[0])
    made.add_argument("--seconds", type=float, default=60, help="stop after as many (60)")
    made.add_argument("--count", type=int, default=0, help="or after as many cases")
    made.add_argument("--seed", type=int, help="of the first case (from the clock, in nanoseconds)")
    return made


def run(doc, case, arguments=None, step=1):
    """Calls case(seed), which gives how much it counts for; exits with 1 at a failure.

    A case may stand for `step` seeds."""
    import corr

    args = parser(doc).parse_args() if arguments is None else arguments
    first = time.time_ns() if args.seed is None else args.seed
    isa = corr.show_config("dicts")["isa"]
    print(f"{doc.splitlines()[0]} {isa}, from seed {first}", flush=True)
    begun, cases, counted = time.monotonic(), 0, 0
    while (cases < args.count if args.count else time.monotonic() - begun < args.seconds):
        try:
            counted += int(case(first + cases))
        except Exception:
            traceback.print_exc()
            print(f"FAILED: CORR_ISA={isa} python {' '.join(sys.argv[:1])} "
                  f"--seed {first + cases} --count 1", flush=True)
            sys.exit(1)
        cases += step
    seconds = time.monotonic() - begun
    print(f"{cases:,} cases, {counted:,} counted, none wrong, {isa}, {seconds:.0f} s")
