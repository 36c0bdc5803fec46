"""What a machine of another kind makes of the golden bitstreams, and whether this one agrees.

    python -m tests.shared.codec.elsewhere there FOLDER   on the other machine: decodes and encodes
    python -m tests.shared.codec.elsewhere here FOLDER    on this one: compares, prints a summary

Integers must be the same: those read there from the golden bitstreams, and those that this machine
reads from what the other one encoded. Pixels come from floating point and may differ by a little.
"""

import argparse
import json
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from tests.shared.codec.golden import BUDGETS, digests, entries, pack_layers, unpack_layers

from misc_shared.codec import ImageDecoder, ImageEncoder
from misc_shared.codec.reader import LayerReader, digest_integers
from misc_shared.packs import Component, load_pack

# An emulator takes minutes for large pictures, and small ones hold the same operations.
_SMALL = 150
_SCALE_INDEX = 6
_QUALITIES = (4, 31)


def versions() -> dict[str, str]:
    """Say what this process runs on."""
    return {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "onnxruntime": ort.__version__,
    }


def pictures(component: Component) -> dict[str, np.ndarray[Any, np.dtype[np.uint8]]]:
    """Decode the smallest golden bitstream of each photograph."""
    decoder = ImageDecoder(component)
    return {
        entry["photo"]: decoder.decode(unpack_layers(entry)).pixels
        for entry in entries()
        if entry["budget"] == _SMALL and "base" not in entry
    }


def work(folder: Path, component: Component, most: int) -> None:
    """Decode the golden bitstreams, and encode anew what they show; write what comes out."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = pictures(component)
    np.savez(folder / "pictures.npz", allow_pickle=False, **shown)
    encoder = ImageEncoder(component)
    encoded = []
    for picture in shown.values():
        for quality in _QUALITIES:
            key = encoder.encode(picture, quality=quality, scale_index=_SCALE_INDEX)
            digest = digest_integers(key.integers)
            encoded.append({"layers": pack_layers(key.layers), "sha256": digest})
    report = {"versions": versions(), "golden": digests(component, most=most), "encoded": encoded}
    (folder / "report.json").write_text(json.dumps(report))


def compare(folder: Path, component: Component, emulator: str, most: int) -> dict[str, Any]:
    """Hold the other machine's report against this machine.

    Returns:
        A summary, "agree" in it.
    """
    report = json.loads((folder / "report.json").read_text())
    reader = LayerReader(component)
    golden = [entry["sha256"] for entry in entries() if entry["budget"] <= most]
    read_here = [reader.digest(unpack_layers(entry)) for entry in report["encoded"]]
    written_there = [entry["sha256"] for entry in report["encoded"]]
    with np.load(folder / "pictures.npz") as there:
        apart = max(
            int(np.abs(here.astype(int) - there[photo]).max())
            for photo, here in pictures(component).items()
        )
    return {
        "agree": report["golden"] == golden and read_here == written_there,
        "there": report["versions"] | {"emulator": emulator},
        "here": versions(),
        "codec": component.digest.hex(),
        "golden_read_there": report["golden"],
        "golden_here": golden,
        "encoded_there": written_there,
        "encoded_there_read_here": read_here,
        "largest_pixel_difference": apart,
    }


def main() -> None:
    """Work, or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["there", "here"])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--most", type=int, default=max(BUDGETS), help="largest budget of golden bitstreams, bytes"
    )
    parser.add_argument("--emulator", default="none", help="what to call it in the summary")
    parser.add_argument("--out", type=Path, help="write the summary here too")
    options = parser.parse_args()
    component = load_pack().component("codec")
    if options.part == "there":
        work(options.folder, component, options.most)
        return
    summary = compare(options.folder, component, options.emulator, options.most)
    text = json.dumps(summary, indent=1)
    if options.out:
        options.out.write_text(text + "\n")
    print(text)  # noqa: T201 - what it is for
    if not summary["agree"]:
        sys.exit("the integers differ")


if __name__ == "__main__":
    main()
