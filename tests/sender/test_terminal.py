"""What a person at a terminal sees while sending."""

import io

from misc_sender.reports import (
    FrameEnded,
    FrameQueued,
    StreamEnded,
    StreamStarted,
    WordsMissed,
)
from misc_sender.terminal import Terminal
from misc_shared.terminal_text import Console


def test_a_line_for_each_picture_and_the_sum() -> None:
    """Bytes by layer, what was said, what was given up and why."""
    drawn = io.StringIO()
    terminal = Terminal(Console(file=drawn, width=200))
    frame = FrameQueued(
            coding="key",
        items=("dog",), caption="A [bold] dog\x1b.", frame="0007-000012", width=768, height=512,
        quality=9, bytes=1180, bpp=0.024, layers={"base": 90, "text": 12}, encode_seconds=0.5,
    )  # fmt: skip
    ended = FrameEnded(
        frame=frame.frame, outcome="dropped", reason="deadline passed", missing=("detail2",)
    )
    total = StreamEnded(frames=1, skipped=2, datagrams=1, bytes=99, repeats=0, seconds=1.25)
    missed = WordsMissed(reason="the server [bold] said 500")
    for report in (StreamStarted(stream="a", source="b", mtu=99), frame, missed, ended, total):
        terminal.report(report)
    terminal.close()
    shown = drawn.getvalue()
    assert "768x512 key  1180 bytes  0.0240 bpp  (base 90, text 12)  A [bold] dog�." in shown
    assert "no words: the server [bold] said 500" in shown
    assert "0007-000012 given up without detail2: deadline passed" in shown
    assert (
        "1 picture sent, nothing can be confirmed, 2 skipped, 99 bytes in 1 datagram, 1.2 s"
        in shown
    )
