"""What Winograd's and FFT's errors are counted in: see docs/accuracy.md."""

import numpy as np
import reference


def framed(x, padding, tile, kernel=(3, 3)):
    """The pixels as tiles see them: padded or cut, and on to whole tiles."""
    for axis, (before, after), taps in zip((2, 3), padding, kernel, strict=True):
        outputs = x.shape[axis] + before + after - taps + 1
        after += -outputs % tile
        width = [(0, 0)] * 4
        width[axis] = (max(before, 0), max(after, 0))
        x = np.pad(x, width)
        x = x.take(range(max(-before, 0), x.shape[axis] - max(-after, 0)), axis)
    return x


def outputs(x, w, padding):
    return [size + sum(pad) - taps + 1 for size, pad, taps in zip(x.shape[2:], padding, w.shape[2:], strict=True)]


def tile_sums(x, w, padding, groups, tile):
    """What the promise counts in, for each output: sqrt(K * sum m_c^2) over its K input channels,
    m_c the largest |x| under its tile times sum |w|."""
    # A kernel is filled up to blocks of 3x3, whose taps of zero see pixels, too.
    kernel = [-(-taps // 3) * 3 for taps in w.shape[2:]]
    out = outputs(x, w, padding)
    padding = [(before, after + more - taps)
               for (before, after), more, taps in zip(padding, kernel, w.shape[2:], strict=True)]
    size = framed(np.abs(x.astype(np.float64)), padding, tile, kernel)
    window = [tile + taps - 1 for taps in kernel]
    windows = np.lib.stride_tricks.sliding_window_view(size, window, (2, 3))
    most = windows[:, :, ::tile, ::tile].max((4, 5))
    most = most.reshape(len(x), groups, w.shape[1], *most.shape[2:])
    weights = np.abs(w.astype(np.float64)).sum((2, 3)).reshape(groups, -1, w.shape[1])
    sums = np.einsum("goc,ngchw->ngohw", weights**2, most**2)
    sums = (w.shape[1] * sums.reshape(len(x), -1, *most.shape[3:])) ** 0.5
    return sums.repeat(tile, 2).repeat(tile, 3)[:, :, : out[0], : out[1]]


def largest_sums(x, w, padding, groups, tile):
    """The largest sum |x||w| among the outputs of each one's tile, those past the map too."""
    x = framed(np.abs(x), padding, tile, w.shape[2:])
    sums = reference.conv2d(x, np.abs(w), groups=groups)
    n, c, h, v = sums.shape
    sums = sums.reshape(n, c, h // tile, tile, v // tile, tile).max((3, 5))
    return sums.repeat(tile, 2).repeat(tile, 3)


def gradient_sums(x, gy, padding, groups, kernel):
    """What the promise for a weight gradient counts in, (OC, IC, KH, KW): sqrt(T * sum m_t^2) over the T tiles of
    4x4 gradients, m_t the sum of a tile's |gy| times the largest |x| that a block of 3x3 taps sees with it."""
    x, gy = np.abs(x.astype(np.float64)), np.abs(gy.astype(np.float64))
    filled = [-(-taps // 3) * 3 for taps in kernel]
    frame = [(0, 0), (0, 0)] + [(max(before, 0), 0) for before, _ in padding]
    x = np.pad(x, frame)[:, :, max(-padding[0][0], 0):, max(-padding[1][0], 0):]
    gy = np.pad(gy, [(0, 0), (0, 0)] + [(0, -size % 4) for size in gy.shape[2:]])
    size = [gy.shape[2] + filled[0] - 1, gy.shape[3] + filled[1] - 1]
    x = np.pad(x, [(0, 0), (0, 0)] + [(0, max(s - n, 0)) for s, n in zip(size, x.shape[2:], strict=True)])
    n, channels, h, w = gy.shape
    tiles = gy.reshape(n, groups, channels // groups, h // 4, 4, w // 4, 4).sum((4, 6))
    windows = np.lib.stride_tricks.sliding_window_view(x[:, :, : size[0], : size[1]], (6, 6), (2, 3))
    sums = np.empty((channels, x.shape[1] // groups, *filled))
    for p in range(0, filled[0], 3):
        for q in range(0, filled[1], 3):
            most = windows[:, :, p : p + h : 4, q : q + w : 4].max((4, 5))
            most = most.reshape(n, groups, -1, *most.shape[2:])
            squares = np.einsum("ngohw,ngchw->goc", tiles**2, most**2) * (n * h * w // 16)
            sums[:, :, p : p + 3, q : q + 3] = squares.reshape(*sums.shape[:2], 1, 1) ** 0.5
    return sums[:, :, : kernel[0], : kernel[1]]


def planned_tile(plan):
    """The outputs along a side of a plan's tiles."""
    return int(plan.kernel.removeprefix("winograd").partition("_")[0])


def promised(x, w, padding, groups=1, sums_of=tile_sums, tiles=None):
    """Those sums over the tiles that may be taken: of 2x2 outputs below 32 channels; above, either."""
    out = outputs(x, w, padding)
    tiles = tiles or ((2, 4) if w.shape[1] >= 32 else (2,))
    every = [sums_of(x, w, padding, groups, tile)[:, :, : out[0], : out[1]] for tile in tiles]
    return np.max(every, 0)


def fft_blocks(plan, kernel, size):
    """Pairs of tiles, each as slices of the outputs: what rounds together (engines/fft.c)."""
    points = [int(n) for n in plan.kernel.split("_")[-1].split("x")]
    lanes = {"avx512": 16, "avx2": 8}.get(plan.kernel.split("_")[2], 4)
    most = [n - k + 1 for n, k in zip(points, kernel, strict=True)]
    height = -(-size[0] // -(-size[0] // most[0]))
    width = -(-size[1] // -(-size[1] // most[1]))
    width = min(most[1], -(-width // lanes) * lanes)
    tiles = [np.s_[..., i : i + height, j : j + width]
             for i in range(0, size[0], height) for j in range(0, size[1], width)]
    return [tiles[i : i + 2] for i in range(0, len(tiles), 2)]
