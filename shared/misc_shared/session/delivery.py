"""How fast a link delivers and how much it loses, from acknowledgements. protocol.md, Rate.

Source: draft-cheng-iccrg-delivery-rate-estimation-02, on which BBR rests. A sample is what arrived
over the time that it took, where that time is the longer one of sending and arriving. So no sample
exceeds the link's rate, and the largest of the last few is the estimate. A sample that is small
because the sender had nothing to send says nothing of the link and counts only if it is larger.

Pictures come in bursts that are often shorter than a round trip, in which the draft's samples say
more of the round trip than of the rate. So there are samples between two answers to one burst too.
"""

from collections import deque
from dataclasses import dataclass

__all__ = ["DeliveryRate", "Departure"]

_TURN = 1 << 32
_WINDOW = 3.0
"""Seconds that a sample counts at least; else so many round trips:"""
_WINDOW_ROUND_TRIPS = 3.0
_SHORTEST = 0.02
"""Seconds; over less than this, a millisecond of rounding in an ACK would matter."""
_SHORTEST_FOR = 60.0
"""Seconds after which the shortest round trip is looked for anew: a link may become longer."""
_FORGET = 0.95
"""What earlier losses are worth when the next answer comes."""
_NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Departure:
    """What was known when a datagram left.

    Attributes:
        number: Of the datagram, from 0.
        at: When it left.
        nbytes: Of the datagram.
        bytes_sent: Of all datagrams up to and including this one.
        first_at: When the datagram left after whose arrival its sample begins.
        delivered: Bytes that the receiver was known to have.
        delivered_at: When it had them.
        burst: Number of the burst that it is part of: the sender had more to send all the while.
        starved: Whether it left before the first answer to its burst.
    """

    number: int
    at: float
    nbytes: int
    bytes_sent: int
    first_at: float
    delivered: int
    delivered_at: float
    burst: int
    starved: bool


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    rate: float


class DeliveryRate:
    """Estimates the rate and the loss of the way to the receiver. All times on one clock.

    Attributes:
        limited_at: When the link was last seen at its limit; None for never.
        sent_at: When a datagram last left.
    """

    def __init__(self) -> None:
        self.limited_at: float | None = None
        self._count = 0
        self._sent = 0
        self.sent_at = 0.0
        self._burst = 0
        self._starved_until = 0
        self._settled = 0
        self._shortest: deque[tuple[float, float]] = deque()
        self._first_at = 0.0
        self._receiver: int | None = None
        self._receivers = 0
        self._received: int | None = None
        self._delivered = 0
        self._delivered_at = 0.0
        self._newest: Departure | None = None
        self._newest_delivered = 0
        self._samples: deque[_Sample] = deque()
        self._bytes_seen = 0.0
        self._bytes_lost = 0.0

    @property
    def rate(self) -> float | None:
        """Bits a second of datagrams that arrive; None before the link was seen at its limit."""
        return max((sample.rate for sample in self._samples), default=None)

    @property
    def loss(self) -> float:
        """Share of the bytes that did not arrive, in [0, 1], of late."""
        return min(1.0, max(0.0, self._bytes_lost) / self._bytes_seen) if self._bytes_seen else 0.0

    @property
    def shortest_round_trip(self) -> float | None:
        """Seconds that an answer took when the least was queued, of late; None for unknown."""
        return min((trip for _, trip in self._shortest), default=None)

    @property
    def under_way(self) -> int:
        """Bytes that left after the newest datagram of which it is known what became of it."""
        return self._sent - self._settled

    @property
    def queued(self) -> int:
        """Bytes that wait in the link's own queue, as far as answers tell.

        That is what is under way above what the link carries in the shortest round trip.
        """
        rate, trip = self.rate, self.shortest_round_trip
        if rate is None or trip is None:
            return 0
        return max(0, int(self.under_way - rate / 8 * trip))

    def sent(self, nbytes: int, now: float) -> Departure:
        """Note that a datagram leaves."""
        answered = -1 if self._newest is None else self._newest.number
        if answered == self._count - 1:  # nothing is under way
            self._first_at = self._delivered_at = now
        self._sent += nbytes
        self.sent_at = now
        departure = Departure(
            number=self._count,
            at=now,
            nbytes=nbytes,
            bytes_sent=self._sent,
            first_at=self._first_at,
            delivered=self._delivered,
            delivered_at=self._delivered_at,
            burst=self._burst,
            starved=self._starved_until != _NEVER,
        )
        self._count += 1
        return departure

    def time_out(self, departure: Departure) -> None:
        """A datagram was not answered in time: neither it nor those before it are under way."""
        self._settled = max(self._settled, departure.bytes_sent)

    def starve(self) -> None:
        """The link could take more and there is nothing to send."""
        if self._starved_until != self._count:
            self._burst += 1
            self._starved_until = self._count

    @property
    def lossless(self) -> bool:
        """Whether all that ever left has arrived, at one receiver that was there for all of it."""
        return self._receivers == 1 and self._delivered == self._sent

    def count(self, receiver: int, received: int) -> bool:
        """Add up what came, before `answered`.

        Args:
            receiver: Which one it is, as in `Ack`.
            received: Bytes of this run that it has got, modulo 2**32.

        Returns:
            False if another receiver answers than before, which counts anew.
        """
        other = receiver != self._receiver
        self._receivers += other
        step = (received - (self._received or 0)) % _TURN
        self._receiver, self._received = receiver, received
        if (other and self._receivers > 1) or step >= _TURN // 2:
            return False
        # Somebody who claims more than was sent is not believed.
        self._delivered = min(self._delivered + step, self._sent)
        return True

    def answered(
        self,
        newest: Departure | None,
        at: float,
        *,
        round_trip: float,
        same_receiver: bool,
    ) -> None:
        """Take in what an acknowledgement confirms.

        Args:
            newest: The newest datagram that it confirms for the first time; None if there is none,
                or if it is not certain which sending of it arrived.
            at: When the receiver got what it got last.
            round_trip: Seconds; samples count for a few of them.
            same_receiver: What `count` gave.
        """
        if newest is None or (self._newest is not None and newest.number <= self._newest.number):
            return
        self._note_round_trip(at - newest.at, at)
        if same_receiver:
            self._take_samples(newest, at, window=max(_WINDOW, _WINDOW_ROUND_TRIPS * round_trip))
            self._note_loss(newest)
        if newest.number >= self._starved_until:
            self._starved_until = _NEVER
        self._newest, self._newest_delivered = newest, self._delivered
        self._settled = max(self._settled, newest.bytes_sent)
        self._delivered_at = at
        self._first_at = newest.at

    def _take_samples(self, newest: Departure, at: float, *, window: float) -> None:
        since_departure = _rate(
            self._delivered - newest.delivered,
            sending=newest.at - newest.first_at,
            arriving=at - newest.delivered_at,
        )
        self._add(since_departure, at, window=window, limited=not newest.starved)
        last = self._newest
        if last is not None and last.burst == newest.burst:
            within_burst = _rate(
                self._delivered - self._newest_delivered,
                sending=newest.at - last.at,
                arriving=at - self._delivered_at,
            )
            self._add(within_burst, at, window=window, limited=True)

    def _add(self, rate: float, at: float, *, window: float, limited: bool) -> None:
        if rate <= 0:
            return
        if limited:
            self.limited_at = at
        elif self.rate is None or rate <= self.rate:
            return
        while self._samples and self._samples[-1].rate <= rate:
            self._samples.pop()  # it will never again be the largest
        self._samples.append(_Sample(at, rate))
        while self._samples[0].at < at - window:
            self._samples.popleft()

    def _note_round_trip(self, trip: float, at: float) -> None:
        while self._shortest and self._shortest[-1][1] >= trip:
            self._shortest.pop()
        self._shortest.append((at, max(0.0, trip)))
        while self._shortest[0][0] < at - _SHORTEST_FOR:
            self._shortest.popleft()

    def _note_loss(self, newest: Departure) -> None:
        if self._newest is None:
            return
        sent = newest.bytes_sent - self._newest.bytes_sent
        gained = self._delivered - self._newest_delivered
        self._bytes_seen = _FORGET * self._bytes_seen + sent
        self._bytes_lost = _FORGET * self._bytes_lost + sent - gained


def _rate(nbytes: int, *, sending: float, arriving: float) -> float:
    """Bits a second; 0 where the time is too short to tell."""
    elapsed = max(sending, arriving)
    return 8 * nbytes / elapsed if elapsed >= _SHORTEST else 0.0
