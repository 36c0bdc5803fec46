"""Numbers as a reader wants them."""

__all__ = ["byte_count", "duration", "rate", "score"]

_MINUTE, _HOUR = 60, 3600


def duration(seconds: float | None) -> str:
    """As in "0.25 s", "4.1 s", "12 s", "3.5 min" or "2.6 h"; a dash for never."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 10:  # noqa: PLR2004 - two digits are enough, here and below
        return f"{seconds:.1f} s"
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 1.5 * _HOUR:
        return (
            f"{seconds / _MINUTE:.2g} min" if seconds < 10 * _MINUTE else f"{seconds / 60:.0f} min"
        )
    return f"{seconds / _HOUR:.2g} h"


def rate(bits: float) -> str:
    """As in "250 bit/s", "5.5 kbit/s" or "1 Mbit/s"."""
    for unit, size in (("Mbit/s", 1e6), ("kbit/s", 1e3)):
        if bits >= size:
            return f"{bits / size:.3g} {unit}"
    return f"{bits:g} bit/s"


def byte_count(count: float) -> str:
    """As in "405 B" or "12.3 kB"."""
    return f"{count:.0f} B" if count < 10_000 else f"{count / 1000:.1f} kB"  # noqa: PLR2004


def score(value: float | None) -> str:
    """MS-SSIM in two digits, as in ".79"; a dash for nothing."""
    return "–" if value is None else f"{value:.2f}".lstrip("0")
