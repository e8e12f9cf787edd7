"""Many callers at once, forks among them: every result is what one caller gets alone.

A round: 8 threads, each 2,500 calls of drawn passes at drawn numbers of threads, while another
thread forks 20 children, each of which computes. `--count 40` is 8 x 10^5 calls and 800 forks.
"""

import os
import signal
import threading
import warnings

import runner
from layers import LAYERS, Layer, same

CALLERS, CALLS, FORKS = 8, 2500, 20


def make_calls():
    import numpy as np

    import corr

    made = []
    for name in LAYERS:
        for what, call in Layer(name).passes().items():
            made.append((name, what, call, call()))
    x, w = np.ones((1, 3, 6, 7), np.float32), np.ones((2, 3, 3, 3), np.float32)
    tiny = ("tiny", "forward", lambda: [corr.conv2d(x, w)], [corr.conv2d(x, w)])
    return made + [tiny] * 10 * len(made)


def forked(call, wanted):
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            code = 0 if same(call(), wanted) else 1
        except BaseException:
            code = 2
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def round_of(calls):
    import numpy as np

    import corr

    def run(seed):
        wrong, rng = [], np.random.default_rng(seed)

        def work(seed):
            own = np.random.default_rng(seed)
            for _ in range(CALLS):
                name, what, call, wanted = calls[own.integers(len(calls))]
                with corr.num_threads(int(own.integers(1, 5))):
                    if not same(call(), wanted):
                        wrong.append((name, what))

        threads = [threading.Thread(target=work, args=(seed * CALLERS + i,)) for i in range(CALLERS)]
        for thread in threads:
            thread.start()
        for _ in range(FORKS):
            name, what, call, wanted = calls[rng.integers(len(calls))]
            with corr.num_threads(int(rng.integers(1, 5))):
                if code := forked(call, wanted):
                    wrong.append((name, what, f"child: {code}"))
        for thread in threads:
            thread.join()
        assert not wrong, wrong[:5]
        return CALLERS * CALLS + FORKS

    return run


if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads: that is the point
    runner.run(__doc__, round_of(make_calls()))
