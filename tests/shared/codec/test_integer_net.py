"""The entropy nets are exact: the same as plain integer loops, in any order of summation."""

import numpy as np
from numpy.typing import NDArray

from misc_shared.codec.integer_net import ACTIVATION_LIMIT, SCALE_COUNT, IntegerNet
from misc_shared.codec.layout import LATENT_CHANNELS, PHASES


def _random_arrays(layer: int, rng: np.random.Generator) -> dict[str, NDArray[np.generic]]:
    own, coarser = LATENT_CHANNELS[layer] + 1, sum(LATENT_CHANNELS[:layer])

    def weights(*shape: int) -> NDArray[np.generic]:
        return rng.integers(-32767, 32768, shape).astype(np.int16)

    arrays = {
        "own": weights(3, 3, 64, own),
        "coarser": weights(3, 3, 64, coarser),
        "first_bias": rng.integers(-(2**20), 2**20, (32, 64)).astype(np.int32),
        "second": weights(3, 3, 64, 64),
        "second_bias": rng.integers(-(2**30), 2**30, (64, 1, 1)).astype(np.int32),
        "last": weights(2 * LATENT_CHANNELS[layer], 64),
        "last_bias": rng.integers(-(2**30), 2**30, (2 * LATENT_CHANNELS[layer], 1)).astype(
            np.int32
        ),
        "shifts": np.array([5, 12, 16, 19], np.int8),
    }
    return {f"net{layer}.{name}": value for name, value in arrays.items()}


def _reference(
    arrays: dict[str, NDArray[np.generic]], known: list[list[list[int]]], quality: int
) -> list[list[list[int]]]:
    """Activations of the first two layers in Python's own integers, [64][H][W]."""
    get = {name.split(".")[1]: value.tolist() for name, value in arrays.items()}
    shifts = get["shifts"]
    kernel = [
        [[o + c for o, c in zip(a, b, strict=True)] for a, b in zip(x, y, strict=True)]
        for x, y in zip(get["own"], get["coarser"], strict=True)
    ]
    first = _layer(known, kernel, get["first_bias"][quality], shifts[0])
    biases = [row[0][0] for row in get["second_bias"]]
    return _layer(first, get["second"], biases, shifts[1])


def _layer(
    planes: list[list[list[int]]], kernel: list[list[list[list[int]]]], bias: list[int], shift: int
) -> list[list[list[int]]]:
    height, width = len(planes[0]), len(planes[0][0])
    out = []
    for channel in range(64):
        plane = [[bias[channel]] * width for _ in range(height)]
        for y in range(height):
            for x in range(width):
                for dy in range(3):
                    for dx in range(3):
                        if 0 <= y + dy - 1 < height and 0 <= x + dx - 1 < width:
                            taps = kernel[dy][dx][channel]
                            plane[y][x] += sum(
                                tap * planes[c][y + dy - 1][x + dx - 1]
                                for c, tap in enumerate(taps)
                            )
                total = (plane[y][x] + (1 << (shift - 1))) >> shift
                plane[y][x] = min(max(total, 0), ACTIVATION_LIMIT)
        out.append(plane)
    return out


def test_agrees_with_python_integers() -> None:
    """Means and scales are those of a plain implementation without floats."""
    rng = np.random.default_rng(3)
    layer, number, quality = 1, 2, 9
    arrays = _random_arrays(layer, rng)
    net = IntegerNet.load(arrays, layer)
    own = rng.integers(-9, 10, (LATENT_CHANNELS[layer], 4, 6))
    coarser = rng.integers(-40, 41, (LATENT_CHANNELS[0], 4, 6))
    seen = np.zeros((1, 4, 6), dtype=np.int64)
    for row, column in PHASES[:number]:
        seen[:, row::2, column::2] = 1
    known = np.concatenate([own * seen, seen, np.clip(coarser, -15, 15)])
    mean, scale = net.run(net.prepare(coarser, quality, (4, 6)), own * seen, number)

    hidden = _reference(arrays, known.tolist(), quality)
    row, column = PHASES[number]
    last = arrays[f"net{layer}.last"].tolist()
    bias = arrays[f"net{layer}.last_bias"].tolist()
    channels = LATENT_CHANNELS[layer]
    for channel in range(channels):
        for y in range(2):
            for x in range(3):
                at = [plane[row + 2 * y][column + 2 * x] for plane in hidden]
                sums = [
                    sum(w * a for w, a in zip(last[o], at, strict=True)) + bias[o][0]
                    for o in (channel, channels + channel)
                ]
                assert mean[channel, y, x] == (sums[0] + (1 << 15)) >> 16
                expected = min(max((sums[1] + (1 << 18)) >> 19, 0), SCALE_COUNT - 1)
                assert scale[channel, y, x] == expected
