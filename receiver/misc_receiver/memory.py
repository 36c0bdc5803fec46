"""Keeps memory that networks use again and again, in place of giving it back each time.

A network on the CPU allocates and frees the same tens of megabytes layer by layer. Where the C
library returns them to the system in between, every layer pays for page faults and zeroed pages:
a tenth of a refinement here, most of it on machines where these are slow.
"""

from __future__ import annotations

import ctypes

__all__ = ["keep_memory"]

# mallopt's parameters, from glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_KEPT = 1 << 30
_GROWTH = 64 << 20


def keep_memory() -> bool:
    """Tell glibc's malloc to keep up to a gigabyte of freed memory and to take more in large parts.

    Does what MALLOC_MMAP_MAX_=0, MALLOC_TRIM_THRESHOLD_ and MALLOC_TOP_PAD_ in the environment do.

    Returns:
        Whether it could be told; other C libraries have no such call, and nothing is changed.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    mallopt.argtypes, mallopt.restype = (ctypes.c_int, ctypes.c_int), ctypes.c_int
    told = [
        mallopt(*pair) for pair in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _KEPT), (_TOP_PAD, _GROWTH))
    ]
    return all(told)
