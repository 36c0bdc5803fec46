"""Serial-number arithmetic of 16-bit frame ids. Source: RFC 1982."""

__all__ = ["FRAME_ID_BITS", "precedes", "unwrap"]

FRAME_ID_BITS = 16
_MODULUS = 1 << FRAME_ID_BITS
_HALF = _MODULUS >> 1


def precedes(first: int, second: int) -> bool:
    """Whether frame id `first` is older than `second`.

    RFC 1982 leaves a distance of exactly half the numbers undefined; here it precedes neither way.
    """
    return 0 < (second - first) % _MODULUS < _HALF


def unwrap(frame_id: int, *, near: int) -> int:
    """The whole number that is `frame_id` modulo 2**16 and lies nearest to `near`.

    Never negative: no frame is older than its epoch.
    """
    distance = (frame_id - near + _HALF) % _MODULUS - _HALF
    number = near + distance
    return number if number >= 0 else number + _MODULUS
