"""The sending end over WebRTC: invites the receiver, and again whenever the connection is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from pathlib import Path

from misc_shared.companions import end_tasks
from misc_shared.errors import TransportError, WireError
from misc_shared.transports.address import WebrtcAddress
from misc_shared.transports.backoff import Backoff
from misc_shared.transports.webrtc.endpoint import MAX_MTU, WebrtcEndpoint
from misc_shared.transports.webrtc.link import DataLink
from misc_shared.transports.webrtc.options import WebrtcOptions, parse_ice_server
from misc_shared.transports.webrtc.signalling import WhipClient

__all__ = ["WebrtcSender"]

_log = logging.getLogger(__name__)

_OPEN_TIMEOUT = 45.0
"""Seconds for ICE, DTLS and SCTP together: ten round trips or so."""

_LONGEST_BACKOFF = 3.0
"""Seconds: a picture has to be there soon after a link's return."""

_LOOK_EVERY = 1.0
# RFC 9260, 6.2: a confirmation may wait 200 ms, or 500 at most. Nobody waits for ours, and within
# half a second it most often goes along with the next picture.
_SACK_PATIENCE = 0.5
_RECEIVERS_SACK_PATIENCE = 0.2


class WebrtcSender(WebrtcEndpoint):
    """The sending end of a stream; made by `WebrtcSender.connect`.

    Args:
        address: the receiver.
        stream: the stream's name.
        mtu: bytes of the largest datagram.
        options: how connections are made.
        client: the signalling.
    """

    def __init__(
        self,
        address: WebrtcAddress,
        *,
        stream: str,
        mtu: int,
        options: WebrtcOptions,
        client: WhipClient,
    ) -> None:
        super().__init__(stream=stream, mtu=mtu)
        self._address = address
        self._options = options
        self._client = client
        self._keeper: asyncio.Task[None] | None = None
        self._link_died = asyncio.Event()

    @classmethod
    async def connect(
        cls,
        address: WebrtcAddress,
        *,
        stream: str,
        options: WebrtcOptions,
        mtu: int = MAX_MTU,
        ca_file: Path | None = None,
    ) -> WebrtcSender:
        """Reach the receiver for the first time, or say in one sentence why not.

        Raises:
            ConfigError: an option makes no sense.
            TransportError: the receiver does not answer or refuses us, or media find no way.
        """
        options.check()
        tls = _tls_context(ca_file) if address.tls else None
        client = WhipClient(address, stream=stream, token=options.known_token(), tls=tls)
        sender = cls(address, stream=stream, mtu=mtu, options=options, client=client)
        link = await sender._make_link()
        sender._keeper = asyncio.create_task(sender._keep_connected(link))
        sender._keeper.add_done_callback(lambda _: sender.finish())
        return sender

    async def _let_go(self) -> None:
        link = self.link
        if self._keeper is not None:
            await end_tasks(self._keeper)
            if not self._keeper.cancelled():
                self._keeper.result()  # where it failed in a way nobody foresaw
        if link is None:
            # The other end may not have noticed; a live link's end it hears on the link itself.
            await self._client.bye()

    async def _keep_connected(self, link: DataLink) -> None:
        while True:
            self.attach(link)
            try:
                await self._until_doubtful(link)
                new = await self._replace(link)
            except BaseException:
                await link.close()
                raise
            if new is not link:
                self.detach(link)
                await link.close()
                link = new

    async def _until_doubtful(self, link: DataLink) -> None:
        """Wait until the link is dead, or silent where it should not be."""
        while not link.dead and not link.silent_too_long(time.monotonic()):
            self._link_died.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY):
                    await self._link_died.wait()

    async def _replace(self, old: DataLink) -> DataLink:
        """Make a new link; the old one may yet come back to life and stay."""
        if old.dead:
            self.detach(old)
        doubted_at = time.monotonic()
        attempt = asyncio.create_task(self._insist())
        try:
            while not attempt.done():
                await asyncio.wait({attempt}, timeout=_LOOK_EVERY)
                if old.usable and old.heard_at > doubted_at and not attempt.done():
                    return old
            return attempt.result()
        finally:
            await end_tasks(attempt)

    async def _insist(self) -> DataLink:
        backoff = Backoff(largest=_LONGEST_BACKOFF)
        while True:
            try:
                return await self._make_link()
            except TransportError as error:
                _log.info("%s; trying again", error)
            await asyncio.sleep(backoff.next())

    async def _make_link(self) -> DataLink:
        """Invite the receiver once.

        Raises:
            TransportError: it does not answer, or refuses us.
        """
        address = self._options.ice_address or await _address_towards(self._address)
        link = DataLink(
            addresses=[address],
            ice_servers=[parse_ice_server(text) for text in self._options.ice_servers],
            patience=_SACK_PATIENCE,
            others_patience=_RECEIVERS_SACK_PATIENCE,
            on_message=self.deliver,
            on_change=self._link_changed,
        )
        try:
            await link.take_answer(await self._client.invite(await link.make_offer()))
            async with asyncio.timeout(_OPEN_TIMEOUT):
                await link.until_open()
        except BaseException as error:
            await link.close()
            match error:
                case WireError():
                    raise TransportError(
                        f"what answers at {self._address.origin} is no receiver of ours: {error}"
                    ) from None
                case ConnectionError() | TimeoutError():
                    raise TransportError(
                        f"the receiver at {self._address.host} answers, but no UDP packets come "
                        "through; open the way, or name a TURN server with --ice-server"
                    ) from None
            raise
        return link

    def _link_changed(self) -> None:
        self._link_died.set()
        self.changed()


async def _address_towards(address: WebrtcAddress) -> str:
    """The address of this machine from which packets to the receiver go out.

    Only that one is offered: every other costs bytes and checks on a narrow link.

    Raises:
        TransportError: the receiver's name is not known, or no way leads there.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)
        family, _, _, _, target = found[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(target)  # sends nothing
            return str(probe.getsockname()[0])
    except OSError as error:
        raise TransportError(
            f"no way leads to the receiver at {address.host}: {error.strerror or error}"
        ) from None


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise TransportError(f"cannot use the CA file {ca_file}: {error}") from None
