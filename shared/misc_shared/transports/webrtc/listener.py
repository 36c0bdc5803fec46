"""The receiving end over WebRTC: answers the offers of many senders. RFC 9725 (WHIP)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial

from misc_shared.companions import end_tasks
from misc_shared.errors import ConfigError, TransportError
from misc_shared.hosts import is_loopback
from misc_shared.secret_files import refuse_if_shared
from misc_shared.transports.address import WebrtcAddress
from misc_shared.transports.webrtc.link import DataLink
from misc_shared.transports.webrtc.options import WebrtcOptions, make_token, parse_ice_server
from misc_shared.transports.webrtc.registry import AcceptedStream, Registry, Session
from misc_shared.transports.webrtc.server import Busy, Full, Unknown, make_application
from misc_shared.web.places import FairPlaces, PlacesTakenError
from misc_shared.web.server import ConnectionLimits, HttpServer

__all__ = ["WebrtcListener"]

_log = logging.getLogger(__name__)

_OPEN_TIMEOUT = 60.0
"""Seconds after which an offer that leads to no connection is forgotten."""

_CONSENT_TIMEOUT = 3.0
"""Seconds in which a sender that is there answers, before another takes its stream."""

_OPENING = 16
"""Connections that may be under way at a time; each costs a certificate and some sockets."""

_OPENING_PER_ADDRESS = 8

_GRACE = 10.0
"""Seconds that an offer has before it gives its place to others."""

_LIMITS = ConnectionLimits(total=96, per_address=48)
"""A sender needs a connection for a second, to begin and to end."""

# Our answer to a packet is there within a few ms: the confirmation of it goes along.
_SACK_PATIENCE = 0.02
_SENDERS_SACK_PATIENCE = 0.5


@dataclass(eq=False)
class _Opening:
    """An offer on the way to a connection.

    Attributes:
        began: when it came, by the loop's clock.
        task: sees it through, once it is answered.
        lost: whether it had to make room.
    """

    began: float
    task: asyncio.Task[None] | None = None
    lost: bool = False

    def rank(self) -> int | None:
        """How easily it makes room; see `FairPlaces`."""
        return 0 if asyncio.get_running_loop().time() - self.began >= _GRACE else None

    def give_up(self) -> None:
        """Make room."""
        self.lost = True
        if self.task is not None:
            self.task.cancel()


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
        self._opening: FairPlaces[_Opening] = FairPlaces(
            total=_OPENING, per_address=_OPENING_PER_ADDRESS, rank=_Opening.rank
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._http: HttpServer | None = None
        self._token = token
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
        if tls is None:
            options.refuse_tls(f"webrtc+{address.origin}")
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
        if self._http is not None:
            await self._http.close()
        await end_tasks(*self._tasks)
        streams, sessions = self._registry.take_all()
        for stream in streams:
            stream.finish()
        await asyncio.gather(*(session.link.close() for session in sessions))

    async def take_offer(self, stream: str, sdp: str, *, address: str) -> tuple[Session, str]:
        """Answer an offer: of the signalling server.

        Args:
            stream: the stream's name.
            sdp: the offer.
            address: of whom it comes from; see `address_group`.

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
        if not self._registry.has_room(stream):
            raise Full
        opening = self._take_place(address)
        try:
            before = await self._refuse_while_heard(stream)
            session, answer = await self._answer(stream, sdp)
        except BaseException:
            self._opening.leave(opening)
            raise
        if opening.lost:
            await session.link.close()
            raise Full
        opening.task = self._spawn(self._open(session, opening, before=before))
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
        application = make_application(self, token=self._token)
        http = HttpServer(application, name="the signalling", limits=_LIMITS, tls=tls)
        try:
            await http.start(self._address.host, self._address.port)
        except OSError as error:
            raise TransportError(
                f"cannot listen on {self._address.host}:{self._address.port}: "
                f"{error.strerror or error}"
            ) from None
        self._http = http

    def _take_place(self, address: str) -> _Opening:
        opening = _Opening(asyncio.get_running_loop().time())
        try:
            loser = self._opening.enter(opening, address)
        except PlacesTakenError:
            raise Full from None
        if loser is not None:
            loser.give_up()
        return opening

    async def _refuse_while_heard(self, stream: str) -> Session | None:
        """The session before, of a sender that answers no more."""
        before = self._registry.session(stream)
        if before is not None and await before.link.consents(_CONSENT_TIMEOUT):
            raise Busy
        return before

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

    async def _open(self, session: Session, opening: _Opening, *, before: Session | None) -> None:
        """See a session through: until it is open, and then until it dies."""
        name, link = session.stream, session.link
        try:
            try:
                async with asyncio.timeout(_OPEN_TIMEOUT):
                    await link.until_open()
            finally:
                self._opening.leave(opening)
            self._check_first(session, before)
            old = self._registry.replace_session(session)
            self._stream_for(name).attach(link)
            if old is not None:
                await old.link.close()
            await link.until_dead()
        except (ConnectionError, TimeoutError) as error:
            _log.info("an offer of the stream %r led to no connection: %s", name, error)
        finally:
            self._registry.forget_session(session)
            await link.close()

    def _check_first(self, session: Session, before: Session | None) -> None:
        """Leave a stream to the first of several that were connecting for it at the same time.

        Raises:
            ConnectionError: another has come first, or there is no room any more.
        """
        now = self._registry.session(session.stream)
        if now is not None and now is not before and not now.link.dead:
            raise ConnectionError("another sender of the stream was faster")
        if not self._registry.has_room(session.stream):
            raise ConnectionError("other streams have taken the last place")

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

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


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
    refuse_if_shared(options.private_key or options.certificate, name="the TLS key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(options.certificate, options.private_key)
    except (OSError, ssl.SSLError) as error:
        raise TransportError(f"cannot use the certificate {options.certificate}: {error}") from None
    return context
