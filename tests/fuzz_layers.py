"""Throws random and mutated bytes at the decoders of pictures, text and maps.

    python -m tests.fuzz_layers --inputs 20000      five times as many texts and maps

Each input must decode to something within the limits or raise a typed error, in two seconds of one
core and 200 MB. Prints how many did which, how long the slowest took and how much memory the
largest; ends with a traceback at the first that broke a rule.
"""

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from misc_shared.codec import Base, ImageDecoder, ImageEncoder, Reference
from misc_shared.codec.layout import MAX_SIDE as MAX_PICTURE_SIDE
from misc_shared.errors import RemoteError
from misc_shared.maps import MAX_SIDE, decode_maps, encode_maps
from misc_shared.packs import load_pack
from misc_shared.semantics import MAX_ITEMS, MAX_TEXT_CHARACTERS, Item, Semantics
from misc_shared.text import TextCoder

MOST_MILLISECONDS = 2000
MOST_MEGABYTES = 200

_TEXTS = (
    Semantics((Item("dog", "brown, large, center"),), "A dog runs through the grass."),
    Semantics((Item("Blue Hair", "flowing"),) * MAX_ITEMS, "zyxquark, " * 20),
    Semantics(caption="xq" * 1000),
    Semantics((Item("犬"),), "草地上的狗"),
)
_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")

Input = TypeVar("Input")
Layers = tuple[bytes, ...]
Picture = tuple[Layers, Reference | None]


def inputs(seeds: Sequence[bytes], count: int, *, seed: int) -> Iterator[bytes]:
    """Yield random bytes, and what real layers become in bad hands."""
    chance = random.Random(seed)
    for _ in range(count):
        yield damage(chance.choice(seeds), chance)


def damage(layer: bytes, chance: random.Random) -> bytes:
    """Replace, cut, lengthen or change a layer."""
    data = bytearray(layer or b"\0")
    match chance.randrange(6):
        case 0:
            data = bytearray(chance.randbytes(chance.randrange(64)))
        case 1:
            data[:1] = bytes([chance.randrange(0xF6, 0x100)])
        case 2:
            del data[chance.randrange(len(data)) :]
        case 3:
            data += chance.randbytes(chance.randrange(400))
        case _:
            for _ in range(chance.randrange(1, 6)):
                data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def damage_picture(picture: Picture, chance: random.Random) -> Picture:
    """Damage one layer, its end above all, the header, or the order of the layers."""
    layers, reference = list(picture[0]), picture[1]
    victim = chance.randrange(len(layers))
    match chance.randrange(40):
        case 0:
            layers[0] = chance.randbytes(4) + layers[0][4:]
        case 1 | 2:
            chance.shuffle(layers)
        case 3 | 4:
            layers = layers[:victim] + layers[victim:] * chance.randrange(3)
        case number if number < 20:  # an error late in a layer is found late
            data = bytearray(layers[victim] or b"\0")
            data[-chance.randrange(1, 1 + min(8, len(data)))] = chance.randrange(256)
            layers[victim] = bytes(data)
        case _:
            # Most damaged headers are refused at once: leave this one alone.
            kept = 0 if victim else 4
            layers[victim] = layers[victim][:kept] + damage(layers[victim][kept:], chance)
    return tuple(layers), reference


def fuzz_image(count: int, *, seed: int) -> Counter[str]:
    """Decode `count` damaged pictures and deltas; return how many ended how."""
    component = load_pack("nano").component("codec")
    seeds = _pictures(ImageEncoder(component, threads=1))
    decoder = ImageDecoder(component, threads=1)
    chance = random.Random(seed)

    def check(picture: Picture) -> None:
        layers, reference = picture
        shape = decoder.decode(layers, reference=reference).pixels.shape
        assert max(shape) <= MAX_PICTURE_SIDE

    return _run(check, (damage_picture(chance.choice(seeds), chance) for _ in range(count)))


def _pictures(encoder: ImageEncoder) -> list[Picture]:
    """Encode noise, a ramp and a flat picture, and deltas from one to the other."""
    noise = np.random.default_rng(0).integers(0, 256, (100, 150, 3), dtype=np.uint8)
    ramp = np.broadcast_to(np.linspace(0, 255, 150, dtype=np.uint8)[:, None], noise.shape).copy()
    found: list[Picture] = []
    for first, second in ((noise, ramp), (ramp, noise), (np.full_like(noise, 90), noise)):
        for quality in (3, 18, 31):
            key = encoder.encode(first, quality=quality, scale_index=0)
            found.append((key.layers, None))
            for join in (0, 1 << 16):
                delta = encoder.encode_delta(second, Base(key.reference, 7), join=join)
                if delta is not None:
                    found.append((delta.layers, key.reference))
    return found


def try_largest(count: int, *, seed: int) -> Counter[str]:
    """Decode the most that a header may ask for, undamaged; `count` is how often."""
    component = load_pack("nano").component("codec")
    encoder, decoder = ImageEncoder(component, threads=1), ImageDecoder(component, threads=1)
    noise = np.random.default_rng(seed).integers(0, 256, (2, 1024, 1536, 3), dtype=np.uint8)
    key = encoder.encode(noise[0], quality=31, scale_index=0)  # 24 x 16 cells
    delta = encoder.encode_delta(noise[1], Base(key.reference, 7))
    giant = np.tile(noise[0], (4, 3, 1))[:MAX_PICTURE_SIDE, :MAX_PICTURE_SIDE]
    cases: list[Picture] = [
        (key.layers, None),
        (delta.layers if delta else (), key.reference),
        (encoder.encode(giant, quality=31).layers, None),
    ]

    def check(picture: Picture) -> None:
        decoder.decode(picture[0], reference=picture[1])

    return _run(check, (case for _ in range(count) for case in cases))


def fuzz_text(count: int, *, seed: int) -> Counter[str]:
    """Decode `count` inputs as text layers; return how many ended how."""
    coder = TextCoder(load_pack("nano").component("text"))

    def check(data: bytes) -> None:
        semantics = coder.decode(data)
        texts = [text for item in semantics.items for text in (item.name, item.detail)]
        assert len(semantics.items) <= MAX_ITEMS
        assert sum(map(len, [*texts, semantics.caption])) <= MAX_TEXT_CHARACTERS

    return _run(check, inputs([coder.encode(text) for text in _TEXTS], count, seed=seed))


def fuzz_maps(count: int, *, seed: int) -> Counter[str]:
    """Decode `count` inputs as map layers; return how many ended how."""
    noise = np.random.default_rng(seed)
    shapes = ((8, 8), (16, 16), (32, 32), (5, 7))
    seeds = [encode_maps([noise.random(shape) < 0.3 for _ in range(3)]) for shape in shapes]

    def check(data: bytes) -> None:
        maps = decode_maps(data)
        assert len(maps) <= MAX_ITEMS
        assert all(max(one.shape) <= MAX_SIDE for one in maps)

    return _run(check, inputs(seeds, count, seed=seed))


def _run(check: Callable[[Input], None], cases: Iterator[Input]) -> Counter[str]:
    ends: Counter[str] = Counter()
    for case in cases:
        before = _forget_peak()
        began = time.process_time()
        try:
            check(case)
        except RemoteError as error:
            ends[type(error).__name__] += 1
        else:
            ends["decoded"] += 1
        milliseconds = int((time.process_time() - began) * 1000)
        ends["slowest, ms"] = max(ends["slowest, ms"], milliseconds)
        ends["largest, MB"] = max(ends["largest, MB"], _memory("VmHWM:") - before)
        assert ends["slowest, ms"] <= MOST_MILLISECONDS, case
        assert ends["largest, MB"] <= MOST_MEGABYTES, case
    return ends


def _forget_peak() -> int:
    """Start anew to watch this process's most memory; return its present memory in MB."""
    if _CLEAR.exists():
        _CLEAR.write_text("5")
    return _memory("VmRSS:")


def _memory(name: str) -> int:
    """Read a figure of /proc/self/status in MB; 0 where there is none."""
    if not _STATUS.exists():
        return 0
    words = _STATUS.read_text().split()
    return int(words[words.index(name) + 1]) // 1024


def main() -> None:
    """Fuzz all decoders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000, help="pictures")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    runs = ((try_largest, 1), *((fuzz, 5 * options.inputs) for fuzz in (fuzz_maps, fuzz_text)))
    for fuzz, count in (*runs, (fuzz_image, options.inputs)):
        print(fuzz.__name__, count, dict(fuzz(count, seed=options.seed)), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
