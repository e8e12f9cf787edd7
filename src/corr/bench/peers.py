"""The libraries that corr is held against, each as `subjects(task)`; all are optional.

Every peer runs as its users would have it run fastest: sessions and weights prepared
before the clock starts wherever the library can keep them, outputs bound where it can.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .subjects import Subject, Task, Unsupported

# name: (modules it needs, distributions that may carry its version)
PACKAGES = {
    "torch": (("torch",), ("torch",)),
    "onnxruntime": (("onnxruntime", "onnx"), ("onnxruntime",)),
    "openvino": (("openvino",), ("openvino",)),
    "ncnn": (("ncnn",), ("ncnn",)),
    "opencv": (("cv2",), ("opencv-python-headless", "opencv-python")),
    "scipy": (("scipy.signal",), ("scipy",)),
}
# Multiplications beyond which a plain loop takes seconds a call: scipy's always, torch's on
# planes for kernels of more taps than its compiled ones take.
SLOWEST_LOOP = 5e8
MOST_TAPS = 1024


def missing(name: str) -> str | None:
    """Why the peer cannot be used here, or None."""
    for module in PACKAGES[name][0]:
        try:
            importlib.import_module(module)
        except Exception as error:  # a broken installation is a missing one
            return f"{type(error).__name__}: {error}".splitlines()[0]
    return None


def version(name: str) -> str:
    for distribution in PACKAGES[name][1]:
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "?"


def subjects(name: str, task: Task) -> Iterator[Subject]:
    """The peer's ways to compute the task; `Unsupported` if it has none."""
    return {"torch": _torch, "onnxruntime": _onnxruntime, "openvino": _openvino, "ncnn": _ncnn,
            "opencv": _opencv, "scipy": _scipy}[name](task)


def _forward_only(task: Task) -> None:
    if task.which != "forward":
        raise Unsupported("has no gradients")


def _float32_only(task: Task) -> None:
    if task.dtype != np.float32:
        raise Unsupported("float32 only")


def _one_picture(task: Task) -> None:
    layer = task.layer
    if not layer.n == layer.ic == layer.oc == layer.stride == layer.dilation == 1:
        raise Unsupported("one-channel pictures at stride 1 only")


def _torch(task: Task) -> Iterator[Subject]:
    import torch

    torch.set_num_threads(task.threads)
    torch.set_grad_enabled(False)
    s, p, d, groups = task.parameters

    def read(y: Any) -> np.ndarray:
        return y.numpy()

    layer = task.layer
    slow = layer.kh * layer.kw > MOST_TAPS and layer.flops > 2 * SLOWEST_LOOP
    for name, memory in (("torch", torch.contiguous_format),
                         ("torch channels-last", torch.channels_last)):
        if slow and memory == torch.contiguous_format:
            continue
        x, w, g = (torch.from_numpy(array).to(memory_format=memory)
                   for array in (task.x, task.w, task.g))
        if task.which == "forward":
            yield Subject(name, partial(torch.conv2d, x, w, None, s, p, d, groups), read)
        else:
            mask = [task.which == "input", task.which == "weight", False]
            call = partial(torch.ops.aten.convolution_backward, g, x, w, None, [s, s], [p, p],
                           [d, d], False, [0, 0], groups, mask)
            place = mask.index(True)
            yield Subject(name, call, lambda out, place=place: out[place].numpy())
    if task.which == "forward" and not slow:
        module = torch.nn.Conv2d(layer.ic, layer.oc, (layer.kh, layer.kw), s, p, d, groups,
                                 bias=False, dtype=getattr(torch, task.dtype.name))
        module.weight.copy_(torch.from_numpy(task.w))
        x = torch.from_numpy(task.x)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit is deprecated, and still the fastest
            frozen = torch.jit.trace(module.eval(), x)
            frozen = torch.jit.optimize_for_inference(torch.jit.freeze(frozen))
            frozen(x), frozen(x)
        yield Subject("torch frozen", partial(frozen, x), read)


def _onnxruntime(task: Task) -> Iterator[Subject]:
    _forward_only(task)
    _float32_only(task)
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    layer = task.layer
    s, p, d, groups = task.parameters
    node = helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[layer.kh, layer.kw],
                            strides=[s, s], pads=[p] * 4, dilations=[d, d], group=groups)
    graph = helper.make_graph(
        [node], "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, layer.x_shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, layer.y_shape)],
        [numpy_helper.from_array(task.w, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = task.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    if task.fresh:
        yield Subject("onnxruntime", partial(session.run, None, {"x": task.x}), lambda y: y[0])
        return
    binding = session.io_binding()
    y = np.zeros(layer.y_shape, np.float32)
    held = [onnxruntime.OrtValue.ortvalue_from_numpy(task.x),
            onnxruntime.OrtValue.ortvalue_from_numpy(y)]
    binding.bind_ortvalue_input("x", held[0])
    binding.bind_ortvalue_output("y", held[1])
    yield Subject("onnxruntime", partial(session.run_with_iobinding, binding),
                  lambda _: held[1].numpy())


def _openvino(task: Task) -> Iterator[Subject]:
    _forward_only(task)
    _float32_only(task)
    if task.fresh:
        raise Unsupported("writes into an output of its own, never a fresh one")
    import openvino as ov
    from openvino import opset13 as ops

    layer = task.layer
    s, p, d, groups = task.parameters
    x = ops.parameter(layer.x_shape, np.float32)
    shared = ([s, s], [p, p], [p, p], [d, d])
    if groups == 1:
        y = ops.convolution(x, ops.constant(task.w), *shared)
    else:
        oc, inner, kh, kw = layer.w_shape
        w = ops.constant(task.w.reshape(groups, oc // groups, inner, kh, kw))
        y = ops.group_convolution(x, w, *shared)
    model = ov.Model([y], [x], "layer")
    compiled = ov.Core().compile_model(model, "CPU", {
        "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": str(task.threads),
        "NUM_STREAMS": "1", "PERFORMANCE_HINT": "LATENCY"})
    request = compiled.create_infer_request()
    request.set_input_tensor(ov.Tensor(task.x, shared_memory=True))
    # Past the wrapper that makes a dictionary of the outputs at each call.
    call = getattr(request, "_infer_request", request).infer
    try:
        call()
    except TypeError:
        call = request.infer
    yield Subject("openvino", call, lambda _: request.get_output_tensor().data.copy())


def _ncnn(task: Task) -> Iterator[Subject]:
    _forward_only(task)
    _float32_only(task)
    layer = task.layer
    if layer.n != 1:
        raise Unsupported("has no batches")
    import ncnn

    s, p, d, groups = task.parameters
    kind = "Convolution" if groups == 1 else "ConvolutionDepthWise"
    values = {0: layer.oc, 1: layer.kw, 11: layer.kh, 2: d, 3: s, 4: p, 5: 0, 6: task.w.size}
    if groups != 1:
        values[7] = groups
    text = " ".join(f"{key}={value}" for key, value in values.items())
    net = ncnn.Net()
    net.opt.num_threads = task.threads
    for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic",
                   "use_bf16_storage", "use_vulkan_compute"):
        setattr(net.opt, option, False)
    with tempfile.TemporaryDirectory() as folder:
        param, weights = Path(folder) / "layer.param", Path(folder) / "layer.bin"
        param.write_text(f"7767517\n2 2\nInput x 0 1 x\n{kind} y 1 1 x y {text}\n")
        weights.write_bytes(bytes(4) + task.w.tobytes())
        if net.load_param(str(param)) or net.load_model(str(weights)):
            raise Unsupported("does not load the layer")
    x = ncnn.Mat(task.x[0])

    def call() -> Any:
        extractor = net.create_extractor()
        extractor.input("x", x)
        return extractor.extract("y")[1]

    # The net and its input must outlive the calls.
    yield Subject("ncnn", call, lambda y: np.array(y)[None])


def _opencv(task: Task) -> Iterator[Subject]:
    _forward_only(task)
    _one_picture(task)
    import cv2

    layer = task.layer
    if layer.padding and not layer.kh == layer.kw == 2 * layer.padding + 1:
        raise Unsupported("pads by half the kernel only")
    cv2.setNumThreads(task.threads)
    anchor = (layer.padding, layer.padding)
    call = partial(cv2.filter2D, task.x[0, 0], -1, task.w[0, 0], anchor=anchor,
                   borderType=cv2.BORDER_CONSTANT)
    _, _, oh, ow = layer.y_shape
    yield Subject("opencv", call, lambda y: y[None, None, :oh, :ow])


def _scipy(task: Task) -> Iterator[Subject]:
    _forward_only(task)
    _one_picture(task)
    from scipy import signal

    layer = task.layer
    if layer.padding == 0:
        mode = "valid"
    elif layer.kh == layer.kw == 2 * layer.padding + 1:
        mode = "same"
    else:
        raise Unsupported("pads by half the kernel only")
    x, w = task.x[0, 0], task.w[0, 0]
    flipped = np.ascontiguousarray(w[::-1, ::-1])

    def read(y: np.ndarray) -> np.ndarray:
        return y[None, None]

    if layer.flops < 2 * SLOWEST_LOOP:
        yield Subject("scipy correlate2d", partial(signal.correlate2d, x, w, mode), read)
    if min(layer.kh, layer.kw) > 1:
        function: Callable[..., Any] = signal.oaconvolve
        yield Subject("scipy oaconvolve", partial(function, x, flipped, mode), read)
