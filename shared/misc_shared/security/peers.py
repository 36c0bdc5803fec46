"""The other end's runs that we know: a few that may speak, and many that have had their time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from misc_shared.security.aead import Cipher
from misc_shared.security.forms import ShortForm
from misc_shared.security.window import ReplayWindow, Verdict

__all__ = ["Peer", "Peers"]

_ACTIVE = 8
_RETIRED = 4096


@dataclass(slots=True, eq=False)
class Peer:
    """One run of the other end.

    Attributes:
        run: its id.
        cipher: opens what it seals, and for a receiver seals what goes back.
        window: which of its counters came.
        answer: for a receiver, seals what goes back to it.
        knows_us: whether it has heard our run.
        echoed_at: when we last told it that we have heard its run; None if never.
        echo_gap: seconds until we would tell it again.
    """

    run: bytes
    cipher: Cipher
    window: ReplayWindow
    answer: Cipher | None = None
    knows_us: bool = False
    echoed_at: float | None = None
    echo_gap: float = 2.0


class Peers:
    """Runs by id; the one heard last comes first.

    A run that seven others have pushed out is over for good: its window is forgotten, so nothing of
    it may be taken again. That is remembered of some four thousand.
    """

    def __init__(self) -> None:
        self._active: OrderedDict[bytes, Peer] = OrderedDict()
        self._retired: OrderedDict[bytes, None] = OrderedDict()

    def __iter__(self) -> Iterator[Peer]:
        """The active ones, the latest first."""
        return reversed(self._active.values())

    @property
    def latest(self) -> Peer | None:
        """The one heard last."""
        return next(iter(self), None)

    def find(self, run: bytes) -> Peer | None:
        """An active run."""
        return self._active.get(run)

    def is_over(self, run: bytes) -> bool:
        """Whether it was pushed out."""
        return run in self._retired

    def add(self, peer: Peer) -> None:
        """Take in a new run that was verified."""
        self._active[peer.run] = peer
        if len(self._active) > _ACTIVE:
            run, _ = self._active.popitem(last=False)
            self._retired[run] = None
        if len(self._retired) > _RETIRED:
            self._retired.popitem(last=False)

    def open_short(self, form: ShortForm) -> tuple[Peer, bytes, Verdict] | None:
        """Try each run, the latest first; None if it is of none of them.

        A new counter is noted, and its run is the latest then.
        """
        for peer in self:
            counter = peer.window.whole(form.low)
            opened = peer.cipher.open(counter, form.header, form.sealed)
            if opened is not None:
                return peer, opened, self.take(peer, counter)
        return None

    def take(self, peer: Peer, counter: int) -> Verdict:
        """Judge a verified counter; a new one is noted, and its run is the latest then."""
        verdict = peer.window.judge(counter)
        if verdict is Verdict.NEW:
            peer.window.take(counter)
            self._active.move_to_end(peer.run)
        return verdict
