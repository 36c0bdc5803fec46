"""Answers that never end: the page's updates, the console's lines, and moving JPEG."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from misc_receiver.view.event_log import LoggedLine
from misc_receiver.view.gallery import Gallery
from misc_receiver.view.kept_picture import KeptPicture
from misc_receiver.view.pictures import PictureRoutes
from misc_receiver.view.watchers import Watchers

__all__ = ["FeedRoutes"]

_MOST = 256
"""Viewers at a time; each costs a socket and at most one answer that waits to be read."""

_PATIENCE = 60.0
"""Seconds after which a viewer that reads nothing is let go."""

_SILENCE = 15.0
"""Seconds after which something is said, so that both ends notice a dead connection."""

_REPEAT = 2.0
"""The same for moving JPEG: players take longer silence for the end."""

_IN_FLIGHT = 1 << 16
"""Bytes that wait in the kernel for a slow viewer: what waits there is old when it comes."""


class FeedRoutes:
    """Sends what is newest when the viewer can take it.

    Args:
        gallery: what there is to show.
        watchers: who is told of changes.
        pictures: encodes pictures.
    """

    def __init__(self, gallery: Gallery, watchers: Watchers, pictures: PictureRoutes) -> None:
        self._gallery = gallery
        self._watchers = watchers
        self._pictures = pictures

    def add_to(self, app: web.Application) -> None:
        """Serve the feeds."""
        app.router.add_get("/live", self.live, allow_head=False)
        app.router.add_get("/events", self.events, allow_head=False)
        app.router.add_get("/streams/{stream}/live.mjpg", self.mjpeg, allow_head=False)

    async def live(self, request: web.Request) -> web.StreamResponse:
        """All streams once, then those that change."""
        with self._watchers.watch() as watcher:
            async with self._endless(request, "text/event-stream") as response:
                await _send(response, _event(self._gallery.update()))
                while not self._watchers.closing:
                    changed = await watcher.changes(within=_SILENCE)
                    update = self._gallery.update(sorted(changed - {""}))
                    await _send(response, _event(update))
        return response

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The console's lines; `?stream=` for those of one stream."""
        wanted = request.query.get("stream")
        log = self._gallery.log
        last = request.headers.get("Last-Event-ID", "")
        seen = int(last) if last.isascii() and last.isdecimal() else log.newest
        with self._watchers.watch(wanted) as watcher:
            async with self._endless(request, "text/event-stream") as response:
                await _send(response, b": reports of misc-recv\n\n")
                while not self._watchers.closing:
                    lines = log.after(min(seen, log.newest))
                    await _send(response, _lines(lines, after=seen, stream=wanted) or b":\n\n")
                    seen = lines[-1].number if lines else seen
                    if seen == log.newest:
                        await watcher.changes(within=_SILENCE)
        return response

    async def mjpeg(self, request: web.Request) -> web.StreamResponse:
        """The best picture there is, or `?picture=coarse`, each time that it changes."""
        name, kind = request.match_info["stream"], request.query.get("picture", "latest")
        self._pictures.known(name, kind)
        loop = asyncio.get_running_loop()
        sent: KeptPicture | None = None
        again = loop.time()
        with self._watchers.watch(name) as watcher:
            content = "multipart/x-mixed-replace; boundary=picture"
            async with self._endless(request, content) as response:
                await _send(response, b"--picture\r\n")
                while not self._watchers.closing:
                    picture = self._gallery.picture(name, kind)
                    if picture is None or (picture is sent and loop.time() < again):
                        await watcher.changes(within=_REPEAT)
                        continue
                    sent, again = picture, loop.time() + _REPEAT
                    await self._send_part(response, picture)
        return response

    async def _send_part(self, response: web.StreamResponse, picture: KeptPicture) -> None:
        data = await self._pictures.encoded(picture, "jpg")
        if data is not None:
            head = f"Content-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            # The next boundary at once: browsers show a part only when they have seen its end.
            await _send(response, head.encode() + data + b"\r\n--picture\r\n")

    @asynccontextmanager
    async def _endless(
        self, request: web.Request, content_type: str
    ) -> AsyncIterator[web.StreamResponse]:
        if len(self._watchers) > _MOST:
            raise web.HTTPServiceUnavailable(text="too many viewers", headers={"Retry-After": "30"})
        response = web.StreamResponse(headers={"Content-Type": content_type})
        _keep_short(request)
        await response.prepare(request)
        try:
            yield response
        except (ConnectionError, TimeoutError):
            if request.transport is not None:
                request.transport.abort()


async def _send(response: web.StreamResponse, data: bytes) -> None:
    """Write, and wait until most of it has left.

    Raises:
        TimeoutError: the viewer does not read.
        ConnectionError: it has gone.
    """
    async with asyncio.timeout(_PATIENCE):
        await response.write(data)


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
