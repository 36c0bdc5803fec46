"""Sizes as people write them: 500MB, 2GiB."""

from __future__ import annotations

import re

from misc_shared.errors import ConfigError

__all__ = ["parse_size"]

_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?) ?([kKMGT]?)(i?)B?", re.ASCII)
_POWERS = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4}


def parse_size(option: str, text: str) -> int | None:
    """Read a number of bytes: "800000", "500MB" of 1000s, "2GiB" of 1024s; None for "none".

    Args:
        option: who asks, for the message.
        text: what the user wrote.

    Raises:
        ConfigError: it is no size, or zero.
    """
    if text == "none":
        return None
    match = _SIZE.fullmatch(text)
    nbytes = 0
    if match is not None:
        number, prefix, binary = match.groups()
        nbytes = int(float(number) * (1024 if binary else 1000) ** _POWERS[prefix])
    if nbytes < 1:
        raise ConfigError(f"{option} {text!r} is no size: expected one such as 500MB, 2GiB or none")
    return nbytes
