"""Reports as lines of JSON, where there is room for them and where there is not."""

import contextlib
import io
import json
import logging
from pathlib import Path

import pytest

from misc_shared.reports import JsonLines, Report


class Counted(Report, tag="counted", frozen=True, kw_only=True):
    """A report with a number.

    Attributes:
        number: the number.
    """

    number: int


def test_a_line_for_each() -> None:
    """Named by its event."""
    stream = io.StringIO()
    JsonLines(stream).report(Counted(number=3))
    assert json.loads(stream.getvalue()) == {"event": "counted", "number": 3}


def test_a_full_disk_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Reports get lost, which is told once, and the program goes on."""
    caplog.set_level(logging.WARNING)
    with contextlib.suppress(OSError), Path("/dev/full").open("w") as stream:
        lines = JsonLines(stream)
        for number in range(5000):
            lines.report(Counted(number=number))
        assert len(caplog.messages) == 1
        assert "No space left on device" in caplog.text
