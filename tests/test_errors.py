"""Bad input: the right exception, naming the argument, and nothing written."""

import numpy as np
import pytest

import corr
from corr import signal

X = np.ones((2, 3, 7, 8), np.float32)
W = np.ones((4, 3, 3, 3), np.float32)
Y = np.ones((2, 4, 5, 6), np.float32)
HUGE = np.broadcast_to(np.float32(1), (1, 1, 2**30, 2**30))

CASES = {
    "kernel larger than input": (ValueError, "weight is larger", lambda: corr.conv2d(X[:, :, :2], W)),
    "dilated kernel larger": (ValueError, "dilation 4", lambda: corr.conv2d(X, W, dilation=4)),
    "empty image": (ValueError, "weight is larger", lambda: corr.conv2d(X[:, :, :0], W)),
    "empty kernel": (ValueError, "at least 1x1", lambda: corr.conv2d(X, W[:, :, :0])),
    "stride 0": (ValueError, "stride must be positive", lambda: corr.conv2d(X, W, stride=0)),
    "stride pair": (ValueError, "stride must be positive", lambda: corr.conv2d(X, W, stride=(1, -1))),
    "stride triple": (ValueError, "stride must be", lambda: corr.conv2d(X, W, stride=(1, 1, 1))),
    "stride float": (TypeError, "stride must be an int", lambda: corr.conv2d(X, W, stride=1.5)),
    "stride None": (TypeError, "stride must be an int", lambda: corr.conv2d(X, W, stride=None)),
    "stride huge": (ValueError, "stride is too large", lambda: corr.conv2d(X, W, stride=2**63)),
    "dilation 0": (ValueError, "dilation must be positive", lambda: corr.conv2d(X, W, dilation=0)),
    "dilation huge": (ValueError, "dilation is too large", lambda: corr.conv2d(X, W, dilation=2**61)),
    "padding negative": (ValueError, "padding must be at least 0", lambda: corr.conv2d(X, W, padding=-1)),
    "padding huge": (ValueError, "too large", lambda: corr.conv2d(X, W, padding=2**62)),
    "padding large": (ValueError, "too large", lambda: corr.conv2d(X, W, padding=2**40)),
    "padding float": (TypeError, "padding must be", lambda: corr.conv2d(X, W, padding=1.0)),
    "padding word": (ValueError, "same", lambda: corr.conv2d(X, W, padding="SAME")),
    "padding same strided": (ValueError, "stride 1", lambda: corr.conv2d(X, W, stride=2, padding="same")),
    "padding nested": (ValueError, "padding must be", lambda: corr.conv2d(X, W, padding=((1,), (1, 2)))),
    "padding_mode edge": (ValueError, "replicate", lambda: corr.conv2d(X, W, padding=1, padding_mode="edge")),
    "padding_mode SAME": (ValueError, "padding_mode", lambda: corr.conv2d(X, W, padding_mode="SAME")),
    "padding_mode type": (TypeError, "padding_mode", lambda: corr.conv2d(X, W, padding_mode=3)),
    "reflect too far": (ValueError, "less than the size", lambda: corr.conv2d(X, W, padding=7, padding_mode="reflect")),
    "circular too far": (ValueError, "at most the size", lambda: corr.conv2d(X, W, padding=8, padding_mode="circular")),
    "groups 0": (ValueError, "groups must be positive", lambda: corr.conv2d(X, W, groups=0)),
    "groups of outputs": (ValueError, "groups=3 must divide", lambda: corr.conv2d(X, W, groups=3)),
    "groups of inputs": (ValueError, "groups=2", lambda: corr.conv2d(X, W, groups=2)),
    "groups float": (TypeError, "groups must be an int", lambda: corr.conv2d(X, W, groups=1.0)),
    "channels": (ValueError, "3 channels", lambda: corr.conv2d(X[:, :2], W)),
    "input rank": (ValueError, "input must have shape", lambda: corr.conv2d(X[0, 0], W)),
    "input scalar": (ValueError, "input must have shape", lambda: corr.conv2d(1.0, W)),
    "ragged": (ValueError, "input", lambda: corr.conv2d([[1], [1, 2]], W)),
    "weight rank": (ValueError, "weight must have shape", lambda: corr.conv2d(X, W[0])),
    "bias shape": (ValueError, "bias must have shape", lambda: corr.conv2d(X, W, np.ones(3))),
    "bias complex": (TypeError, "bias has dtype", lambda: corr.conv2d(X, W, np.ones(4) * 1j)),
    "complex": (TypeError, "input has dtype complex", lambda: corr.conv2d(X * 1j, W)),
    "longdouble": (TypeError, "weight has dtype", lambda: corr.conv2d(X, W.astype(np.longdouble))),
    "object": (TypeError, "input has dtype object", lambda: corr.conv2d(X.astype(object), W)),
    "string": (TypeError, "input has dtype", lambda: corr.conv2d(X.astype(str), W)),
    "masked": (TypeError, "masked", lambda: corr.conv2d(np.ma.array(X), W)),
    "datetime": (TypeError, "input has dtype", lambda: corr.conv2d(np.zeros(X.shape, "M8[s]"), W)),
    "algorithm": (ValueError, "algorithm must be", lambda: corr.conv2d(X, W, algorithm="magic")),
    "winograd in float64": (ValueError, "float64", lambda: corr.conv2d(X.astype(float), W, algorithm="winograd")),
    "winograd at stride 2": (ValueError, "stride", lambda: corr.conv2d(X, W, stride=2, algorithm="winograd")),
    "winograd for weights in float64": (ValueError, "float64", lambda: corr.conv2d_weight(X.astype(float), W.shape, Y, algorithm="winograd")),
    "fft for weights": (ValueError, "never computed so", lambda: corr.conv2d_weight(X, W.shape, Y, algorithm="fft")),
    "fft in float64": (ValueError, "float64", lambda: corr.conv2d(X.astype(float), W, algorithm="fft")),
    "layout": (ValueError, "layout must be", lambda: corr.conv2d(X, W, layout="CHWN")),
    "activation": (ValueError, "activation must be", lambda: corr.conv2d(X, W, activation="gelu")),
    "no memory in the world": (ValueError, "too large|63 bits", lambda: corr.conv2d(HUGE, np.ones((64, 1, 1, 1), np.float32))),
    "out list": (TypeError, "out must be", lambda: corr.conv2d(X, W, out=[1])),
    "out shape": (ValueError, "out has shape", lambda: corr.conv2d(X, W, out=np.empty((2, 4, 5, 5), np.float32))),
    "out dtype": (ValueError, "out has dtype", lambda: corr.conv2d(X, W, out=np.empty(Y.shape))),
    "out self-overlap": (ValueError, "share memory", lambda: corr.conv2d(
        X, W, out=np.lib.stride_tricks.as_strided(np.ones(6, np.float32), Y.shape, (0, 0, 0, 4)))),
    "input_size rank": (ValueError, "input_size must have", lambda: corr.conv2d_input((3, 3), W, Y)),
    "input_size type": (TypeError, "input_size must be", lambda: corr.conv2d_input(7, W, Y)),
    "input_size negative": (ValueError, "input_size", lambda: corr.conv2d_input((2, 3, -7, 8), W, Y)),
    "grad shape": (ValueError, "grad_output must have shape", lambda: corr.conv2d_input(X.shape, W, Y[:, :, 1:])),
    "grad batch": (ValueError, "grad_output must have shape", lambda: corr.conv2d_weight(X, W.shape, Y[:1])),
    "weight_size rank": (ValueError, "weight_size must have", lambda: corr.conv2d_weight(X, (3, 3), Y)),
    "needs": (ValueError, "needs must name", lambda: corr.conv2d_backward(Y, X, W, needs=("weights",))),
    "accumulate shape": (ValueError, "accumulate_into.weight", lambda: corr.conv2d_backward(
        Y, X, W, accumulate_into=(None, np.ones(3, np.float32), None))),
    "accumulate count": (ValueError, "accumulate_into", lambda: corr.conv2d_backward(Y, X, W, accumulate_into=(None,))),
    "corr2d rank": (ValueError, "input must have shape", lambda: corr.corr2d(X, W[0, 0])),
    "corr2d kernel rank": (ValueError, "kernel must have shape", lambda: corr.corr2d(X[0, 0], W)),
    "corr2d kernel larger": (ValueError, "larger", lambda: corr.corr2d(X[0, 0, :2], W[0, 0])),
    "corr2d kernel empty": (ValueError, "at least 1x1", lambda: corr.corr2d(X[0, 0], W[0, 0, :0])),
    "im2col kernel": (ValueError, "kernel_size must be positive", lambda: corr.im2col(X, 0)),
    "col2im rows": (ValueError, "cols must have a multiple", lambda: corr.col2im(np.ones((5, 4)), 3, 2)),
    "col2im columns": (ValueError, "cols must have 4 columns", lambda: corr.col2im(np.ones((4, 5)), 3, 2)),
    "threads": (ValueError, "n must be positive", lambda: corr.set_num_threads(0)),
    "threads type": (TypeError, "n must be an int", lambda: corr.set_num_threads("two")),
    "threads many": (ValueError, "at most 256", lambda: corr.num_threads(1000)),
    "show_config": (ValueError, "mode must be", lambda: corr.show_config("xml")),
    "plan shape": (ValueError, "input_shape must have", lambda: corr.plan((1, 2), W)),
    "plan free height": (TypeError, "input_shape", lambda: corr.plan((1, 3, None, 8), W)),
    "plan dtype": (TypeError, "dtype", lambda: corr.plan(X.shape, W, dtype=complex)),
    "signal rank": (ValueError, "2-D", lambda: signal.correlate2d(X, W)),
    "signal complex": (TypeError, "in1 has dtype complex", lambda: signal.correlate2d([[1j]], [[1]])),
    "signal mode": (ValueError, "mode must be", lambda: signal.correlate2d([[1]], [[1]], mode="half")),
    "signal boundary": (ValueError, "boundary must be", lambda: signal.convolve2d([[1]], [[1]], boundary="edge")),
    "signal valid": (ValueError, "at least as large", lambda: signal.convolve2d(
        np.ones((2, 5)), np.ones((3, 4)), mode="valid")),
    "receptive field": (TypeError, "layers", lambda: corr.receptive_field([3])),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input(name):
    kind, text, call = CASES[name]
    with pytest.raises(kind, match=text) as caught:
        call()
    assert caught.type is kind


@pytest.mark.parametrize("wrong", [
    lambda big: corr.plan(big, W),
    lambda big: corr.plan(list(big), W),
    lambda big: corr.conv2d(X, W, stride=big),
    lambda big: corr.conv2d(X, W, padding="x" * 10**6),
    lambda big: corr.conv2d_input(big, W, Y),
])
def test_what_was_wrong_is_shown_on_one_short_line(wrong):
    with pytest.raises((TypeError, ValueError)) as caught:
        wrong(np.ones((40, 50, 60, 7)))
    text = str(caught.value)
    assert len(text) < 500 and "\n" not in text, text


def test_what_is_not_built_says_so():
    with pytest.raises(ValueError, match="algorithm"):
        corr.conv2d(X, W, algorithm="fft")


def test_out_may_not_overlap_an_input():
    room = np.zeros(X.size + Y.size, np.float32)
    x = room[: X.size].reshape(X.shape)
    overlapping = room[X.size - 1 : X.size - 1 + Y.size].reshape(Y.shape)
    beside = room[X.size :].reshape(Y.shape)
    with pytest.raises(ValueError, match="out shares memory with input"):
        corr.conv2d(x, W, out=overlapping)
    assert not room.any()
    corr.conv2d(x, W, out=beside)
    out = np.zeros(4 * 9, np.float32)
    with pytest.raises(ValueError, match="out shares memory with weight"):
        corr.conv2d(np.ones((1, 1, 8, 8), np.float32), out[:9].reshape(1, 1, 3, 3), out=out.reshape(1, 1, 6, 6))


@pytest.mark.parametrize(
    "call",
    [
        lambda out: corr.conv2d(X, W, stride=0, out=out),
        lambda out: corr.conv2d(X, W[:, :2], out=out),
        lambda out: corr.conv2d(X, W, np.ones(9), out=out),
        lambda out: corr.conv2d(X, W, padding=1, out=out),
        lambda out: corr.conv2d(X, W, algorithm="magic", out=out),
    ],
)
def test_nothing_is_written_before_all_is_checked(call):
    out = np.full(Y.shape, 7, np.float32)
    with pytest.raises(ValueError):
        call(out)
    assert (out == 7).all()


def test_read_only_out():
    out = np.zeros(Y.shape, np.float32)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        corr.conv2d(X, W, out=out)


@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("stride", [1, 2, 3, 5])
def test_an_algorithm_that_is_refused_writes_nothing(stride, groups):
    w = np.ones((8, 8 // groups, 2, 2), np.float32)
    x = np.ones((1, 8, 21, 20), np.float32)
    gy = corr.conv2d(x, w, None, stride, 0, 1, groups)
    for call, given in ((corr.conv2d, (x, w, None)), (corr.conv2d_input, (x.shape, w, gy)),
                        (corr.conv2d_weight, (x, w.shape, gy))):
        shape = {"conv2d": gy.shape, "conv2d_input": x.shape, "conv2d_weight": w.shape}
        out = np.full(shape[call.__name__], np.nan, np.float32)
        for algorithm in ("winograd", "fft"):
            try:
                call(*given, stride, 0, 1, groups, algorithm=algorithm, out=out)
            except ValueError:
                assert np.isnan(out).all()
            else:
                assert call is not corr.conv2d_weight or algorithm == "winograd"
                out[...] = np.nan
