"""What a person at a terminal sees."""

import io

from misc_receiver.reports import (
    FrameEnded,
    ItemSaid,
    LayerLost,
    PictureReady,
    ReceptionEnded,
    TextSaid,
)
from misc_receiver.sinks.terminal import Terminal
from misc_shared.reports import Report
from misc_shared.terminal_text import Console


def _shown(*reports: Report) -> str:
    drawn = io.StringIO()
    terminal = Terminal(Console(file=drawn, width=200))
    for report in reports:
        terminal.report(report)
    terminal.close()
    return drawn.getvalue()


def test_a_generated_picture_has_a_badge() -> None:
    """And the coarse one has not."""
    picture = {"frame": "f", "width": 9, "height": 9, "layers": 1}
    assert "generated" in _shown(
        PictureReady(kind="refined", coding="key", generated=True, **picture)
    )
    assert "generated" not in _shown(
        PictureReady(kind="coarse", coding="delta", generated=False, **picture)
    )


def test_words_from_outside_cannot_touch_the_terminal() -> None:
    """Neither escape codes nor markup of a hostile sender have any effect."""
    hostile = "\x1b[2J[/red]\x07 a [bold]dog \\[b]\\"
    shown = _shown(
        TextSaid(frame="f", items=[ItemSaid(name="x")], caption=hostile),
        LayerLost(frame="f", layer="text", reason=hostile),
    )
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert shown.count("[/red]") == 2
    assert shown.count("[bold]dog") == 2


def test_what_went_wrong_and_the_sum_of_it() -> None:
    """Missing layers by name, numbers with their nouns."""
    end = ReceptionEnded(
        frames=1, datagrams=3, bytes=250, duplicates=0, refused=0, bad_layers=0, missing_bases=0
    )
    shown = _shown(FrameEnded(frame="f", missing=("maps",)), end)
    assert "f ended without maps" in shown
    assert "1 frame, 250 bytes in 3 datagrams" in shown
