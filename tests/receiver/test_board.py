"""What a person sees of many streams."""

import io

from misc_receiver.reports import (
    FrameEnded,
    LayerArrived,
    ListeningStarted,
    PictureReady,
    ReceptionEnded,
    ReceptionStarted,
    StreamRefused,
    StreamStale,
    TextSaid,
)
from misc_receiver.sinks.board import Board
from misc_shared.reports import Report
from misc_shared.terminal_text import Console

PICTURE = {"coding": "key", "width": 9, "height": 9, "layers": 1, "generated": False}
END = dict.fromkeys(
    ("frames", "datagrams", "bytes", "duplicates", "refused", "bad_layers", "missing_bases"), 0
)


class Watched:
    """A board whose clock stands where it is set."""

    def __init__(self, *reports: Report) -> None:
        self.now = 0.0
        drawn = Console(file=io.StringIO(), width=160)
        self.board = Board(drawn, clock=lambda: self.now)
        for report in reports:
            self.board.report(report)

    def rows(self) -> dict[str, str]:
        """Draw it; the lines by the streams' names."""
        shown = io.StringIO()
        Console(file=shown, width=160).print(self.board.draw())
        lines = [line.strip("│┃ ") for line in shown.getvalue().splitlines()]
        return {line.split()[0]: line for line in lines if line and line[0].islower()}


def test_a_row_for_each_stream_with_the_age_of_its_picture() -> None:
    """The age goes on while nothing comes."""
    watched = Watched(
        ListeningStarted(at="mqtt://broker/misc/+"),
        ReceptionStarted(stream="garden"),
        ReceptionStarted(stream="porch"),
        LayerArrived(stream="porch", frame="f-1", layer="base", bytes=90, wire_bytes=100),
        PictureReady(stream="porch", frame="f-1", kind="coarse", since_capture=2.0, **PICTURE),
        TextSaid(stream="porch", frame="f-1", items=[], caption="A [red]dog\x1b[2J."),
        FrameEnded(stream="porch", frame="f-1", missing=("maps",)),
    )
    watched.now = 5.0
    rows = watched.rows()
    watched.board.close()
    assert "waiting" in rows["garden"]
    for part in ("fresh", "f-1 coarse", "7 s", "1 (1 cut)", "100", "A [red]dog"):
        assert part in rows["porch"]
    assert "\x1b" not in rows["porch"]


def test_what_is_wrong_with_a_stream() -> None:
    """Old pictures and refused senders are marked; what was refused stays so at its end."""
    watched = Watched(
        *(ReceptionStarted(stream=name) for name in ("a-old", "b-other", "c-gone")),
        StreamStale(stream="a-old"),
        StreamRefused(stream="b-other", reason="other models"),
        ReceptionEnded(stream="b-other", **END),
        ReceptionEnded(stream="c-gone", **END),
    )
    rows = watched.rows()
    watched.board.close()
    assert "old" in rows["a-old"].split()
    assert "refused" in rows["b-other"]
    assert "gone" in rows["c-gone"].split()


def test_streams_that_are_gone_do_not_fill_the_screen() -> None:
    """The last ones stay for a while."""
    watched = Watched()
    for number in range(40):
        watched.board.report(ReceptionStarted(stream=f"s{number}"))
        watched.board.report(ReceptionEnded(stream=f"s{number}", **END))
    rows = watched.rows()
    watched.board.close()
    assert len([name for name in rows if name.startswith("s")]) <= 21
    assert "s39" in rows
