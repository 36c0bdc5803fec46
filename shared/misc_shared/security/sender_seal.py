"""The sender's seal, without I/O: datagrams become sealed ones, sealed answers datagrams.

protocol.md, Sealed datagrams.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable

from misc_shared.security.aead import derive_cipher
from misc_shared.security.counters import SealCounters
from misc_shared.security.forms import (
    LONG_OVERHEAD,
    SHORT_OVERHEAD,
    LongForm,
    ShortForm,
    echo_of,
    long_header,
    parse_form,
    short_header,
)
from misc_shared.security.keys import StreamKey
from misc_shared.security.peers import Peer, Peers
from misc_shared.security.run import SealRun
from misc_shared.security.window import ReplayWindow, Verdict

__all__ = ["SenderSeal"]

_UNHEARD_INTERVAL = 1.0
_HEARD_INTERVAL = 30.0
_LONGEST_ECHO_GAP = 32.0
_ASKERS = 64


class SenderSeal:
    """Seals one stream in one run.

    Its keys are derived from a run id drawn at random, and its counter never goes back: so no nonce
    is used twice under one key, whatever the clock says and however often it is started.

    Args:
        key: the camera's.
        stream: the stream's name.
        mtu: bytes of the largest sealed datagram.
        introduce_every: seconds between introductions where nobody can ask for one; None where
            somebody can.
        entropy: gives that many random bytes.

    Attributes:
        counters: what was taken and refused.
        newcomers: receivers that had to ask who we are; what went before is lost to them.
    """

    def __init__(
        self,
        key: StreamKey,
        *,
        stream: str,
        mtu: int,
        introduce_every: float | None = None,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self.counters = SealCounters()
        self.newcomers = 0
        self._key = key
        self._stream = stream
        self._mtu = mtu
        self._introduce_every = introduce_every
        self._run = SealRun(entropy)
        self._echoes: list[bytes] = []
        self._askers: OrderedDict[bytes, None] = OrderedDict()
        self._asker_echoed_at: float | None = None
        self._begin_run()

    def _begin_run(self) -> None:
        self._cipher = derive_cipher(self._key, "forward", stream=self._stream, runs=self._run.id)
        self._introduced_at: float | None = None
        # What a receiver seals for us is bound to our run, so nobody is known to a new one.
        self._receivers = Peers()

    def has_pending(self, now: float) -> bool:
        """Whether `pending` has something to send of its own accord."""
        return bool(self._echoes) or self._asker_due(now)

    def seal(self, datagram: bytes, *, now: float, wall: float) -> list[bytes]:
        """The datagrams to send in place of one, in order.

        Args:
            datagram: at most `mtu` - 18 bytes.
            now: seconds on a clock that never runs back.
            wall: Unix seconds.

        Raises:
            TransportError: this run has sealed all that it may.
        """
        self._renew_if_resumed(now=now, wall=wall)
        out = self.pending(now=now, wall=wall)
        if self._introduction_due(now):
            if len(datagram) + LONG_OVERHEAD <= self._mtu:
                return [*out, self._long(datagram, now=now, wall=wall)]
            out.append(self._long_of_our_own(b"", now=now, wall=wall))
        counter = self._run.next_counter()
        return [*out, self._cipher.seal(counter, short_header(counter), datagram)]

    def pending(self, *, now: float, wall: float) -> list[bytes]:
        """What receivers have to be told even if there is nothing else to send."""
        echoes, self._echoes = self._echoes, []
        if self._asker_due(now):
            self._asker_echoed_at = now
            run, _ = self._askers.popitem(last=False)
            echoes.append(echo_of(run, answered=False))
        return [self._long_of_our_own(echo, now=now, wall=wall) for echo in echoes]

    def open(self, sealed: bytes, *, now: float) -> bytes | None:
        """What a receiver sealed; None if it is refused, or was meant for the seal alone."""
        form = parse_form(sealed)
        if form is None:
            self.counters.shapeless(sealed)
            return None
        match form:
            case ShortForm():
                return self._open_short(form)
            case LongForm(asks=True):
                self._hear_question(form)
                return None
            case LongForm():
                return self._open_long(form, now)

    def _introduction_due(self, now: float) -> bool:
        if self._introduced_at is None:
            return True
        interval = self._introduce_every
        if interval is None:
            interval = _UNHEARD_INTERVAL if self._receivers.latest is None else _HEARD_INTERVAL
        return now - self._introduced_at >= interval

    def _long_of_our_own(self, plaintext: bytes, *, now: float, wall: float) -> bytes:
        self.counters.introduction_bytes += SHORT_OVERHEAD + len(plaintext)
        return self._long(plaintext, now=now, wall=wall)

    def _long(self, plaintext: bytes, *, now: float, wall: float) -> bytes:
        self._introduced_at = now
        self.counters.introduction_bytes += LONG_OVERHEAD - SHORT_OVERHEAD
        counter = self._run.next_counter()
        header = long_header(counter, run=self._run.id, wall=wall)
        return self._cipher.seal(counter, header, plaintext)

    def _renew_if_resumed(self, *, now: float, wall: float) -> None:
        # On a one-way link nobody could ask whether a new run with a wrong clock is fresh.
        if self._introduce_every is None and self._run.renew_after_jump(now=now, wall=wall):
            self._begin_run()

    def _open_short(self, form: ShortForm) -> bytes | None:
        found = self._receivers.open_short(form)
        if found is None:
            self.counters.forged += 1
            return None
        _, opened, verdict = found
        return (opened or None) if self.counters.judged(verdict) else None

    def _open_long(self, form: LongForm, now: float) -> bytes | None:
        """An answer of a receiver that does not know yet that we know it."""
        if self._receivers.is_over(form.run):
            self.counters.outdated += 1
            return None
        peer = self._receivers.find(form.run)
        known = peer is not None
        if peer is None:
            runs = self._run.id + form.run
            cipher = derive_cipher(self._key, "back", stream=self._stream, runs=runs)
            peer = Peer(form.run, cipher, ReplayWindow(form.counter))
        opened = peer.cipher.open(form.counter, form.header, form.sealed)
        if opened is None:
            self.counters.forged += 1
            return None
        if known:
            verdict = self._receivers.take(peer, form.counter)
        else:
            verdict = Verdict.NEW
            self._receivers.add(peer)
            self.newcomers += opened == b""
        if not self.counters.judged(verdict):
            return None
        self._echo_to(peer, now)
        return opened or None

    def _hear_question(self, form: LongForm) -> None:
        """A receiver does not know our run, or not that it is fresh."""
        cipher = derive_cipher(self._key, "ask", stream=self._stream, runs=form.run)
        if cipher.open(form.counter, form.header, form.sealed) is None:
            self.counters.forged += 1
            return
        self.counters.opened += 1
        # Somebody may repeat old questions: however many come, they cost an introduction a second,
        # and each receiver has its turn. A question makes no peer: it proves nothing of freshness.
        if len(self._askers) < _ASKERS:
            self._askers[form.run] = None

    def _asker_due(self, now: float) -> bool:
        last = self._asker_echoed_at
        return bool(self._askers) and (last is None or now - last >= _UNHEARD_INTERVAL)

    def _echo_to(self, peer: Peer, now: float) -> None:
        if peer.echoed_at is not None and now - peer.echoed_at < peer.echo_gap:
            return
        if peer.echoed_at is not None:
            peer.echo_gap = min(2 * peer.echo_gap, _LONGEST_ECHO_GAP)
        peer.echoed_at = now
        self._echoes.append(echo_of(peer.run, answered=True))
