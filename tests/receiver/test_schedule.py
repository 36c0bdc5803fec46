"""What waits for the decoder, and what is refined next."""

from misc_receiver.backlog import Backlog
from misc_receiver.schedule import EveryFrame, NewestFrame
from misc_shared.session import FrameId, LayerReceived
from misc_shared.wire import LayerKind

OLD, MIDDLE, NEW = (FrameId(epoch=1, tick=tick) for tick in (10, 11, 12))
RESTARTED = FrameId(epoch=2, tick=0)


def _layer(frame: FrameId, layer: LayerKind = LayerKind.BASE) -> LayerReceived:
    return LayerReceived(frame, frame.tick / 8, None, layer, b"x", 10)


def test_live_the_newest_picture_is_refined() -> None:
    """Once, and again when it gets better; an older one never."""
    schedule = NewestFrame()
    schedule.sharpened(MIDDLE)
    schedule.sharpened(OLD)
    assert schedule.next() == MIDDLE
    assert schedule.next() is None
    schedule.sharpened(MIDDLE)
    assert schedule.next() == MIDDLE
    schedule.sharpened(RESTARTED)
    assert schedule.next() == RESTARTED


def test_of_a_recording_every_frame_is_refined_once() -> None:
    """In the order in which they ended; what was cut off comes last."""
    schedule = EveryFrame()
    for frame in (OLD, MIDDLE, NEW):
        schedule.arrived(frame)
        schedule.sharpened(frame)
    schedule.ended(MIDDLE)
    schedule.ended(OLD)
    assert schedule.full
    assert [schedule.next(), schedule.next(), schedule.next()] == [MIDDLE, OLD, None]
    schedule.close()
    assert [schedule.next(), schedule.next()] == [NEW, None]


def test_a_frame_of_which_nothing_came_is_not_refined() -> None:
    """It may end all the same."""
    schedule = EveryFrame()
    schedule.ended(OLD)
    assert schedule.next() is None


def test_the_backlog_gives_the_newest_first() -> None:
    """With all its layers, in their order."""
    backlog = Backlog()
    for event in (_layer(OLD), _layer(NEW), _layer(OLD, LayerKind.TEXT)):
        backlog.add(event)
    taken = [(event.frame, event.layer) for event in backlog.take()]
    assert taken == [(NEW, LayerKind.BASE), (OLD, LayerKind.BASE), (OLD, LayerKind.TEXT)]
    assert len(backlog) == 0


def test_the_backlog_is_bounded() -> None:
    """Frames that the decoder has no time for are skipped and counted, the oldest first."""
    backlog = Backlog()
    for tick in range(22):
        backlog.add(_layer(FrameId(epoch=1, tick=tick)))
    assert backlog.full
    assert backlog.skipped == 6
    assert [event.frame.tick for event in backlog.take()] == list(range(21, 5, -1))


def test_what_makes_work_in_progress_worthless() -> None:
    """A newer frame, or more of the same; not a straggler of an older one."""
    backlog = Backlog()
    backlog.add(_layer(OLD, LayerKind.DETAIL2))
    assert backlog.outdates(OLD)
    assert not backlog.outdates(MIDDLE)
    backlog.add(_layer(RESTARTED))
    assert backlog.outdates(MIDDLE)
