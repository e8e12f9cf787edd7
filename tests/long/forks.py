"""Forks before, during and after calls: the child computes, nothing hangs.

A case is 10 forks: of a process whose other thread is within a call; `--count 1000` are 10,000.
"""

import threading
import warnings

import runner
from callers import forked
from layers import Layer, same


def forks(layer, wanted):
    import corr

    def grandchild():
        """In the child: a call, a fork after it, and a call after that."""
        assert same([layer.forward()], [wanted])
        assert forked(lambda: [layer.forward()], [wanted]) == 0
        return [layer.forward()]

    def run(seed):
        busy = seed % 3  # other threads in calls meanwhile
        stop = threading.Event()

        def work():
            while not stop.is_set():
                layer.forward()

        threads = [threading.Thread(target=work) for _ in range(busy)]
        for thread in threads:
            thread.start()
        codes = []
        for i in range(10):
            with corr.num_threads(1 + (seed + i) % 4):
                codes.append(forked(grandchild if i == 9 else lambda: [layer.forward()], [wanted]))
        stop.set()
        for thread in threads:
            thread.join()
        assert codes == [0] * 10, codes
        return 10

    return run


if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)
    layer = Layer("pixels")
    runner.run(__doc__, forks(layer, layer.forward()))
