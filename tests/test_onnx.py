"""corr.onnx: ONNX's own cases for Conv and ConvTranspose, and whole published networks."""

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install '.[test-backends]'")

from onnx import helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

from onnx.reference.ops.op_batch_normalization import BatchNormalization_14  # noqa: E402

import corr.onnx  # noqa: E402
import reference  # noqa: E402

DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"


def convolutions(model):
    return [node for node in model.graph.node if node.op_type in ("Conv", "ConvTranspose")]


@pytest.fixture
def no_fallback(monkeypatch):
    """The evaluator's own convolutions refuse."""

    def refuse(*arguments):
        raise AssertionError("the evaluator's own convolution ran")

    monkeypatch.setattr(corr.onnx._Conv, "_run", refuse)
    monkeypatch.setattr(corr.onnx._ConvTranspose, "_run", refuse)


def node_cases():
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ONNX divides by zero where it makes its other cases
        cases = collect_testcases("Conv"), collect_testcases("ConvTranspose")
    return [case for op, found in zip(("Conv", "ConvTranspose"), cases, strict=True)
            for case in _of(found, op)]


def _of(cases, op):
    return [c for c in cases if c.kind == "node" and any(n.op_type == op for n in c.model.graph.node)]


CASES = node_cases()
CONVERTED = sorted(path.parent for path in DATA.glob("pytorch-*/*/model.onnx")
                   if convolutions(onnx.load(path)))


def spatial_axes(model):
    shapes = [v.type.tensor_type.shape.dim for v in model.graph.input]
    return len(shapes[0]) - 2


def check(model, inputs, wanted, rtol=1e-3, atol=1e-5):
    session = ReferenceEvaluator(model, new_ops=corr.onnx.OPS)
    names = [value.name for value in model.graph.input]
    found = session.run(None, dict(zip(names, inputs, strict=False)))
    for one, other in zip(found, wanted, strict=True):
        assert one.dtype == other.dtype and one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)


def test_there_are_cases():
    assert sum("conv_" in case.name and "transpose" not in case.name for case in CASES) >= 6
    assert len(CONVERTED) >= 20


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_onnx_node_case(case, request):
    node = convolutions(case.model)[0]
    given = {attribute.name for attribute in node.attribute}
    ours = spatial_axes(case.model) < 3 and not (
        node.op_type == "ConvTranspose" and given & {"output_shape", "auto_pad"})
    if ours:
        request.getfixturevalue("no_fallback")
    for inputs, outputs in case.data_sets:
        check(case.model, inputs, outputs, case.rtol, max(case.atol, 1e-6))


def load(path):
    return [numpy_helper.to_array(onnx.load_tensor(str(file)))
            for file in sorted(path, key=lambda p: int(p.stem.split("_")[1]))]


@pytest.mark.parametrize("folder", CONVERTED, ids=[path.name for path in CONVERTED])
def test_onnx_converted_case(folder, request):
    model = onnx.load(folder / "model.onnx")
    if spatial_axes(model) < 3:
        request.getfixturevalue("no_fallback")
    for data in folder.glob("test_data_set_*"):
        check(model, load(data.glob("input_*.pb")), load(data.glob("output_*.pb")))


def one_node(op, x, w, **attributes):
    kind = helper.np_dtype_to_tensor_dtype(x.dtype)
    names = [helper.make_tensor_value_info(name, kind, None) for name in ("x", "w", "y")]
    node = helper.make_node(op, ["x", "w"], ["y"], **attributes)
    return helper.make_model(helper.make_graph([node], "g", names[:2], names[2:]),
                             opset_imports=[helper.make_opsetid("", 17)])


@pytest.mark.parametrize("op", ["Conv", "ConvTranspose"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("seed", range(12))
def test_random_attributes(op, dtype, seed):
    rng = np.random.default_rng(seed)
    groups, per, axes = int(rng.integers(1, 4)), int(rng.integers(1, 4)), int(rng.integers(1, 3))
    stride, dilation = rng.integers(1, 4, axes).tolist(), rng.integers(1, 3, axes).tolist()
    x = rng.integers(-3, 4, (2, groups * per, *rng.integers(7, 12, axes))).astype(dtype)
    out = int(rng.integers(1, 4))
    first = (groups * out, per) if op == "Conv" else (groups * per, out)
    w = rng.integers(-3, 4, (*first, *rng.integers(1, 4, axes))).astype(dtype)
    attributes = {"strides": stride, "dilations": dilation, "group": groups,
                  "pads": rng.integers(0, 3, 2 * axes).tolist()}
    if op == "Conv" and seed % 3 == 0:
        del attributes["pads"]
        attributes["auto_pad"] = ("SAME_UPPER", "SAME_LOWER", "VALID")[seed // 3 % 3]
    if op == "ConvTranspose":
        attributes["output_padding"] = [int(rng.integers(0, s)) for s in stride]
    model = one_node(op, x, w, **attributes)
    # The evaluator's own transpose takes no more than one group.
    wanted = (ReferenceEvaluator(model).run(None, {"x": x, "w": w}) if op == "Conv"
              else [transpose(x, w, **attributes).astype(dtype)])
    check(model, [x, w], wanted, rtol=0, atol=0)


def transpose(x, w, strides, dilations, group, pads, output_padding):
    """By definition: the input's gradient of the oracle."""
    axes = x.ndim - 2
    size = [s * (n - 1) + e + (k - 1) * d + 1 - a - b for s, n, e, k, d, a, b in zip(
        strides, x.shape[2:], output_padding, w.shape[2:], dilations, pads[:axes], pads[axes:],
        strict=True)]
    wide = [[1] * (2 - axes) + list(v) for v in (size, strides, dilations)]
    padding = [(0, 0)] * (2 - axes) + list(zip(pads[:axes], pads[axes:], strict=True))
    xw, ww = (a.reshape(*a.shape[:2], *[1] * (2 - axes), *a.shape[2:]) for a in (x, w))
    y = reference.conv2d_input((len(x), w.shape[1] * group, *wide[0]), ww, xw, wide[1], padding,
                               wide[2], group)
    return y.reshape(*y.shape[:2], *size)


class BatchNormalization(BatchNormalization_14):
    """Before opset 14 the evaluator's own takes inference for training (onnx/onnx#8442)."""

    op_domain = ""

    def _run(self, x, scale, bias, mean, var, epsilon=None, momentum=None, training_mode=None):
        return super()._run(x, scale, bias, mean, var, epsilon, momentum, 0)


MODELS = {"ch_ppocr_mobile_v2.0_cls_infer": (1, 3, 48, 192), "ch_PP-OCRv4_det_infer": (1, 3, 96, 160),
          "ch_PP-OCRv4_rec_infer": (1, 3, 48, 96)}


@pytest.mark.parametrize("name", MODELS)
def test_published_networks_as_onnxruntime(name, no_fallback):
    """PaddleOCR's networks, which rapidocr-onnxruntime ships, on one photograph."""
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    found = importlib.util.find_spec("rapidocr_onnxruntime")
    if found is None:
        pytest.skip("its networks are not installed: pip install --no-deps rapidocr-onnxruntime")
    path = Path(found.origin).parent / "models" / f"{name}.onnx"
    x = picture(MODELS[name])
    wanted = runtime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"x": x})
    operators = [*corr.onnx.OPS, BatchNormalization]
    y = ReferenceEvaluator(onnx.load(path), new_ops=operators).run(None, {"x": x})
    assert y[0].shape == wanted[0].shape and np.ptp(wanted[0]) > 1e-3
    np.testing.assert_allclose(y[0], wanted[0], rtol=1e-3, atol=1e-4)


def picture(shape):
    from PIL import Image

    from corr.cli._pictures import sample_photograph

    with Image.open(sample_photograph()) as photo:
        small = np.asarray(photo.convert("RGB").resize((shape[3], shape[2])), np.float32)
    return (small.transpose(2, 0, 1)[None] / 255 - 0.5) / 0.5
