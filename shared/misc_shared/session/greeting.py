"""The sender introduces itself. protocol.md, HELLO."""

from misc_shared.session.options import HelloConfig, SenderTiming
from misc_shared.session.profiles import profile_digest
from misc_shared.session.round_trip import RoundTrip
from misc_shared.session.states import (
    INTRODUCTION,
    Introduction,
    IntroductionTrigger,
    advance,
)
from misc_shared.wire import (
    KINDS,
    VERSION,
    Hello,
    LayerKind,
    PackId,
    ShortHello,
    write,
)

__all__ = ["Greeting"]

_ALL_LAYERS = sum(1 << layer for layer in LayerKind)
_ONE_WAY_SHARE = 20
"""One-way: this many bytes of pictures for each byte of HELLO."""
_PATIENCE = 3
"""HELLOs without an answer after which a closing sender leaves anyway."""


class Greeting:
    """Says HELLO until it is confirmed; on a one-way link, for ever.

    The short form goes first: a receiver with the same models knows the profile without having
    seen it. A receiver that does not know it asks for the long form. Where nobody can ask, the
    long form comes unasked, but later: to a recording of one small picture it would add 4 %.

    Args:
        config: What to say.
        epoch: The sender's run.
        started: Unix time of tick 0, in whole seconds.
        mtu: Bytes of the largest datagram; a long form above it stays short.
        layer_limit: Bytes of the largest layer.
        one_way: Whether nobody can ask.
        timing: How often to say it on a one-way link.
        round_trip: How long to wait for an answer on any other.
    """

    def __init__(
        self,
        config: HelloConfig,
        *,
        epoch: int,
        started: int,
        mtu: int,
        layer_limit: int,
        one_way: bool,
        timing: SenderTiming,
        round_trip: RoundTrip,
    ) -> None:
        self._config = config
        self._epoch = epoch
        self._started = started
        self._mtu = mtu
        self._layer_limit = layer_limit
        self._one_way = one_way
        self._timing = timing
        self._round_trip = round_trip
        self._state = Introduction.PENDING
        self._in_full = False
        self._sends = 0
        self._said_at = 0.0
        self._owed = 0
        self._hurried = False

    @property
    def leads(self) -> bool:
        """Whether it has to go before everything else."""
        return self._config.first and self._state is Introduction.PENDING

    @property
    def holds_back_bye(self) -> bool:
        """Whether an answer is still worth waiting for."""
        waits = self._state is Introduction.UNDERWAY and not self._one_way
        return waits and not self._hurried and self._sends <= _PATIENCE

    def due(self, now: float) -> bool:
        """Whether HELLO should go out now."""
        if self._state is Introduction.PENDING:
            return True
        due_at = self.next_timer()
        return due_at is not None and now >= due_at

    def next_timer(self) -> float | None:
        """When HELLO is due again."""
        if self._state is not Introduction.UNDERWAY:
            return None
        if self._one_way:
            return None if self._owed > 0 else self._said_at + self._timing.hello_interval
        return self._said_at + self._round_trip.timeout * min(1 << (self._sends - 1), 16)

    def say(self, tick: int, now: float) -> bytes:
        """The HELLO to send now."""
        self._on(IntroductionTrigger.GREET)
        self._sends += 1
        self._said_at = now
        said = write(self._short(tick))
        repeated = self._sends > 1
        if self._in_full or (self._one_way and repeated):
            full = write(self._full(tick))
            said = full if len(full) <= self._mtu else said
        self._owed = (_ONE_WAY_SHARE + 1) * len(said)
        return said

    def hurry(self) -> None:
        """Wait for no answer any more: the sender is stopped."""
        self._hurried = True

    def sent(self, nbytes: int) -> None:
        """Note that a datagram left, of whatever kind."""
        self._owed -= nbytes

    def answered(self) -> bool:
        """The receiver confirmed; returns whether that is news."""
        news = self._state is Introduction.UNDERWAY
        if news:
            self._on(IntroductionTrigger.AGREE)
        return news

    def asked(self, now: float, *, in_full: bool) -> None:
        """The receiver wants HELLO, or its long form."""
        news = in_full and not self._in_full
        if self._sends and not news and now < self._said_at + self._timing.refresh_interval:
            return  # it is on its way
        self._in_full = self._in_full or in_full
        self.restart()

    def restart(self) -> None:
        """Say it again: the other end may be a new one."""
        self._on(IntroductionTrigger.RESTART)
        self._sends = 0

    def _on(self, trigger: IntroductionTrigger) -> None:
        self._state = advance(INTRODUCTION, self._state, trigger)

    def _short(self, tick: int) -> ShortHello:
        return ShortHello(
            kind=KINDS[ShortHello],
            oldest=VERSION,
            newest=VERSION,
            epoch=self._epoch,
            started=self._started,
            tick=tick,
            profile=profile_digest(self._config.packs),
        )

    def _full(self, tick: int) -> Hello:
        packs = sorted(self._config.packs.items())
        return Hello(
            kind=KINDS[Hello],
            oldest=VERSION,
            newest=VERSION,
            epoch=self._epoch,
            started=self._started,
            tick=tick,
            stream=self._config.stream,
            packs=tuple(PackId(name=name, digest=digest) for name, digest in packs),
            layers=_ALL_LAYERS,
            mtu=self._mtu,
            layer_limit=self._layer_limit,
        )
