"""Throws random and mutated bytes at the text and the map decoder.

    python tests/fuzz_layers.py --inputs 100000

Each input must decode to something within the limits or raise a typed error. Prints how many did
which, and how long the slowest took; ends with a traceback at the first that did neither.
"""

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

from misc_shared.errors import RemoteError
from misc_shared.maps import MAX_SIDE, decode_maps, encode_maps
from misc_shared.packs import load_pack
from misc_shared.semantics import MAX_ITEMS, MAX_TEXT_CHARACTERS, Item, Semantics
from misc_shared.text import TextCoder

_TEXTS = (
    Semantics((Item("dog", "brown, large, center"),), "A dog runs through the grass."),
    Semantics((Item("Blue Hair", "flowing"),) * MAX_ITEMS, "zyxquark, " * 20),
    Semantics(caption="xq" * 1000),
    Semantics((Item("犬"),), "草地上的狗"),
)


def inputs(seeds: list[bytes], count: int, *, seed: int) -> Iterator[bytes]:
    """Yield random bytes, and what real layers become in bad hands."""
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(seeds))
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
        yield bytes(data)


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


def _run(check: Callable[[bytes], None], cases: Iterator[bytes]) -> Counter[str]:
    ends: Counter[str] = Counter()
    for data in cases:
        began = time.process_time()
        try:
            check(data)
        except RemoteError as error:
            ends[type(error).__name__] += 1
        else:
            ends["decoded"] += 1
        milliseconds = int((time.process_time() - began) * 1000)
        ends["slowest, ms"] = max(ends["slowest, ms"], milliseconds)
    return ends


def main() -> None:
    """Fuzz both decoders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="for each decoder")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for fuzz in (fuzz_maps, fuzz_text):
        print(fuzz.__name__, dict(fuzz(options.inputs, seed=options.seed)))  # noqa: T201


if __name__ == "__main__":
    main()
