"""The one split of Flickr8k that every recipe and every measurement keeps.

The 1,000 images whose name has the lowest SHA-256 are the development images: no recipe trains
on them. The rule needs no list to be kept in step with the data: the threshold below is the
1,000th lowest digest of the 7,091 names, so membership follows from a name alone.

`python -m training.splits --data DIR --out FOLDER` writes the development images to a folder, for
`misc-bench semantics FOLDER`.
"""

from __future__ import annotations

import argparse
import hashlib
import tarfile
from pathlib import Path, PurePosixPath

__all__ = ["DEVELOPMENT_IMAGES", "extract_development", "is_development"]

DEVELOPMENT_IMAGES = 1000
"""How many of the 7,091 Flickr8k images the rule keeps out of training."""

# The 1,000th lowest SHA-256 among the names without folder and suffix.
_LAST_DIGEST = "24eb39594ad5f11d9183de24a458f84fc43994233f75eb81892a1cc1d596ecf9"

# First bytes of digests that keep a photograph for validation, of 256.
_VALIDATION_BYTES = 8


def is_development(image_name: str) -> bool:
    """Tell whether a Flickr8k image is kept for measuring only.

    Args:
        image_name: its name with or without folder and suffix, such as
            "flickr8k/1000268201_693b08cb0e.webp"; a name in another folder is never one.

    Returns:
        True for the 1,000 development images.
    """
    path = PurePosixPath(image_name)
    if path.parent.name not in {"", "flickr8k"}:
        return False
    return hashlib.sha256(path.stem.encode()).hexdigest() <= _LAST_DIGEST


def is_for_training(photo_name: str) -> bool:
    """Tell whether the codec may be trained on a picture of photos-*.tar.

    Args:
        photo_name: its name in the tar, such as "clic2025/00006_2.webp".

    Returns:
        False for one in 33: `training.codec_eval` chooses on those.
    """
    return hashlib.sha256(photo_name.encode()).digest()[0] >= _VALIDATION_BYTES


def extract_development(data: Path, out: Path) -> int:
    """Write the development images to a folder, and return how many there are.

    Args:
        data: folder with the tars of Flickr8k.
        out: made if absent.
    """
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    for tar in sorted(data.glob("flickr8k-*.tar")):
        with tarfile.open(tar) as archive:
            for member in archive:
                stored = archive.extractfile(member)
                if stored is not None and is_development(member.name):
                    (out / PurePosixPath(member.name).name).write_bytes(stored.read())
                    count += 1
    return count


def main() -> None:
    """Extract."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the tars")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    options = parser.parse_args()
    print(extract_development(options.data, options.out), "images")


if __name__ == "__main__":
    main()
