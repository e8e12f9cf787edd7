"""What each recipe of backends.md brings: the time before and after, on one thread.

    python docs/backends_times.py

prints the page's two tables. Recipes whose library is not installed are left out.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "CORR_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import importlib.util  # noqa: E402
import re  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

import corr  # noqa: E402

PAGE = Path(__file__).with_name("backends.md").read_text(encoding="utf-8")
warnings.simplefilter("ignore")


def recipe(heading):
    section = re.split(rf"^## {heading}$", PAGE, flags=re.M)[1].split("\n## ")[0]
    names = {}
    for code in re.findall(r"^```python\n(.*?)^```", section, flags=re.M | re.S):
        exec(code, names)  # noqa: S102
    return names


def best(function, seconds=1.0):
    function()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 2:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times) * 1e3


def normal(*shape, dtype=np.float32):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def onnx_reference():
    import onnx.parser
    from onnx.reference import ReferenceEvaluator

    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 17]> g (float[1,64,56,56] x, float[64,64,3,3] w) '
        "=> (float[1,64,56,56] y) { y = Conv<pads = [1, 1, 1, 1]>(x, w) }")
    feed = {"x": normal(1, 64, 56, 56), "w": normal(64, 64, 3, 3)}
    import corr.onnx

    before, after = (ReferenceEvaluator(model, new_ops=ops) for ops in ([], corr.onnx.OPS))
    return ("Conv, 64 to 64 channels, 3x3, 56x56",
            lambda: before.run(None, feed), lambda: after.run(None, feed))


def autograd():
    from autograd import elementwise_grad
    from autograd.scipy.signal import convolve

    def own(x, w):
        return convolve(x, w, axes=([2, 3], [2, 3]), dot_axes=([1], [1]), mode="valid")

    conv2d = recipe("autograd")["conv2d"]
    x, w = normal(16, 8, 28, 28), normal(16, 8, 3, 3)
    before, after = (elementwise_grad(f, 1) for f in (own, conv2d))
    return ("forward and weight gradient, 16 x 8 to 16 channels, 3x3, 28x28",
            lambda: before(x, w), lambda: after(x, w))


def windows(x, w, b, stride, pad):
    """CS231n's own fast layer in NumPy is a matrix product over windows; so is this."""
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    view = np.lib.stride_tricks.sliding_window_view(xp, w.shape[2:], (2, 3))[:, :, ::stride, ::stride]
    n, c, h, wide, kh, kw = view.shape
    cols = view.transpose(1, 4, 5, 0, 2, 3).reshape(c * kh * kw, -1)
    y = w.reshape(len(w), -1) @ cols
    return y.reshape(len(w), n, h, wide).transpose(1, 0, 2, 3) + b[:, None, None], cols


def windows_back(grad, x, w, cols, stride, pad):
    flat = grad.transpose(1, 0, 2, 3).reshape(len(w), -1)
    back = (w.reshape(len(w), -1).T @ flat).reshape(*w.shape[1:], len(x), *grad.shape[2:])
    gx = np.zeros((*x.shape[:2], x.shape[2] + 2 * pad, x.shape[3] + 2 * pad), x.dtype)
    for p, q in np.ndindex(*w.shape[2:]):
        gx[:, :, p : p + stride * grad.shape[2] : stride,
           q : q + stride * grad.shape[3] : stride] += back[:, p, q].swapaxes(0, 1)
    inner = slice(pad, -pad)
    return gx[:, :, inner, inner], (flat @ cols.T).reshape(w.shape), grad.sum((0, 2, 3))


def cs231n():
    names = recipe("CS231n")
    x, w, b = (normal(*s, dtype=np.float64) for s in ((50, 3, 32, 32), (32, 3, 7, 7), (32,)))
    how = {"stride": 1, "pad": 3}

    def before():
        y, cols = windows(x, w, b, 1, 3)
        return windows_back(y, x, w, cols, 1, 3)

    def after():
        return names["conv_backward_fast"](*names["conv_forward_fast"](x, w, b, how))

    for one, other in zip(before(), after(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-8)
    return "forward and backward, 50 x 3 to 32 channels, 7x7, 32x32, float64", before, after


def torch_model():
    import torch
    from torch import nn

    torch.set_num_threads(1)

    def model():
        torch.manual_seed(0)
        layers, channels = [], 3
        for out, stride in ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1)):
            layers += [nn.Conv2d(channels, out, 3, stride, padding=1), nn.ReLU()]
            channels = out
        return nn.Sequential(*layers).eval()

    before, after = model(), recipe("PyTorch")["corr_convolutions"](model())
    x = torch.from_numpy(normal(1, 3, 112, 112))

    def run(net):
        with torch.no_grad():
            return net(x)

    torch.testing.assert_close(run(before), run(after), rtol=1e-3, atol=1e-4)
    return ("inference, five 3x3 layers, 3 to 128 channels, 112x112",
            lambda: run(before), lambda: run(after))


def jax_layer():
    import jax

    conv2d = recipe("JAX")["conv2d"]
    x, w = jax.numpy.asarray(normal(1, 64, 56, 56)), jax.numpy.asarray(normal(64, 64, 3, 3))
    before = jax.jit(lambda x, w: jax.lax.conv_general_dilated(x, w, (1, 1), [(1, 1)] * 2))
    after = jax.jit(lambda x, w: conv2d(x, w, 1, 1))
    return ("64 to 64 channels, 3x3, 56x56, under jit",
            lambda: before(x, w).block_until_ready(), lambda: after(x, w).block_until_ready())


def transposed():
    import torch

    torch.set_num_threads(1)
    ours = recipe("Transposed convolution")["conv_transpose2d"]
    x, w = normal(1, 64, 56, 56), normal(64, 32, 4, 4)
    xt, wt = map(torch.from_numpy, (x, w))
    return ("64 to 32 channels, 4x4, stride 2, 56x56, beside PyTorch's",
            lambda: torch.nn.functional.conv_transpose2d(xt, wt, stride=2, padding=1),
            lambda: ours(x, w, stride=2, padding=1))


def networks():
    """PaddleOCR's, in the evaluator with its own convolutions, with corr's, and in onnxruntime."""
    import onnx
    import onnxruntime
    from onnx.reference import ReferenceEvaluator

    import corr.onnx

    sys.path.append(str(Path(__file__).parent.parent / "tests"))
    from test_onnx import BatchNormalization, picture

    models = Path(importlib.util.find_spec("rapidocr_onnxruntime").origin).parent / "models"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    for title, name, shape in (
        ("text detector (PP-OCRv4)", "ch_PP-OCRv4_det_infer", (1, 3, 320, 320)),
        ("orientation classifier", "ch_ppocr_mobile_v2.0_cls_infer", (1, 3, 48, 192)),
        ("text recogniser (PP-OCRv4)", "ch_PP-OCRv4_rec_infer", (1, 3, 48, 320)),
    ):
        feed, path = {"x": picture(shape)}, models / f"{name}.onnx"
        model = onnx.load(path)
        before, after = (ReferenceEvaluator(model, new_ops=[*ops, BatchNormalization])
                         for ops in ([], corr.onnx.OPS))
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        apart = np.abs(after.run(None, feed)[0] - session.run(None, feed)[0]).max()
        old, new, theirs = (best(lambda run=run: run(None, feed), 0.5)
                            for run in (before.run, after.run, session.run))
        yield title, shape, apart, old, new, theirs


RECIPES = {"ONNX reference evaluator": onnx_reference, "autograd": autograd, "CS231n": cs231n,
           "PyTorch": torch_model, "JAX": jax_layer, "transposed convolution": transposed}

if __name__ == "__main__":
    corr.set_num_threads(1)
    print("| recipe | what | before, ms | with corr, ms | |\n|---|---|---|---|---|")
    for title, make in RECIPES.items():
        try:
            what, before, after = make()
        except ImportError:
            continue
        old, new = best(before), best(after)
        print(f"| {title} | {what} | {old:.2f} | {new:.2f} | {old / new:.1f} x |", flush=True)
    if importlib.util.find_spec("rapidocr_onnxruntime"):
        print("\n| network | input | its own, ms | with corr, ms | | onnxruntime, ms | apart |\n"
              "|---|---|---|---|---|---|---|")
        for title, shape, apart, old, new, theirs in networks():
            print(f"| {title} | {'x'.join(map(str, shape[1:]))} | {old:.0f} | {new:.1f} | "
                  f"{old / new:.1f} x | {theirs:.1f} | {apart:.0e} |", flush=True)
