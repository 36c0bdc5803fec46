# ruff: noqa: SLF001 - that is what this module is: the one place that reaches into aiortc and aioice
"""Fits one aiortc connection to slow links and long round trips.

aiortc 1.16 and aioice 0.13 are made for links of megabits and tenths of a second. Beyond that:

- A consent check is given half a second to be answered, so above 500 ms round trip none ever is and
  the connection closes after 30 s. RFC 7675 says no such thing: any answer within 30 s counts.
- Every five seconds such a check and one of the other end cost some 460 bytes: on an idle 20 kbit/s
  link more than pictures do. We ask again after twelve seconds, or three if there was no answer.
- SCTP repeats what is not confirmed after a fixed time-out, again and again. RFC 9260, 6.3.3
  doubles it. Ours also covers the slowest of late: a large message takes longer than a small one.
- Each packet is confirmed by one of its own. RFC 9260, 6.2 lets that wait a while, in which our
  answer to the same packet, or the next message, most often takes the confirmation along.
- Sockets are opened on every address of the machine, but never on 127.0.0.1.

Everything is set on the objects of one connection; nothing of the two libraries is replaced for
anybody else in the process.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Sequence
from importlib.metadata import version
from typing import Protocol

from aioice import Candidate, Connection, stun
from aiortc.rtcsctptransport import DataChunk, RTCSctpTransport, SackChunk

from misc_shared.errors import TransportError

__all__ = ["ConsentKeeper", "Observer", "TunedAssociation", "check_versions", "gather_only_on"]

_log = logging.getLogger(__name__)

_KNOWN = {"aiortc": "1.16.", "aioice": "0.13."}
_CONSENT_LIFETIME = 30.0  # RFC 7675, 5.1
_CONSENT_PAUSE = 12.0
_CONSENT_RETRY = 3.0
_FIRST_TIMEOUT = 3.0
_LEAST_TIMEOUT = 1.0
_MOST_TIMEOUT = 20.0
_SAMPLES = 8


def check_versions() -> None:
    """Refuse versions that this module was not written for.

    Raises:
        TransportError: it is one that may work differently inside.
    """
    for package, known in _KNOWN.items():
        found = version(package)
        if not found.startswith(known):
            raise TransportError(
                f"WebRTC is fitted to {package} {known}x, but {found} is installed; "
                "run: pip install 'misc-streaming[webrtc]'"
            )


class Observer(Protocol):
    """Is told what becomes of messages."""

    def confirmed(self, nbytes: int, *, in_flight: int, round_trip: float | None) -> None:
        """Messages of `nbytes` arrived, of `in_flight` that were under way."""

    def lost_one(self) -> None:
        """A message was not confirmed in time; it will not be repeated."""

    def answered(self, round_trip: float) -> None:
        """The other end consents; `round_trip` is that of a small packet, in seconds."""


class TunedAssociation:
    """An SCTP association that backs off, and confirms together with what it says.

    Args:
        sctp: the association, not yet started.
        observer: who is told.
        patience: seconds that a confirmation of ours may wait for something to go along with.
        others_patience: seconds that one of the other end's may.
    """

    def __init__(
        self,
        sctp: RTCSctpTransport,
        *,
        observer: Observer,
        patience: float,
        others_patience: float,
    ) -> None:
        self._sctp = sctp
        self._observer = observer
        self._patience = patience
        self._others_patience = others_patience
        self._samples: deque[float] = deque(maxlen=_SAMPLES)
        self._round_trip: float | None = None
        self._expiries = 0
        self._sack: asyncio.TimerHandle | None = None
        self._sending: set[asyncio.Task[None]] = set()
        sctp._rto = _FIRST_TIMEOUT
        self._take_sack, sctp._receive_sack_chunk = sctp._receive_sack_chunk, self._on_sack  # type: ignore[method-assign]
        self._expire, sctp._t3_expired = sctp._t3_expired, self._on_timeout  # type: ignore[method-assign]
        self._abandon, sctp._maybe_abandon = sctp._maybe_abandon, self._on_loss  # type: ignore[method-assign]
        self._send_sack, sctp._send_sack = sctp._send_sack, self._delay_sack  # type: ignore[method-assign]
        self._send_chunk, sctp._send_chunk = sctp._send_chunk, self._send_with_sack  # type: ignore[method-assign]
        sctp._update_rto = self._sampled  # type: ignore[method-assign,assignment]

    @property
    def in_flight(self) -> int:
        """Bytes of messages that are not confirmed."""
        return self._sctp._flight_size + self.waiting

    @property
    def waiting(self) -> int:
        """Bytes that SCTP holds back, or has not come round to send."""
        sctp = self._sctp
        queued = sum(len(data) for _, _, data in sctp._data_channel_queue)
        return queued + sum(chunk._book_size for chunk in sctp._outbound_queue)

    def close(self) -> None:
        """Drop the timer."""
        if self._sack is not None:
            self._sack.cancel()
            self._sack = None

    async def _on_sack(self, chunk: SackChunk) -> None:
        before = self._sctp._flight_size
        self._round_trip = None
        await self._take_sack(chunk)
        # Counted as confirmed even if more was sent at once, or given up: few bytes either way.
        self._observer.confirmed(
            max(0, before - self._sctp._flight_size), in_flight=before, round_trip=self._round_trip
        )

    def _sampled(self, seconds: float) -> None:
        """Learn from a round trip: in place of RTCSctpTransport._update_rto. RFC 9260, 6.3.1."""
        sctp = self._sctp
        seconds = max(seconds, 0.0)  # aiortc takes it from the wall clock, which may be set back
        if sctp._srtt is None or sctp._rttvar is None:
            sctp._srtt, sctp._rttvar = seconds, seconds / 2
        else:
            sctp._rttvar += (abs(sctp._srtt - seconds) - sctp._rttvar) / 4
            sctp._srtt += (seconds - sctp._srtt) / 8
        self._samples.append(seconds)
        self._expiries = 0
        self._round_trip = seconds
        sctp._rto = self._timeout()

    def _timeout(self) -> float:
        sctp = self._sctp
        if sctp._srtt is None or sctp._rttvar is None:
            usual = _FIRST_TIMEOUT
        else:
            usual = max(sctp._srtt + 4 * sctp._rttvar, 1.5 * max(self._samples))
            usual += self._others_patience
        return min(max(usual, _LEAST_TIMEOUT) * float(2**self._expiries), _MOST_TIMEOUT)

    def _on_timeout(self) -> None:
        self._expiries = min(self._expiries + 1, 8)
        self._sctp._rto = self._timeout()
        self._expire()

    def _on_loss(self, chunk: DataChunk) -> bool:
        known = chunk._abandoned
        abandoned: bool = self._abandon(chunk)
        if abandoned and not known:
            self._observer.lost_one()
        return abandoned

    async def _delay_sack(self) -> None:
        """Wait for something to go along with, unless something is missing."""
        if self._sctp._sack_misordered or self._sctp._sack_duplicates:
            await self._send_sack_now()
        elif self._sack is None:
            loop = asyncio.get_running_loop()
            self._sack = loop.call_later(self._patience, self._on_patience_over)

    def _on_patience_over(self) -> None:
        # Not let go of yet: on a busy machine this comes late, and what is sent in the same moment
        # still takes the confirmation along.
        task = asyncio.create_task(self._send_sack_if_due())
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send_sack_if_due(self) -> None:
        if self._sack is not None:
            await self._send_sack_now()

    async def _send_sack_now(self) -> None:
        self.close()
        try:
            await self._send_sack()
        except ConnectionError as error:
            _log.debug("a confirmation was not sent: %s", error)

    async def _send_with_sack(self, chunk: object) -> None:
        if not isinstance(chunk, DataChunk) or self._sack is None:
            await self._send_chunk(chunk)  # type: ignore[arg-type]
            return
        self.close()
        sctp = self._sctp
        assert sctp._last_received_tsn is not None  # noqa: S101 - a confirmation is due
        sack = SackChunk()
        sack.cumulative_tsn = sctp._last_received_tsn
        sack.advertised_rwnd = max(0, sctp._advertised_rwnd)
        sctp._sack_needed = False
        await self._send_chunk(_Chunks(sack, chunk))  # type: ignore[arg-type]


class _Chunks:
    """Two chunks of one packet: aiortc serialises whatever turns into bytes."""

    def __init__(self, *chunks: SackChunk | DataChunk) -> None:
        self._chunks = chunks

    def __bytes__(self) -> bytes:
        return b"".join(bytes(chunk) for chunk in self._chunks)


class ConsentKeeper:
    """Asks the other end whether it still wants our packets, in place of aioice's own way.

    Args:
        connection: the ICE connection, not yet connected.
        observer: who is told of answers.
    """

    def __init__(self, connection: Connection, *, observer: Observer) -> None:
        self._connection = connection
        self._observer = observer
        self._asked: set[asyncio.Task[None]] = set()
        self._answered_at = 0.0
        connection.query_consent = self._keep  # type: ignore[method-assign]

    async def probe(self) -> None:
        """Ask once and wait for the answer, up to 30 s.

        Raises:
            ConnectionError: none came, it is a refusal, or we are not connected.
        """
        for pair in list(self._connection._nominated.values()):
            password = self._connection.remote_password
            request = self._connection.build_request(pair, nominate=False)
            if password is None:
                return
            key = password.encode()
            request.add_message_integrity(key)
            transaction = stun.Transaction(
                request, pair.remote_addr, pair.protocol, retransmissions=0, integrity_key=key
            )
            # One request, and all the time that an answer may take (RFC 7675, 5.1).
            transaction._Transaction__timeout_delay = _CONSENT_LIFETIME  # type: ignore[attr-defined]
            pair.protocol.transactions[request.transaction_id] = transaction
            asked_at = time.monotonic()
            try:
                await transaction.run()
            except stun.TransactionError as error:
                raise ConnectionError(f"a consent check failed: {error}") from None
            finally:
                del pair.protocol.transactions[request.transaction_id]
            self._answered_at = time.monotonic()
            self._observer.answered(self._answered_at - asked_at)

    async def _keep(self) -> None:
        """Ask from time to time; close the connection 30 s after the last answer."""
        self._answered_at = time.monotonic()
        try:
            while True:
                asked_at = time.monotonic()
                self._ask()
                # At once if all is well in doubt: RFC 7675 wants the moments spread by a fifth.
                await asyncio.sleep(_CONSENT_RETRY * random.uniform(0.8, 1.2))  # noqa: S311
                if self._answered_at >= asked_at:
                    rest = _CONSENT_PAUSE - _CONSENT_RETRY
                    await asyncio.sleep(rest * random.uniform(0.8, 1.2))  # noqa: S311
                if time.monotonic() - self._answered_at > _CONSENT_LIFETIME:
                    break
        finally:
            for task in self._asked:
                task.cancel()
        _log.info("the other end has not consented for %d s", _CONSENT_LIFETIME)
        self._connection._query_consent_task = None  # or close() would wait for us
        await self._connection.close()

    def _ask(self) -> None:
        task = asyncio.create_task(self._probe_quietly())
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)

    async def _probe_quietly(self) -> None:
        try:
            await self.probe()
        except OSError as error:
            _log.debug("%s", error)


def gather_only_on(connection: Connection, addresses: Sequence[str]) -> None:
    """Open sockets on these addresses of this machine only."""
    gather = connection.get_component_candidates

    async def on_ours(
        component: int,
        addresses: list[str],
        timeout: int = 5,  # noqa: ASYNC109 - aioice's own
    ) -> list[Candidate]:
        del addresses
        return await gather(component, ours, timeout)

    ours = list(addresses)
    connection.get_component_candidates = on_ours  # type: ignore[method-assign]
