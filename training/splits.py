"""The one split of Flickr8k that every recipe and every measurement keeps.

The 1,000 images whose name has the lowest SHA-256 are the development images: no recipe trains
on them. The rule needs no list to be kept in step with the data: the threshold below is the
1,000th lowest digest of the 7,091 names, so membership follows from a name alone.
"""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath

__all__ = ["DEVELOPMENT_IMAGES", "is_development"]

DEVELOPMENT_IMAGES = 1000
"""How many of the 7,091 Flickr8k images the rule keeps out of training."""

# The 1,000th lowest SHA-256 among the names without folder and suffix.
_LAST_DIGEST = "24eb39594ad5f11d9183de24a458f84fc43994233f75eb81892a1cc1d596ecf9"


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
