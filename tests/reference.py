"""The only oracle: the operator by its definition, a loop over taps, NumPy over the rest.

Whole numbers stay whole (int64 arrays give int64), everything else is float64.
"""

import numpy as np

MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _wide(array):
    array = np.asarray(array)
    return array if array.dtype == np.int64 else array.astype(np.float64)


def _pads(padding):
    both = (padding, padding) if isinstance(padding, int) else padding
    return [(p, p) if isinstance(p, int) else tuple(p) for p in both]


def _pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def pad(x, padding, mode="zeros"):
    """The padded input; taps in zeros padding are absent, which zeros say for finite data."""
    pads = [(0, 0), (0, 0), *_pads(padding)]
    return np.pad(x, pads) if mode == "zeros" else np.pad(x, pads, mode=MODES[mode])


def _window(xp, p, q, stride, dilation, out):
    h, w = p * dilation[0], q * dilation[1]
    return xp[:, :, h : h + (out[0] - 1) * stride[0] + 1 : stride[0],
              w : w + (out[1] - 1) * stride[1] + 1 : stride[1]]


def out_size(padded, kernel, stride, dilation):
    return tuple((n - (k - 1) * d - 1) // s + 1
                 for n, k, s, d in zip(padded, kernel, stride, dilation, strict=True))


def _split(array, groups, axis):
    return np.split(array, groups, axis=axis)


def conv2d(x, w, bias=None, stride=1, padding=0, dilation=1, groups=1, padding_mode="zeros"):
    x, w, stride, dilation = _wide(x), _wide(w), _pair(stride), _pair(dilation)
    xp = pad(x, padding, padding_mode)
    out = out_size(xp.shape[2:], w.shape[2:], stride, dilation)
    parts = []
    for xg, wg in zip(_split(xp, groups, 1), _split(w, groups, 0), strict=True):
        y = np.zeros((x.shape[0], wg.shape[0], *out), np.result_type(x, w))
        for p in range(w.shape[2]):
            for q in range(w.shape[3]):
                taps = _window(xg, p, q, stride, dilation, out)
                y += np.einsum("oc,nchw->nohw", wg[:, :, p, q], taps)
        parts.append(y)
    y = np.concatenate(parts, axis=1)
    return y if bias is None else y + _wide(bias)[:, None, None]


def conv2d_weight(x, shape, gy, stride=1, padding=0, dilation=1, groups=1, padding_mode="zeros"):
    x, gy, stride, dilation = _wide(x), _wide(gy), _pair(stride), _pair(dilation)
    xp = pad(x, padding, padding_mode)
    gw = np.zeros(shape, np.result_type(x, gy))
    rows = shape[0] // groups
    for g, (xg, yg) in enumerate(zip(_split(xp, groups, 1), _split(gy, groups, 1), strict=True)):
        for p in range(shape[2]):
            for q in range(shape[3]):
                taps = _window(xg, p, q, stride, dilation, gy.shape[2:])
                gw[g * rows : (g + 1) * rows, :, p, q] = np.einsum("nohw,nchw->oc", yg, taps)
    return gw


def conv2d_input(shape, w, gy, stride=1, padding=0, dilation=1, groups=1, padding_mode="zeros"):
    w, gy, stride, dilation = _wide(w), _wide(gy), _pair(stride), _pair(dilation)
    # Where each padded pixel came from; -1 for zeros.
    index = pad(np.arange(shape[2] * shape[3]).reshape(1, 1, *shape[2:]) + 1, padding,
                padding_mode)[0, 0] - 1
    gxp = np.zeros((shape[0], shape[1], *index.shape), np.result_type(w, gy))
    columns = shape[1] // groups
    for g, (wg, yg) in enumerate(zip(_split(w, groups, 0), _split(gy, groups, 1), strict=True)):
        part = gxp[:, g * columns : (g + 1) * columns]
        for p in range(w.shape[2]):
            for q in range(w.shape[3]):
                _window(part, p, q, stride, dilation, gy.shape[2:])[...] += np.einsum(
                    "oc,nohw->nchw", wg[:, :, p, q], yg)
    gx = np.zeros((shape[0], shape[1], shape[2] * shape[3] + 1), gxp.dtype)
    np.add.at(gx, (slice(None), slice(None), index.ravel()), gxp.reshape(*gx.shape[:2], -1))
    return gx[:, :, :-1].reshape(shape)
