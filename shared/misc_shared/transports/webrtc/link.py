"""One WebRTC connection: an offer, an answer, a data channel and what is in flight on it.

The channel is unordered and repeats nothing: the session has deadlines and repeats by itself, and a
message that waits for an older one to be repeated is no use to it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Callable, Sequence

from aiortc import (
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidStateError
from aiortc.sdp import SessionDescription

from misc_shared.errors import WireError
from misc_shared.transports.webrtc.bundling import MAX_BUNDLE
from misc_shared.transports.webrtc.options import IceServer
from misc_shared.transports.webrtc.tuning import (
    ConsentKeeper,
    TunedAssociation,
    check_versions,
    gather_only_on,
)
from misc_shared.transports.webrtc.window import DelayWindow

__all__ = ["MAX_SDP", "DataLink"]

MAX_SDP = 16_384
"""Bytes of the largest offer or answer."""

_MAX_CANDIDATES = 16
_LAST_PORT = 65_535
_LABEL = "misc"
_PATIENCE = 4.0
_FIRST_ROUND_TRIP = 1.5


class DataLink:
    """One peer connection with one data channel; it lives once and never comes back.

    Args:
        addresses: this machine's addresses that media may use; empty for all.
        ice_servers: whom to ask how we are seen from outside.
        patience: seconds that a confirmation may wait for something to go along with.
        others_patience: seconds that one of the other end's may.
        on_message: called with each message.
        on_change: called when there may be room for another message, and when the link dies.

    Attributes:
        heard_at: when the other end was heard last, by time.monotonic().
        unheard_since: when the first message went out to which nothing was heard yet, or None.
        window: how much may be in flight.
        lost: messages that were not confirmed in time.

    Raises:
        TransportError: the installed aiortc is one that we do not know.
    """

    def __init__(
        self,
        *,
        addresses: Sequence[str],
        ice_servers: Sequence[IceServer],
        patience: float,
        others_patience: float,
        on_message: Callable[[bytes], None],
        on_change: Callable[[], None],
    ) -> None:
        check_versions()
        self.heard_at = time.monotonic()
        self.window = DelayWindow(message=MAX_BUNDLE)
        self.unheard_since: float | None = None
        self.lost = 0
        self._on_message = on_message
        self._on_change = on_change
        self._open = asyncio.Event()
        self._dead = asyncio.Event()
        # An empty list is not None, for which aiortc would ask a server of Google's.
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[*map(_server, ice_servers)]))
        self._channel = self._peer.createDataChannel(
            _LABEL, negotiated=True, id=0, ordered=False, maxRetransmits=0
        )
        sctp = self._channel.transport
        connection = sctp.transport.transport._connection  # noqa: SLF001 - for the tuning
        self._association = TunedAssociation(
            sctp, observer=self, patience=patience, others_patience=others_patience
        )
        self._consent = ConsentKeeper(connection, observer=self)
        if addresses:
            gather_only_on(connection, addresses)
        self._channel.on("open", self._opened)
        self._channel.on("close", self._died)
        self._channel.on("message", self._received)
        self._channel.on("bufferedamountlow", on_change)
        self._peer.on("connectionstatechange", self._state_changed)

    @property
    def dead(self) -> bool:
        """Whether nothing will ever go over it again."""
        return self._dead.is_set()

    @property
    def usable(self) -> bool:
        """Whether messages can go."""
        return self._open.is_set() and not self.dead

    @property
    def in_flight(self) -> int:
        """Bytes that are not confirmed."""
        return self._association.in_flight

    def wait(self) -> float | None:
        """Seconds until the next message may go; None if only a confirmation can tell."""
        if not self.usable or self._association.waiting or not self.window.allows(self.in_flight):
            return None
        return self.window.wait(time.monotonic())

    def silent_too_long(self, now: float) -> bool:
        """Whether it is time to doubt that the other end is there."""
        known = self.window.round_trip or self.window.shortest or _FIRST_ROUND_TRIP
        limit = _PATIENCE + 3 * known
        return self.unheard_since is not None and now > self.unheard_since + limit

    def send(self, message: bytes) -> None:
        """Send one message of at most MAX_BUNDLE bytes; nothing happens on a dead link."""
        if self.usable:
            now = time.monotonic()
            self.window.sent(len(message), now)
            self._channel.send(message)
            if self.unheard_since is None:
                self.unheard_since = now

    async def make_offer(self) -> str:
        """The SDP with which to invite the other end."""
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return str(self._peer.localDescription.sdp)

    async def take_offer(self, sdp: str) -> str:
        """Accept an invitation; returns the SDP of the answer.

        Raises:
            WireError: it is malformed, or not an offer of one data channel.
        """
        await self._describe(sdp, kind="offer")
        try:
            await self._peer.setLocalDescription(await self._peer.createAnswer())
        except (InvalidStateError, ValueError) as error:
            raise WireError(f"the offer cannot be answered: {error}") from None
        return str(self._peer.localDescription.sdp)

    async def take_answer(self, sdp: str) -> None:
        """Take the answer to our offer.

        Raises:
            WireError: it is malformed, or not an answer to it.
        """
        await self._describe(sdp, kind="answer")

    async def until_open(self) -> None:
        """Wait until messages can go.

        Raises:
            ConnectionError: the connection could not be made.
        """
        await self._open.wait()
        if self.dead:
            raise ConnectionError("no way for media was found")

    async def until_dead(self) -> None:
        """Wait until nothing will ever go over it again."""
        await self._dead.wait()

    async def consents(self, timeout: float) -> bool:  # noqa: ASYNC109 - the caller's patience
        """Ask the other end whether it is there."""
        before = self.heard_at
        try:
            async with asyncio.timeout(timeout):
                await self._consent.probe()
        except OSError:  # a time-out or no connection
            return self.usable and self.heard_at > before
        return self.usable

    async def close(self) -> None:
        """End the connection, and tell the other end if it listens."""
        self._died()
        self._association.close()
        await self._peer.close()

    def confirmed(self, nbytes: int, *, in_flight: int, round_trip: float | None) -> None:
        """Note a confirmation: of `Observer`."""
        now = self._hear()
        if round_trip is not None:
            self.window.acknowledged(nbytes, in_flight=in_flight, round_trip=round_trip, now=now)
        self._on_change()

    def lost_one(self) -> None:
        """Note a loss."""
        self.lost += 1
        self.window.lost(time.monotonic())
        self._on_change()

    def answered(self, round_trip: float) -> None:
        """Note that the other end is there: of `Observer`."""
        self.window.probed(round_trip, self._hear())

    async def _describe(self, sdp: str, *, kind: str) -> None:
        try:
            description = RTCSessionDescription(sdp=_checked(sdp), type=kind)
            await self._peer.setRemoteDescription(description)
        except WireError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever aiortc's parser stumbles over
            raise WireError(f"the {kind} is malformed: {error!r}") from None

    def _opened(self) -> None:
        self._hear()
        self._open.set()
        self._on_change()

    def _hear(self) -> float:
        self.heard_at, self.unheard_since = time.monotonic(), None
        return self.heard_at

    def _died(self) -> None:
        if not self.dead:
            self._dead.set()
            self._open.set()
            self._on_change()

    def _received(self, message: bytes | str) -> None:
        self._hear()
        if isinstance(message, bytes):
            self._on_message(message)

    def _state_changed(self) -> None:
        if self._peer.connectionState in {"failed", "closed"}:
            self._died()


def _server(server: IceServer) -> RTCIceServer:
    return RTCIceServer(urls=server.url, username=server.user, credential=server.password)


def _checked(sdp: str) -> str:
    """The description without candidates that would cost us a look-up or too many checks.

    Raises:
        WireError: it is too long, or describes anything but one data channel.
    """
    if len(sdp) > MAX_SDP:
        raise WireError(f"a description has {len(sdp)} characters: expected at most {MAX_SDP}")
    lines = sdp.splitlines()
    media = [line for line in lines if line.startswith("m=")]
    if len(media) != 1 or not media[0].startswith("m=application "):
        raise WireError(f"a description has {len(media)} media: expected one, a data channel")
    kept = [line for line in lines if not line.startswith("a=candidate:")]
    candidates = [line for line in lines if line.startswith("a=candidate:") and _usable(line)]
    text = "\r\n".join([*kept, *candidates[:_MAX_CANDIDATES], ""])
    (described,) = SessionDescription.parse(text).media
    if not described.dtls or not described.dtls.fingerprints:
        raise WireError("a description has no fingerprint, so nobody can tell who answers")
    return text


def _usable(candidate: str) -> bool:
    """Whether a datagram can be sent to a candidate: a name would be looked up by multicast.

    RFC 8839, 5.1: foundation, component, transport, priority, address, port.
    """
    words = candidate.split()
    try:
        address, port = ipaddress.ip_address(words[4]), int(words[5])
    except (IndexError, ValueError):
        return False
    return 0 < port <= _LAST_PORT and not (address.is_multicast or address.is_unspecified)
