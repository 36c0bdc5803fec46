"""Files of refined pictures say so in the terms that other programs read."""

import io
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from misc_receiver.sinks.pictures import PictureFolder
from misc_receiver.sinks.provenance import GENERATED, xmp_packet

LABEL = {
    "DigitalSourceType": GENERATED,
    "Refiner": "nano",
    "RefinerDigest": "00ff00ff00ff00ff",
    "Seed": "7",
    "Steps": "2 of 2",
    "Odd": 'quotes " and <brackets> & "犬"',
}
TERM = f"http://cv.iptc.org/newscodes/digitalsourcetype/{GENERATED}"


def _description(image: Image.Image) -> dict[str, str]:
    found: dict[str, str] = image.getxmp()["xmpmeta"]["RDF"]["Description"]
    return found


def test_a_png_has_it_as_xmp(tmp_path: Path, small_photo: NDArray[np.uint8]) -> None:
    """Pillow reads back IPTC's term, the models' hash, the seed and the steps."""
    folder = PictureFolder(tmp_path)
    path = folder.save(small_photo, stream="a", frame="f", kind="refined", label=LABEL)
    with Image.open(path) as image:
        image.load()
        said = _description(image)
    assert said["DigitalSourceType"] == TERM
    assert {key: said[key] for key in LABEL if key != "DigitalSourceType"}.items() <= LABEL.items()


def test_a_coarse_picture_claims_nothing(tmp_path: Path, small_photo: NDArray[np.uint8]) -> None:
    """Nothing of it was invented."""
    path = PictureFolder(tmp_path).save(small_photo, stream="a", frame="f", kind="coarse")
    with Image.open(path) as image:
        image.load()
        assert "DigitalSourceType" not in _description(image)


def test_the_same_packet_serves_jpeg(small_photo: NDArray[np.uint8]) -> None:
    """As its XMP segment."""
    file = io.BytesIO()
    Image.fromarray(small_photo).save(file, "JPEG", xmp=xmp_packet(LABEL).encode())
    with Image.open(file) as image:
        assert _description(image)["DigitalSourceType"] == TERM


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_exiftool_agrees(tmp_path: Path, small_photo: NDArray[np.uint8]) -> None:
    """The program that archives use finds the same, in its own words."""
    folder = PictureFolder(tmp_path)
    path = folder.save(small_photo, stream="a", frame="f", kind="refined", label=LABEL)
    command = ["exiftool", "-j", "-n", "-G1", "-XMP:all", "-validate", "-warning", str(path)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    (said,) = json.loads(ended.stdout)
    assert said["XMP-iptcExt:DigitalSourceType"] == TERM
    assert said["XMP-misc:Odd"] == LABEL["Odd"]
    assert not [key for key in said if key.endswith("Warning")]
