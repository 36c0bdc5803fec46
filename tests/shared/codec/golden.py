"""Golden bitstreams of the embedded pack, and what integers they decode to.

`python tests/shared/codec/golden.py` prints the digests that this process finds, as JSON;
with `--write` it encodes the pictures anew (after a new pack) and writes golden.json.
"""

import argparse
import base64
import json
from pathlib import Path

from misc_shared.codec import ImageDecoder, ImageEncoder
from misc_shared.packs import Component, load_pack

GOLDEN = Path(__file__).with_name("golden.json")
PHOTOS = ("astronaut", "chelsea", "coffee")
BUDGETS = (150, 900, 6000)


def encode_all(component: Component) -> list[dict[str, object]]:
    """Encode the sample photographs at every budget."""
    import skimage.data

    encoder, decoder = ImageEncoder(component), ImageDecoder(component)
    entries: list[dict[str, object]] = []
    for photo in PHOTOS:
        for budget in BUDGETS:
            layers = encoder.encode(getattr(skimage.data, photo)(), max_bytes=budget).layers
            text = [base64.b85encode(layer).decode() for layer in layers]
            digest = decoder.digest(layers)
            entries.append({"photo": photo, "budget": budget, "layers": text, "sha256": digest})
    return entries


def digests(component: Component) -> list[str]:
    """Decode the stored bitstreams here and now."""
    decoder = ImageDecoder(component)
    entries = json.loads(GOLDEN.read_text())
    return [decoder.digest([base64.b85decode(t) for t in entry["layers"]]) for entry in entries]


def main() -> None:
    """Print or write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="encode anew and write golden.json")
    component = load_pack().component("codec")
    if parser.parse_args().write:
        GOLDEN.write_text(json.dumps(encode_all(component), indent=1) + "\n")
    print(json.dumps(digests(component)))  # noqa: T201 - the test reads it


if __name__ == "__main__":
    main()
