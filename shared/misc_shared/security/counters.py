"""What a seal has taken and refused, by cause."""

from __future__ import annotations

from dataclasses import dataclass, fields

from misc_shared.security.forms import is_plain
from misc_shared.security.window import Verdict

__all__ = ["SealCounters"]


@dataclass(slots=True)
class SealCounters:
    """Datagrams by what became of them, and bytes that sealing cost beside each one's own share.

    Attributes:
        opened: verified, new, and handed on or acted upon.
        plain: not sealed at all.
        short: too short to be sealed.
        unknown: in the short form, before the other end introduced itself.
        forged: does not verify: altered, cut off, or sealed with another key.
        replayed: verified, but came before.
        outdated: verified, but older than the window, or not known to be fresh.
        introduction_bytes: bytes that our introductions cost beyond the short form.
        heard_introduction_bytes: the same for those of the other end that were taken.
    """

    opened: int = 0
    plain: int = 0
    short: int = 0
    unknown: int = 0
    forged: int = 0
    replayed: int = 0
    outdated: int = 0
    introduction_bytes: int = 0
    heard_introduction_bytes: int = 0

    @property
    def rejected(self) -> dict[str, int]:
        """The causes that occurred, and how often."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            cause: count
            for cause, count in found.items()
            if count and cause != "opened" and not cause.endswith("_bytes")
        }

    def shapeless(self, datagram: bytes) -> None:
        """Count what has neither form of a sealed datagram."""
        if is_plain(datagram):
            self.plain += 1
        else:
            self.short += 1

    def judged(self, verdict: Verdict) -> bool:
        """Count what was verified; returns whether it is new."""
        match verdict:
            case Verdict.NEW:
                self.opened += 1
            case Verdict.REPLAYED:
                self.replayed += 1
            case Verdict.OUTDATED:
                self.outdated += 1
        return verdict is Verdict.NEW
