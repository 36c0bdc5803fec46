"""Words as numbers: each word falls into one of a few thousand buckets by its hash.

A hash needs no vocabulary to ship and knows every word of every language; words that share a
bucket share an embedding, which costs a little detail and nothing else.
"""

from __future__ import annotations

import re
import zlib

__all__ = ["PADDING", "word_buckets"]

PADDING = 0
"""The bucket that no word falls into."""

_WORD = re.compile(r"\w+")


def word_buckets(text: str, *, buckets: int, limit: int) -> list[int]:
    """Give the buckets of a text's first words.

    Args:
        text: any text; case and punctuation do not count.
        buckets: size of the table, `PADDING` included.
        limit: words beyond this many are dropped.

    Returns:
        At most `limit` numbers in 1..buckets - 1, in the order of the words.
    """
    words = _WORD.findall(text.casefold())[:limit]
    return [1 + zlib.crc32(word.encode()) % (buckets - 1) for word in words]
