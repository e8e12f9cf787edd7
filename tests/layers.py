"""One layer for each way through the engines, each large enough for several threads."""

import numpy as np

import corr

# input, weight, (stride, padding, dilation, groups), algorithm of the forward
LAYERS = {
    "pixels": ((1, 16, 40, 40), (24, 16, 3, 3), (1, 1, 1, 1), "direct"),
    "channels": ((2, 64, 7, 7), (70, 64, 3, 3), (1, 1, 1, 1), "direct"),
    "pointwise": ((2, 64, 15, 15), (72, 64, 1, 1), (1, 0, 1, 1), "direct"),
    "strided, few pixels": ((1, 40, 15, 15), (140, 40, 3, 3), (2, 1, 1, 1), "direct"),
    "strided": ((1, 24, 33, 31), (40, 24, 3, 3), (2, 1, 1, 1), "direct"),
    "dilated": ((1, 12, 40, 37), (20, 12, 3, 5), (1, 3, 2, 1), "direct"),
    "grouped": ((1, 32, 24, 24), (48, 8, 3, 3), (1, 1, 1, 4), "direct"),
    "few outputs": ((2, 96, 20, 33), (5, 96, 3, 3), (1, 1, 1, 1), "direct"),
    "depthwise": ((2, 40, 48, 48), (40, 1, 3, 3), (1, 1, 1, 40), "direct"),
    "depthwise, strided": ((3, 48, 63, 63), (48, 1, 5, 5), (2, 2, 1, 48), "direct"),
    "depthwise, two kernels": ((1, 20, 50, 49), (40, 1, 7, 7), (1, 3, 1, 20), "direct"),
    "picture": ((1, 1, 130, 150), (3, 1, 9, 9), (1, 4, 1, 1), "direct"),
    "winograd": ((1, 32, 30, 30), (48, 32, 3, 3), (1, 1, 1, 1), "winograd"),
    "winograd, small": ((3, 40, 9, 10), (33, 40, 3, 3), (1, 1, 1, 1), "winograd"),
    "fft": ((1, 1, 150, 170), (2, 1, 21, 19), (1, 9, 1, 1), "fft"),
}


class Layer:
    """The arrays of a layer, and every pass over them."""

    def __init__(self, name, dtype=np.float32, whole=False):
        xs, ws, self.args, self.algorithm = LAYERS[name]
        rng = np.random.default_rng(len(name))

        def numbers(shape):
            made = rng.integers(-3, 4, shape) if whole else rng.standard_normal(shape)
            return made.astype(dtype)

        self.x, self.w, self.bias = numbers(xs), numbers(ws), numbers(ws[:1])
        self.gy = numbers(self.forward().shape)

    def forward(self, x=None, out=None):
        x = self.x if x is None else x
        return corr.conv2d(x, self.w, self.bias, *self.args, algorithm=self.algorithm, out=out)

    def plan(self):
        return corr.plan(self.x.shape, self.w, self.bias, *self.args, algorithm=self.algorithm)

    def backward(self, x=None, gy=None):
        x, gy = self.x if x is None else x, self.gy if gy is None else gy
        return corr.conv2d_backward(gy, x, self.w, *self.args)

    def passes(self):
        """Each pass as a function of nothing that gives arrays."""
        plan = self.plan()
        return {"forward": lambda: [self.forward()], "plan": lambda: [plan(self.x)],
                "gradients": lambda: list(self.backward())}


def same(got, wanted):
    return all(a.tobytes() == b.tobytes() for a, b in zip(got, wanted, strict=True))
