"""Answers that never end: the page's updates, the console's lines, and moving JPEG."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from misc_receiver.view.access import ViewAccess
from misc_receiver.view.event_log import LoggedLine
from misc_receiver.view.gallery import Gallery
from misc_receiver.view.kept_picture import KeptPicture
from misc_receiver.view.pictures import PictureRoutes
from misc_receiver.view.watchers import Watchers

__all__ = ["FeedRoutes"]

_SILENCE = 15.0
"""Seconds after which something is said, so that both ends notice a dead connection."""

_REPEAT = 2.0
"""The same for moving JPEG: players take longer silence for the end."""

_LONGEST_ID = 18
"""Digits of a line's number."""

_IN_FLIGHT = 1 << 16
"""Bytes that wait in the kernel for a slow viewer: what waits there is old when it comes."""


class FeedRoutes:
    """Sends what is newest when the viewer can take it.

    Args:
        gallery: what there is to show.
        watchers: who is told of changes.
        pictures: encodes pictures.
        access: who may go on watching; None for everybody.
    """

    def __init__(
        self,
        gallery: Gallery,
        watchers: Watchers,
        pictures: PictureRoutes,
        *,
        access: ViewAccess | None,
    ) -> None:
        self._gallery = gallery
        self._watchers = watchers
        self._pictures = pictures
        self._access = access

    def add_to(self, app: web.Application) -> None:
        """Serve the feeds."""
        app.router.add_get("/live", self.live, allow_head=False)
        app.router.add_get("/events", self.events, allow_head=False)
        app.router.add_get("/streams/{stream}/live.mjpg", self.mjpeg, allow_head=False)

    async def live(self, request: web.Request) -> web.StreamResponse:
        """All streams once, then those that change."""
        stays = self._stays(request)
        with self._watchers.watch() as watcher:
            async with self._endless(request, "text/event-stream") as response:
                await response.write(_event(self._gallery.update()))
                while stays():
                    changed = await watcher.changes(within=_SILENCE)
                    update = self._gallery.update(sorted(changed - {""}))
                    await response.write(_event(update))
        return response

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The console's lines; `?stream=` for those of one stream."""
        wanted = request.query.get("stream")
        log = self._gallery.log
        seen = _last_seen(request.headers.get("Last-Event-ID", ""), newest=log.newest)
        stays = self._stays(request)
        with self._watchers.watch(wanted) as watcher:
            async with self._endless(request, "text/event-stream") as response:
                await response.write(b": reports of misc-recv\n\n")
                while stays():
                    lines = log.after(seen)
                    await response.write(_lines(lines, after=seen, stream=wanted) or b":\n\n")
                    seen = lines[-1].number if lines else seen
                    if seen >= log.newest:
                        await watcher.changes(within=_SILENCE)
        return response

    async def mjpeg(self, request: web.Request) -> web.StreamResponse:
        """The best picture there is, or `?picture=coarse`, each time that it changes."""
        name, kind = request.match_info["stream"], request.query.get("picture", "latest")
        self._pictures.known(name, kind)
        loop = asyncio.get_running_loop()
        sent: KeptPicture | None = None
        again = loop.time()
        stays = self._stays(request)
        with self._watchers.watch(name) as watcher:
            content = "multipart/x-mixed-replace; boundary=picture"
            async with self._endless(request, content) as response:
                await response.write(b"--picture\r\n")
                while stays():
                    picture = self._gallery.picture(name, kind)
                    if picture is None or (picture is sent and loop.time() < again):
                        await watcher.changes(within=_REPEAT)
                        continue
                    sent, again = picture, loop.time() + _REPEAT
                    await self._send_part(response, picture)
        return response

    def _stays(self, request: web.Request) -> Callable[[], bool]:
        """Tells whether a viewer may stay: until its session or the server ends."""
        access = self._access
        session = None if access is None else access.session_of(request)

        def stays() -> bool:
            ended = (
                access is not None and session is not None and not access.sessions.knows(session)
            )
            return not ended and not self._watchers.closing

        return stays

    async def _send_part(self, response: web.StreamResponse, picture: KeptPicture) -> None:
        data = await self._pictures.encoded(picture, "jpg")
        if data is not None:
            head = f"Content-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            # The next boundary at once: browsers show a part only when they have seen its end.
            await response.write(head.encode() + data + b"\r\n--picture\r\n")

    @asynccontextmanager
    async def _endless(
        self, request: web.Request, content_type: str
    ) -> AsyncIterator[web.StreamResponse]:
        response = web.StreamResponse(headers={"Content-Type": content_type})
        _keep_short(request)
        await response.prepare(request)
        try:
            yield response
        except ConnectionError:
            return  # the viewer has gone, or has not read for so long that it was let go


def _last_seen(last: str, *, newest: int) -> int:
    """The number of the last line that a reader has seen.

    Args:
        last: its Last-Event-ID header, or nothing.
        newest: the number of the newest line.

    Raises:
        HTTPBadRequest: the header is no number of ours.
    """
    if not last:
        return newest
    if not (last.isascii() and last.isdecimal() and len(last) <= _LONGEST_ID):
        raise web.HTTPBadRequest(text="the Last-Event-ID is not the number of a line")
    # What is not written yet was seen in an earlier run of ours: it goes on from now.
    return min(int(last), newest)


def _keep_short(request: web.Request) -> None:
    """Let little wait between us and a slow viewer."""
    if request.transport is None:
        return
    connection = request.transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _IN_FLIGHT)
    if isinstance(request.transport, asyncio.WriteTransport):
        request.transport.set_write_buffer_limits(high=_IN_FLIGHT)


def _event(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"


def _lines(lines: list[LoggedLine], *, after: int, stream: str | None) -> bytes:
    """Lines as events; what the ring has lost is told by its number."""
    missed = lines[0].number - after - 1 if lines else 0
    parts = [f'event: missed\ndata: {{"missed":{missed}}}\n\n'.encode()] if missed > 0 else []
    parts += [
        b"id: %d\ndata: %b\n\n" % (line.number, line.line)
        for line in lines
        if stream is None or line.stream in {"", stream}
    ]
    return b"".join(parts)
