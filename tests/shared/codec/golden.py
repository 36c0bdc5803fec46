"""Golden bitstreams of the embedded pack, and what integers they decode to.

`python -m tests.shared.codec.golden` prints the digests that this process finds, one a line; with
`--write` it encodes the pictures anew (after a new pack) and writes golden.json.
"""

import argparse
import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from misc_shared.codec import Base, EncodedImage, ImageEncoder, Reference
from misc_shared.codec.reader import LayerReader, digest_integers
from misc_shared.packs import Component, load_pack

GOLDEN = Path(__file__).with_name("golden.json")
PHOTOS = ("astronaut", "chelsea", "coffee")
BUDGETS = (150, 900, 6000)
MOVE = (9, 30)


def entries() -> list[dict[str, Any]]:
    """Give the stored bitstreams.

    Each has its photograph, budget, layers and digest; a delta also the place of its base's entry.
    """
    found: list[dict[str, Any]] = json.loads(GOLDEN.read_text())
    return found


def pack_layers(layers: Sequence[bytes]) -> list[str]:
    """Write layers as JSON can hold them."""
    return [base64.b85encode(layer).decode() for layer in layers]


def unpack_layers(entry: Mapping[str, Any]) -> list[bytes]:
    """Read the layers of an entry."""
    return [base64.b85decode(text) for text in entry["layers"]]


def encode_all(component: Component) -> list[dict[str, Any]]:
    """Encode the sample photographs at every budget, and deltas against some of them."""
    import skimage.data

    encoder = ImageEncoder(component)
    made: list[dict[str, Any]] = []

    def keep(encoded: EncodedImage, **facts: str | int) -> None:
        digest = digest_integers(encoded.integers)
        made.append(facts | {"layers": pack_layers(encoded.layers), "sha256": digest})

    for photo in PHOTOS:
        picture = getattr(skimage.data, photo)()
        moved = np.roll(picture, MOVE, (0, 1))
        for budget in BUDGETS:
            key = encoder.encode(picture, max_bytes=budget)
            keep(key, photo=photo, budget=budget)
            place = len(made) - 1
            # A stream for each layer; and all layers in one, at another quality.
            for join, quality in ((0, key.quality), (1 << 16, max(0, key.quality - 3))):
                delta = encoder.encode_delta(
                    moved, Base(key.reference, place), quality=quality, join=join
                )
                if delta is None:
                    raise SystemExit(f"{photo} at {budget} bytes gives no delta")
                keep(delta, photo=photo, budget=budget, base=place)
    return made


def digests(component: Component, *, most: int = max(BUDGETS)) -> list[str]:
    """Decode the stored bitstreams of budgets up to `most` bytes here and now."""
    reader = LayerReader(component)
    references: dict[int, Reference] = {}
    found = []
    for place, entry in enumerate(entries()):
        if entry["budget"] > most:
            continue
        reference = references.get(entry.get("base", -1))
        references[place] = reader.read(unpack_layers(entry), reference=reference)
        found.append(digest_integers(references[place].integers))
    return found


def main() -> None:
    """Print or write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="encode anew and write golden.json")
    component = load_pack().component("codec")
    if parser.parse_args().write:
        GOLDEN.write_text(json.dumps(encode_all(component), indent=1) + "\n")
    print("\n".join(digests(component)))  # noqa: T201 - the test reads it


if __name__ == "__main__":
    main()
