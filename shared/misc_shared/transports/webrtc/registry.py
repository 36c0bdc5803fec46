"""The streams that a receiver knows, and the links that they come by."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from misc_shared.transports.webrtc.endpoint import WebrtcEndpoint
from misc_shared.transports.webrtc.link import DataLink

__all__ = ["AcceptedStream", "Registry", "Session"]

_ABSENT_FOR = 3600.0
"""Seconds after which a stream whose sender stays away is over."""


@dataclass(eq=False)
class Session:
    """One link as the signalling knows it.

    Attributes:
        stream: the stream's name.
        link: the connection.
        id: part of the URL that ends the session; nobody but its sender knows it.
    """

    stream: str
    link: DataLink
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)

    def has_id(self, text: str) -> bool:
        """Whether this is the id, in constant time."""
        return hmac.compare_digest(self.id.encode(), text.encode())


class AcceptedStream(WebrtcEndpoint):
    """The receiving end of a stream; it goes on when its sender comes back.

    Args:
        stream: the stream's name.
        on_close: called once it is closed.
    """

    def __init__(self, *, stream: str, on_close: Callable[[AcceptedStream], None]) -> None:
        super().__init__(stream=stream)
        self._on_close = on_close
        self._absent: asyncio.TimerHandle | None = None

    def attach(self, link: DataLink) -> None:
        """Go on over this link."""
        if self._absent is not None:
            self._absent.cancel()
            self._absent = None
        super().attach(link)

    def detach(self, link: DataLink) -> None:
        """Wait for the sender's return, for an hour."""
        had = self.link
        super().detach(link)
        if had is link and not self._closed:
            loop = asyncio.get_running_loop()
            self._absent = loop.call_later(_ABSENT_FOR, self.finish)

    def finish(self) -> None:
        """No more will come."""
        if self._absent is not None:
            self._absent.cancel()
            self._absent = None
        super().finish()
        self._on_close(self)


class Registry:
    """Streams by name, and at most one session for each.

    Args:
        limit: streams at a time.
    """

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._streams: dict[str, AcceptedStream] = {}
        self._sessions: dict[str, Session] = {}

    def stream(self, name: str) -> AcceptedStream | None:
        """A stream that was accepted and is not over."""
        return self._streams.get(name)

    def session(self, name: str) -> Session | None:
        """The session by which a stream comes now."""
        return self._sessions.get(name)

    def has_room(self, name: str) -> bool:
        """Whether a stream may come: known ones always may."""
        return name in self._streams or len(self._streams) < self._limit

    def add_stream(self, stream: AcceptedStream) -> None:
        """Accept a stream."""
        self._streams[stream.stream] = stream

    def forget_stream(self, stream: AcceptedStream) -> None:
        """A stream is over."""
        if self._streams.get(stream.stream) is stream:
            del self._streams[stream.stream]

    def replace_session(self, session: Session) -> Session | None:
        """A stream comes by this session from now on; returns the one before."""
        before = self._sessions.get(session.stream)
        self._sessions[session.stream] = session
        return before

    def forget_session(self, session: Session) -> None:
        """A session is over; its stream may come back by another."""
        if self._sessions.get(session.stream) is session:
            del self._sessions[session.stream]
        stream = self._streams.get(session.stream)
        if stream is not None:
            stream.detach(session.link)

    def take_all(self) -> tuple[list[AcceptedStream], list[Session]]:
        """Everything, to end it; nothing is left."""
        streams, sessions = list(self._streams.values()), list(self._sessions.values())
        self._sessions.clear()
        return streams, sessions
