"""The receiver's seal, without I/O: sealed datagrams become datagrams, answers sealed ones.

protocol.md, Sealed datagrams. Nothing is handed on that was not verified, is not new, or may be of
a time before we listened.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from misc_shared.security.aead import Cipher, derive_cipher
from misc_shared.security.counters import SealCounters
from misc_shared.security.forms import (
    LONG_OVERHEAD,
    SHORT_OVERHEAD,
    LongForm,
    ShortForm,
    long_header,
    parse_form,
    read_echo,
    short_header,
)
from misc_shared.security.keys import StreamKey
from misc_shared.security.peers import Peer, Peers
from misc_shared.security.run import SealRun
from misc_shared.security.window import ReplayWindow

__all__ = ["ReceiverSeal"]

_BEHIND = 60.0
"""Seconds that a datagram may have been under way, its sender's clock being right."""

_AHEAD = 10.0
"""Seconds that a sender's clock may be ahead of ours."""

_FIRST_GAP = 2.0
_LONGEST_GAP = 32.0


class ReceiverSeal:
    """Opens one stream for as long as we listen.

    Args:
        key: the camera's.
        stream: the stream's name.
        mtu: bytes of the largest sealed datagram that can go back.
        now: seconds on a clock that never runs back.
        wall: Unix seconds at that moment.
        live: whether old datagrams have to be refused; False for a recording, which is old.
        entropy: gives that many random bytes.

    Attributes:
        counters: what was taken and refused.
        seconds_off: how far the last datagram that we could not know to be fresh was dated from
            our clock; None if there was none.
    """

    def __init__(
        self,
        key: StreamKey,
        *,
        stream: str,
        mtu: int,
        now: float,
        wall: float,
        live: bool = True,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self.counters = SealCounters()
        self.seconds_off: float | None = None
        self._key = key
        self._stream = stream
        self._mtu = mtu
        # Our own clock may be set while we listen; what has passed since is certain.
        self._began = now
        self._wall = wall
        self._live = live
        self._run = SealRun(entropy)
        self._senders = Peers()
        self._wants_introduction = False
        self._answer_to: Peer | None = None
        self._asked_at: float | None = None
        self._gap = _FIRST_GAP

    def open(self, sealed: bytes, *, now: float) -> bytes | None:
        """What the sender sealed; None if it is refused, or was meant for the seal alone."""
        form = parse_form(sealed)
        match form:
            case None:
                self.counters.shapeless(sealed)
                return None
            case ShortForm():
                return self._open_short(form)
            case LongForm(asks=True):
                self.counters.forged += 1  # a question is another receiver's
                return None
            case LongForm():
                return self._open_long(form, now)

    def seal(self, datagram: bytes, *, now: float, wall: float) -> list[bytes]:
        """The datagrams to send back in place of one, in order.

        Args:
            datagram: at most `mtu` - 18 bytes.
            now: seconds on a clock that never runs back.
            wall: Unix seconds.

        Raises:
            TransportError: we have sealed all that one run may.
        """
        self._renew_if_resumed(now=now, wall=wall)
        peer = self._senders.latest
        if peer is None:
            return []  # nobody that we know could open it
        if peer.knows_us:
            counter = self._run.next_counter()
            return [self._answers_to(peer).seal(counter, short_header(counter), datagram)]
        if len(datagram) + LONG_OVERHEAD <= self._mtu:
            self.counters.introduction_bytes += LONG_OVERHEAD - SHORT_OVERHEAD
            return [self._long(peer, datagram, wall=wall)]
        self.counters.introduction_bytes += LONG_OVERHEAD
        introduction = self._long(peer, b"", wall=wall)
        counter = self._run.next_counter()
        return [
            introduction,
            self._answers_to(peer).seal(counter, short_header(counter), datagram),
        ]

    def has_pending(self, now: float) -> bool:
        """Whether `pending` has something to send of its own accord."""
        return self._answer_to is not None or self._question_due(now)

    def _question_due(self, now: float) -> bool:
        due = self._asked_at is None or now - self._asked_at >= self._gap
        return self._wants_introduction and due

    def pending(self, *, now: float, wall: float) -> list[bytes]:
        """What is due: a question, ever less often while no answer comes; our introduction.

        Whoever answered a question knows nothing of us yet, and may wait long before it repeats
        what we could not open. So we introduce ourselves, though we have nothing to say.
        """
        self._renew_if_resumed(now=now, wall=wall)
        peer, self._answer_to = self._answer_to, None
        if peer is not None:
            self.counters.introduction_bytes += LONG_OVERHEAD
            return [self._long(peer, b"", wall=wall)]
        if not self._question_due(now):
            return []
        if self._asked_at is not None:
            self._gap = min(2 * self._gap, _LONGEST_GAP)
        self._asked_at = now
        self._wants_introduction = False
        self.counters.introduction_bytes += LONG_OVERHEAD
        counter = self._run.next_counter()
        header = long_header(counter, run=self._run.id, wall=wall, asks=True)
        asking = derive_cipher(self._key, "ask", stream=self._stream, runs=self._run.id)
        return [asking.seal(counter, header, b"")]

    def _open_short(self, form: ShortForm) -> bytes | None:
        found = self._senders.open_short(form)
        if found is not None:
            _, opened, verdict = found
            return (opened or None) if self.counters.judged(verdict) else None
        # It may be of a run whose introduction was lost.
        self._wants_introduction = True
        if self._senders.latest is None:
            self.counters.unknown += 1
        else:
            self.counters.forged += 1
        return None

    def _open_long(self, form: LongForm, now: float) -> bytes | None:
        peer = self._senders.find(form.run)
        cipher = peer.cipher if peer is not None else self._forward(form.run)
        opened = cipher.open(form.counter, form.header, form.sealed)
        if opened is None:
            self.counters.forged += 1
            return None
        echo = read_echo(opened)
        echoed = echo is not None and echo.run == self._run.id
        if peer is not None:
            if not self.counters.judged(self._senders.take(peer, form.counter)):
                return None
        elif self._senders.is_over(form.run) or not (echoed or self._is_fresh(form, now)):
            self._wants_introduction = not self._senders.is_over(form.run)
            self.counters.outdated += 1
            return None
        else:
            peer = Peer(form.run, cipher, ReplayWindow(form.counter))
            self._senders.add(peer)
            self.counters.opened += 1
            self._gap, self.seconds_off = _FIRST_GAP, None
        # The echo of a question says that the sender is fresh, not that it can open short forms.
        peer.knows_us = peer.knows_us or (echo is not None and echoed and echo.answered)
        if echo is not None and echoed and not peer.knows_us:
            self._answer_to = peer
        if opened == b"" or echo is not None:
            self.counters.heard_introduction_bytes += LONG_OVERHEAD + len(opened)
            return None
        self.counters.heard_introduction_bytes += LONG_OVERHEAD - SHORT_OVERHEAD
        return opened

    def _forward(self, run: bytes) -> Cipher:
        return derive_cipher(self._key, "forward", stream=self._stream, runs=run)

    def _is_fresh(self, form: LongForm, now: float) -> bool:
        """Whether it was sealed after we began to listen, as far as both clocks are right."""
        if not self._live:
            return True
        wall = self._wall + now - self._began
        off = (form.dated - int(wall) + (1 << 31)) % (1 << 32) - (1 << 31)
        listening = now - self._began
        # A second more: both times are whole ones.
        fresh = -min(_BEHIND, listening + 1.0) <= off <= _AHEAD
        if not fresh:
            self.seconds_off = float(off)
        return fresh

    def _answers_to(self, peer: Peer) -> Cipher:
        if peer.answer is None:
            runs = peer.run + self._run.id
            peer.answer = derive_cipher(self._key, "back", stream=self._stream, runs=runs)
        return peer.answer

    def _long(self, peer: Peer, plaintext: bytes, *, wall: float) -> bytes:
        counter = self._run.next_counter()
        header = long_header(counter, run=self._run.id, wall=wall)
        return self._answers_to(peer).seal(counter, header, plaintext)

    def _renew_if_resumed(self, *, now: float, wall: float) -> None:
        if self._live and self._run.renew_after_jump(now=now, wall=wall):
            for peer in self._senders:
                peer.answer, peer.knows_us = None, False
