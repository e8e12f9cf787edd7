"""Real numbers through every algorithm, held to the bounds of docs/accuracy.md.

Counted are outputs; at the end comes the largest error of each kind in units of its bound.
"""

import runner
from nearness import check

if __name__ == "__main__":
    worst = {}
    runner.run(__doc__, lambda seed: check(seed, worst))
    for name in sorted(worst):
        print(f"{name}: {worst[name]:.3f}")
