"""Whether a run of `misc-recv` gave what was asked of it: a reporter that judges what it hears."""

from __future__ import annotations

from collections import Counter

from misc_receiver.reports import LayerLost, PictureReady, ReceptionEnded
from misc_shared.errors import ConfigError, NotDeliveredError
from misc_shared.reports import Report

__all__ = ["Outcome"]


class Outcome:
    """Counts pictures, and why there are none.

    Attributes:
        pictures: that could be shown, refinements included.
    """

    def __init__(self) -> None:
        self.pictures = 0
        self._datagrams = 0
        self._rejected: Counter[str] = Counter()
        self._reason: str | None = None

    def report(self, report: Report) -> None:
        """Take in one report."""
        match report:
            case PictureReady():
                self.pictures += 1
            case LayerLost():
                self._reason = self._reason or report.reason
            case ReceptionEnded():
                self._datagrams += report.datagrams
                self._rejected.update(report.rejected)

    def close(self) -> None:
        """Do nothing."""

    def check(self, *, place: str, not_written: str | None = None) -> None:
        """Say why a run that has ended by itself has failed, if it has.

        Args:
            place: where the streams came from.
            not_written: why pictures that came are not all in their folder, or None.

        Raises:
            ConfigError: a key is missing, or is not that of a recording.
            NotDeliveredError: no picture came.
        """
        if self.pictures:
            if not_written is not None:
                raise ConfigError(f"not all pictures were written: {not_written}")
            return
        if self._rejected["sealed"] and not self._datagrams:
            raise ConfigError(f"{place} is sealed: give --key FILE with its key")
        if self._rejected["forged"] and not self._datagrams:
            raise ConfigError(
                f"nothing in {place} opens with this key: give that of its stream (--key), and its "
                "name if it was sent under another one (--stream)"
            )
        raise NotDeliveredError(f"no picture came from {place}: {self._why()}")

    def _why(self) -> str:
        if self._reason is not None:
            return self._reason
        refused = ", ".join(f"{count} {cause}" for cause, count in self._rejected.items() if count)
        said = f"{self._datagrams} datagrams were in order"
        return f"{said}, refused were {refused}" if refused else said
