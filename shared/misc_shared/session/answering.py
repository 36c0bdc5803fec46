"""Everything that a receiver says in one epoch, most important first. protocol.md, Session."""

from misc_shared.session.acknowledging import Acknowledger
from misc_shared.session.epoch import Epoch
from misc_shared.session.introduction import Objection
from misc_shared.session.options import ReceiverTiming
from misc_shared.session.requests import RateLimited
from misc_shared.session.states import Introduction
from misc_shared.wire import KINDS, MAX_DETAIL, Bye, Refresh, Wanted, write

__all__ = ["Answers"]


class Answers:
    """What is to be said, and when.

    Args:
        timing: How often to say what.
        mtu: Bytes of the largest datagram.
        receiver: Number of our memory of this epoch, 0 to 65,535; as in `Ack`.
    """

    def __init__(self, timing: ReceiverTiming, *, mtu: int, receiver: int) -> None:
        self._timing = timing
        self._mtu = mtu
        self._receiver = receiver
        self._acknowledger = Acknowledger(timing, mtu=mtu)
        self._hello = RateLimited(timing.hello_patience)
        self._picture = RateLimited(timing.refresh_interval)
        self._bye = RateLimited(timing.refresh_interval)
        self._objection: Objection | None = None
        self.asked_for_hello = 0

    def heard(self, tick: int | None, now: float, *, urgent: bool) -> None:
        """A datagram came, of the frame of this tick if any: acknowledge it."""
        self._acknowledger.note(tick, now, urgent=urgent)

    def want_hello(self, now: float, *, at_once: bool) -> None:
        """The sender is not known, or what it said is not."""
        self._hello.want(now, after=0.0 if at_once else self._timing.hello_patience)

    def introduced(self) -> None:
        """The sender is known, and its models are ours."""
        self._hello.cancel()
        self._objection = None

    def want_picture(self, now: float) -> None:
        """What follows cannot be decoded without a picture that stands alone."""
        self._picture.want(now)

    def refuse(self, objection: Objection, now: float) -> None:
        """Tell the sender why nothing of it is taken; again, if it goes on."""
        self._objection = objection
        self._bye.want(now)

    def remind(self, now: float) -> None:
        """The sender has not heard that it was refused."""
        self._bye.want(now)

    def next_timer(self) -> float | None:
        """When something is to be said."""
        times = [wish.next_timer for wish in (self._hello, self._picture, self._bye)]
        times.append(self._acknowledger.next_timer())
        if self._objection is not None:
            return self._bye.next_timer
        return min((time for time in times if time is not None), default=None)

    def next(
        self, epoch: Epoch, *, queue_depth: int, now: float, acknowledges: bool = True
    ) -> bytes | None:
        """The datagram to send now; None if nothing is due."""
        if self._objection is not None:
            return self._say_bye(epoch, self._objection) if self._bye.take(now) else None
        if self._hello.take(now):
            self.asked_for_hello += 1
            unclear = epoch.introduction is Introduction.UNDERWAY
            return _refresh(epoch, Wanted.FULL_HELLO if unclear else Wanted.HELLO)
        if self._picture.take(now):
            return _refresh(epoch, Wanted.PICTURE)
        if not acknowledges:
            return None
        return self._acknowledger.take(
            now,
            epoch.frames.report,
            epoch=epoch.number,
            receiver=self._receiver,
            status=queue_depth << 1 | (epoch.introduction is Introduction.KNOWN),
            received=epoch.received,
        )

    def _say_bye(self, epoch: Epoch, objection: Objection) -> bytes:
        reason, detail = objection
        # A BYE says why in as many characters as fit; the reason itself always does.
        for length in (MAX_DETAIL, 0):
            bye = Bye(KINDS[Bye], epoch.number, reason, detail[:length])
            datagram = write(bye)
            if len(datagram) <= self._mtu:
                break
        return datagram


def _refresh(epoch: Epoch, wanted: Wanted) -> bytes:
    newest = epoch.frames.newest & 0xFFFF
    return write(Refresh(KINDS[Refresh], epoch.number, wanted, newest))
