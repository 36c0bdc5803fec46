"""The receiving end over WebRTC: answers the offers of many senders. RFC 9725 (WHIP)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import sys
from collections.abc import Callable, Coroutine
from functools import partial

from aiohttp import web

from misc_shared.companions import end_tasks
from misc_shared.errors import ConfigError, TransportError
from misc_shared.transports.address import WebrtcAddress, is_loopback
from misc_shared.transports.webrtc.link import DataLink
from misc_shared.transports.webrtc.options import WebrtcOptions, make_token, parse_ice_server
from misc_shared.transports.webrtc.registry import AcceptedStream, Registry, Session
from misc_shared.transports.webrtc.server import Busy, Full, Unknown, make_application

__all__ = ["WebrtcListener"]

_log = logging.getLogger(__name__)

_OPEN_TIMEOUT = 60.0
"""Seconds after which an offer that leads to no connection is forgotten."""

_CONSENT_TIMEOUT = 3.0
"""Seconds in which a sender that is there answers, before another takes its stream."""

_OPENING = 16
"""Connections that may be under way at a time."""

# Our answer to a packet is there within a few ms: the confirmation of it goes along.
_SACK_PATIENCE = 0.02
_SENDERS_SACK_PATIENCE = 0.5


class WebrtcListener:
    """Serves the signalling and gives a Transport for each stream; made by `WebrtcListener.open`.

    A sender that comes back under its stream's name goes on with the same Transport. A second
    sender of the name is refused while the first one answers.

    Args:
        address: where to listen.
        options: how connections are made.
        token: the bearer token, or None for none.
    """

    def __init__(
        self, address: WebrtcAddress, *, options: WebrtcOptions, token: str | None
    ) -> None:
        self._address = address
        self._options = options
        self._registry = Registry(limit=options.sessions)
        self._accepted: asyncio.Queue[AcceptedStream | None] = asyncio.Queue()
        self._only = address.stream
        self._opening: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner = web.AppRunner(
            make_application(self, token=token), access_log=None, keepalive_timeout=15.0
        )
        self._closed = False

    @classmethod
    async def open(cls, address: WebrtcAddress, *, options: WebrtcOptions) -> WebrtcListener:
        """Listen; beyond this host only with a token, which is drawn and shown if none was given.

        Raises:
            ConfigError: an option makes no sense, or the certificate is missing.
            TransportError: the address cannot be listened on.
        """
        options.check()
        tls = _tls_context(options) if address.tls else None
        listener = cls(address, options=options, token=_token_for(address, options))
        await listener._start(tls)
        return listener

    def expect_only(self, stream: str) -> AcceptedStream:
        """Give the transport of the one stream that we wait for, before its sender comes.

        Closing it closes the listener.
        """
        self._only = stream
        expected = _OnlyStream(self, stream=stream, on_close=self._registry.forget_stream)
        self._registry.add_stream(expected)
        return expected

    async def accept(self) -> AcceptedStream | None:
        """Wait for the next stream; None says that no more will come."""
        if self._closed:
            raise TransportError(f"nobody listens on {self._address.origin} any more")
        return await self._accepted.get()

    async def close(self) -> None:
        """Take no more streams and end the connections."""
        if self._closed:
            return
        self._closed = True
        self._accepted.put_nowait(None)
        await self._runner.cleanup()
        await end_tasks(*self._tasks)
        streams, sessions = self._registry.take_all()
        for stream in streams:
            stream.finish()
        await asyncio.gather(*(session.link.close() for session in sessions))

    async def take_offer(self, stream: str, sdp: str) -> tuple[Session, str]:
        """Answer an offer: of the signalling server.

        Returns:
            The session, and the SDP of the answer.

        Raises:
            Unknown: this stream is not waited for.
            Busy: a sender of this stream is there.
            Full: there is no room.
            WireError: the offer is malformed.
        """
        if self._only not in (None, stream):
            raise Unknown
        if stream in self._opening:
            raise Busy
        if len(self._opening) >= _OPENING or not self._registry.has_room(stream):
            raise Full
        self._opening.add(stream)
        try:
            await self._refuse_while_heard(stream)
            session, answer = await self._answer(stream, sdp)
        except BaseException:
            self._opening.discard(stream)
            raise
        self._spawn(self._open(session))
        return session, answer

    async def end(self, stream: str, session_id: str) -> bool:
        """End a session; False if there is none of this id."""
        session = self._registry.session(stream)
        if session is None or not session.has_id(session_id):
            return False
        self._registry.forget_session(session)
        await session.link.close()
        return True

    async def _start(self, tls: ssl.SSLContext | None) -> None:
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, self._address.host, self._address.port, ssl_context=tls, backlog=64
        )
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise TransportError(
                f"cannot listen on {self._address.host}:{self._address.port}: "
                f"{error.strerror or error}"
            ) from None

    async def _refuse_while_heard(self, stream: str) -> None:
        before = self._registry.session(stream)
        if before is not None and await before.link.consents(_CONSENT_TIMEOUT):
            raise Busy

    async def _answer(self, stream: str, sdp: str) -> tuple[Session, str]:
        deliver = partial(self._deliver, stream)
        link = DataLink(
            addresses=await _media_addresses(self._address.host, self._options.ice_address),
            ice_servers=[parse_ice_server(text) for text in self._options.ice_servers],
            patience=_SACK_PATIENCE,
            others_patience=_SENDERS_SACK_PATIENCE,
            on_message=deliver,
            on_change=partial(self._changed, stream),
        )
        try:
            answer = await link.take_offer(sdp)
        except BaseException:
            await link.close()
            raise
        return Session(stream, link), answer

    async def _open(self, session: Session) -> None:
        """See a session through: until it is open, and then until it dies."""
        name, link = session.stream, session.link
        try:
            try:
                async with asyncio.timeout(_OPEN_TIMEOUT):
                    await link.until_open()
            finally:
                self._opening.discard(name)
            before = self._registry.replace_session(session)
            self._stream_for(name).attach(link)
            if before is not None:
                await before.link.close()
            await link.until_dead()
        except (ConnectionError, TimeoutError) as error:
            _log.info("an offer of the stream %r led to no connection: %s", name, error)
        finally:
            self._registry.forget_session(session)
            await link.close()

    def _stream_for(self, name: str) -> AcceptedStream:
        stream = self._registry.stream(name)
        if stream is None:
            stream = AcceptedStream(stream=name, on_close=self._registry.forget_stream)
            self._registry.add_stream(stream)
            self._accepted.put_nowait(stream)
        return stream

    def _deliver(self, name: str, message: bytes) -> None:
        stream = self._registry.stream(name)
        if stream is not None:
            stream.deliver(message)

    def _changed(self, name: str) -> None:
        stream = self._registry.stream(name)
        if stream is not None:
            stream.changed()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _OnlyStream(AcceptedStream):
    """A stream that has a listener to itself.

    Args:
        listener: what ends with it.
        stream: the stream's name.
        on_close: called once it is closed.
    """

    def __init__(
        self,
        listener: WebrtcListener,
        *,
        stream: str,
        on_close: Callable[[AcceptedStream], None],
    ) -> None:
        super().__init__(stream=stream, on_close=on_close)
        self._listener = listener

    async def _let_go(self) -> None:
        await self._listener.close()


def _token_for(address: WebrtcAddress, options: WebrtcOptions) -> str | None:
    """The token that senders must show; None if whoever is on this host may send."""
    if options.token_file is not None and not options.token_file.exists():
        token = make_token(options.token_file)
        _announce(f"a new bearer token for senders is in {options.token_file}")
        return token
    known = options.known_token()
    if known is not None or is_loopback(address.host):
        return known
    token = make_token(None)
    _announce(
        f"senders need the bearer token {token} until this ends; to keep one, give "
        "--webrtc-token-file FILE"
    )
    return token


def _announce(sentence: str) -> None:
    # Once, to whoever started us, and never to a log.
    print(f"misc-recv: {sentence}", file=sys.stderr, flush=True)  # noqa: T201


async def _media_addresses(host: str, chosen: str | None) -> list[str]:
    """Where media may come in: where we listen, if that is one address."""
    if chosen is not None:
        return [chosen]
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
        addresses = sorted({str(entry[4][0]) for entry in found})
        return [] if {"0.0.0.0", "::"} & set(addresses) else addresses  # noqa: S104 - a question
    return []


def _tls_context(options: WebrtcOptions) -> ssl.SSLContext:
    if options.certificate is None:
        raise ConfigError(
            "webrtc+https:// needs a certificate to show: give --tls-certificate FILE, or put a "
            "server that has one before webrtc+http://localhost"
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(options.certificate, options.private_key)
    except (OSError, ssl.SSLError) as error:
        raise TransportError(f"cannot use the certificate {options.certificate}: {error}") from None
    return context
