"""What a process holds: memory, blocks of Python's allocator, and objects by type."""

from __future__ import annotations

import gc
import os
import sys
from collections import Counter
from typing import Any

from misc_lab.fleet.measuring import resident_bytes

__all__ = ["Census", "grown", "take_census"]

Census = dict[str, Any]


def take_census() -> Census:
    """Count what is alive, after a collection.

    Returns:
        "rss_mb": resident memory. "blocks": small blocks of memory that Python holds, of whatever
        type. "objects": type -> number of those objects that refer to others, as far as Python's
        collector follows them; ours by their whole name.
    """
    gc.collect()
    objects = Counter(_name(type(one)) for one in gc.get_objects())
    return {
        "rss_mb": round(resident_bytes(os.getpid()) / 1e6, 2),
        "blocks": sys.getallocatedblocks(),
        "objects": dict(objects),
    }


def grown(before: Census, after: Census, *, least: int = 25) -> dict[str, tuple[int, int]]:
    """Types of which there are more, by `least` at least: (before, after), most first."""
    old, new = before["objects"], after["objects"]
    more = {name: (old.get(name, 0), count) for name, count in new.items()}
    ranked = sorted(more.items(), key=lambda item: item[1][0] - item[1][1])
    return {name: pair for name, pair in ranked if pair[1] - pair[0] >= least}


def _name(kind: type) -> str:
    # Types made in C may have a descriptor where others have the module's name.
    ours = str(kind.__module__).startswith("misc_")
    return f"{kind.__module__}.{kind.__qualname__}" if ours else kind.__qualname__
