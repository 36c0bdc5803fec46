"""One direction of a link, and two of them as a pair, in virtual time.

A link never looks at a clock: `send` is told the time and answers at once when, if ever, the
datagram arrives. Everything random comes from a seeded generator, so a run can be repeated exactly.
"""

import enum
import random
from collections import deque
from dataclasses import dataclass

from misc_lab.links.loss import LossModel
from misc_lab.links.schedule import Schedule
from misc_shared.errors import ConfigError

__all__ = ["DuplexLink", "Fate", "Passage", "SimulatedLink"]


class Fate(enum.Enum):
    """What became of a datagram."""

    DELIVERED = "delivered"
    LOST = "lost"
    QUEUE_FULL = "queue full"
    TOO_LARGE = "too large"


@dataclass(frozen=True, slots=True)
class Passage:
    """One datagram's way over the link; times in seconds, None where it never got there.

    Attributes:
        number: Position among everything handed to this link, from 0.
        size: Bytes of the datagram itself.
        sent: When it was handed to the link.
        started: When its first bit went on air.
        departed: When its last bit was on its way.
        arrived: When the other end has it.
        fate: What became of it.
    """

    number: int
    size: int
    sent: float
    started: float | None
    departed: float | None
    arrived: float | None
    fate: Fate


class SimulatedLink:
    """One direction: a drop-tail queue, a transmitter, loss, then delay and jitter.

    Args:
        schedule: The transmitter: a constant rate or a trace.
        loss: Which datagrams are lost after they were on air.
        delay: Seconds from the last bit sent to the datagram's arrival.
        jitter: Largest extra delay in seconds, drawn uniformly for each datagram.
        reorders: Let jitter change the order; otherwise a datagram waits for the one before it.
        queue_bytes: Room for datagrams that wait for the transmitter or are on it.
        mtu: Largest datagram in bytes; a larger one goes nowhere.
        overhead: Bytes that the transport adds to each datagram on this link.
        generator: Seeded source of the jitter.
    """

    def __init__(  # noqa: PLR0913 - each is one property of a link, keyword-only
        self,
        *,
        schedule: Schedule,
        loss: LossModel,
        delay: float,
        mtu: int,
        queue_bytes: int,
        generator: random.Random,
        jitter: float = 0.0,
        reorders: bool = False,
        overhead: int = 0,
    ) -> None:
        if min(delay, jitter, overhead) < 0 or mtu < 1 or queue_bytes < mtu:
            raise ConfigError(
                f"A link needs delay, jitter and overhead of 0 or more and a queue that holds one "
                f"MTU; got {delay} s, {jitter} s, {overhead} B, queue {queue_bytes} B, MTU {mtu} B."
            )
        self.mtu = mtu
        self.log: list[Passage] = []
        self._schedule = schedule
        self._loss = loss
        self._delay = delay
        self._jitter = jitter
        self._reorders = reorders
        self._queue_bytes = queue_bytes
        self._overhead = overhead
        self._generator = generator
        self._waiting: deque[tuple[float, int]] = deque()
        self._backlog = 0
        self._last_sent = 0.0
        self._last_arrival = 0.0

    def free_at(self, now: float) -> float:
        """The earliest second, not before `now`, at which a datagram would not have to queue."""
        return self._schedule.free_at(now)

    def backlog(self, now: float) -> int:
        """Bytes in the queue and on the transmitter."""
        while self._waiting and self._waiting[0][0] <= now:
            self._backlog -= self._waiting.popleft()[1]
        return self._backlog

    def send(self, datagram: bytes, now: float) -> Passage:
        """Hand over a datagram.

        Args:
            datagram: Its bytes; only their number matters.
            now: Seconds; never less than in the call before.

        Returns:
            What will become of it, arrival time included.

        Raises:
            ValueError: `now` lies before the time of an earlier call.
        """
        if now < self._last_sent:
            raise ValueError(f"a link's time cannot run backwards: {now} after {self._last_sent}")
        self._last_sent = now
        passage = self._pass(len(datagram), now)
        self.log.append(passage)
        return passage

    def _pass(self, size: int, now: float) -> Passage:
        number = len(self.log)
        if size > self.mtu:
            return Passage(number, size, now, None, None, None, Fate.TOO_LARGE)
        if self.backlog(now) + size > self._queue_bytes:
            return Passage(number, size, now, None, None, None, Fate.QUEUE_FULL)
        started, departed = self._schedule.depart(size + self._overhead, now)
        self._waiting.append((departed, size))
        self._backlog += size
        if self._loss.loses_next():
            return Passage(number, size, now, started, departed, None, Fate.LOST)
        return Passage(
            number, size, now, started, departed, self._arrival(departed), Fate.DELIVERED
        )

    def _arrival(self, departed: float) -> float:
        extra = self._generator.uniform(0, self._jitter) if self._jitter else 0.0
        arrival = departed + self._delay + extra
        if not self._reorders:
            arrival = max(arrival, self._last_arrival)
            self._last_arrival = arrival
        return arrival


@dataclass(frozen=True, slots=True)
class DuplexLink:
    """Both directions between a sender and a receiver.

    Attributes:
        up: From the sender to the receiver.
        down: Back; None on a link without a return channel.
    """

    up: SimulatedLink
    down: SimulatedLink | None
