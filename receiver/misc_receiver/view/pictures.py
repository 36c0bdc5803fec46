"""Pictures, words and recordings as files."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import msgspec
from aiohttp import web

from misc_receiver.view.gallery import Gallery
from misc_receiver.view.kept_picture import FileKind, KeptPicture

__all__ = ["PictureRoutes", "json_answer"]

_TYPES: dict[str, str] = {"jpg": "image/jpeg", "png": "image/png"}
_LATEST = "/streams/{stream}/{picture:latest|coarse|refined}.{format:jpg|png}"
_OF_FRAME = "/streams/{stream}/frames/{frame}/{picture:coarse|preview|refined}.{format:jpg|png}"

_LASTING = "private, max-age=600, immutable"
"""For a picture named by its version: it never changes."""


class PictureRoutes:
    """Serves what can be fetched once.

    Args:
        gallery: what there is to show.
    """

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._encoding = ThreadPoolExecutor(1, thread_name_prefix="view-encode")

    def add_to(self, app: web.Application) -> None:
        """Serve the files."""
        get = app.router.add_get
        get("/streams", self.streams)
        get("/streams/{stream}", self.stream)
        get("/streams/{stream}/frames", self.frames)
        get(_LATEST, self.picture)
        get(_OF_FRAME, self.picture)
        get("/streams/{stream}/semantics.json", self.semantics)
        get("/streams/{stream}/frames/{frame}/semantics.json", self.semantics)
        get("/streams/{stream}/recording.misc", self.recording)

    def close(self) -> None:
        """Let go of the thread."""
        self._encoding.shutdown(wait=False, cancel_futures=True)

    def known(self, stream: str, picture: str) -> None:
        """Check what a viewer wants to follow.

        Raises:
            HTTPNotFound: there is no such stream or kind of picture.
        """
        if stream not in self._gallery.names() or picture not in {"latest", "coarse", "refined"}:
            raise _missing(f"there is no stream {stream!r} with a picture {picture!r}")

    async def encoded(self, picture: KeptPicture, kind: FileKind) -> bytes | None:
        """A picture's file; encoded in a thread, once for all who ask."""
        ready = picture.ready(kind)
        if ready is not None:
            return ready
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._encoding, picture.file, kind)

    async def streams(self, request: web.Request) -> web.Response:
        """All streams."""
        return json_answer(request, self._gallery.update())

    async def stream(self, request: web.Request) -> web.Response:
        """One stream."""
        view = self._gallery.view(request.match_info["stream"])
        if view is None:
            raise _missing(f"there is no stream {request.match_info['stream']!r}")
        return json_answer(request, msgspec.json.encode(view))

    async def frames(self, request: web.Request) -> web.Response:
        """The last frames of a stream, the oldest first."""
        frames = self._gallery.frames(request.match_info["stream"])
        if frames is None:
            raise _missing(f"there is no stream {request.match_info['stream']!r}")
        return json_answer(request, msgspec.json.encode(frames))

    async def picture(self, request: web.Request) -> web.StreamResponse:
        """A picture as a file; with an ETag, so that who has it already is told in a line."""
        info = request.match_info
        kind: FileKind = "png" if info["format"] == "png" else "jpg"
        picture = self._gallery.picture(info["stream"], info["picture"], info.get("frame"))
        if picture is None:
            raise _missing("there is no such picture")
        etag = f"{picture.kind}-{picture.version}-{kind}"
        headers = {
            "Content-Type": _TYPES[kind],
            "ETag": f'"{etag}"',
            "Last-Modified": formatdate(picture.decoded, usegmt=True),
            "Cache-Control": _cache_for(request, picture),
            "X-Misc-Picture": picture.kind,
            "X-Misc-Generated": "yes" if picture.generated else "no",
        }
        if _has_it(request, etag, picture):
            return web.Response(status=304, headers=headers)
        data = await self.encoded(picture, kind)
        if data is None:
            raise _missing("of earlier frames, pictures are kept as JPEG, and not for ever")
        return web.Response(body=data, headers=headers)

    async def semantics(self, request: web.Request) -> web.Response:
        """A frame's words and maps, in the form that `misc-send --semantics file` reads."""
        info = request.match_info
        said = self._gallery.semantics(info["stream"], info.get("frame"))
        if said is None:
            raise _missing("there is no such frame")
        return json_answer(request, msgspec.json.encode(said))

    async def recording(self, request: web.Request) -> web.Response:
        """The newest part of a stream as a recording."""
        name = request.match_info["stream"]
        data = self._gallery.recording(name)
        if data is None:
            raise _missing(f"there is no stream {name!r}")
        return web.Response(
            body=data,
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Disposition": f'attachment; filename="{name}.misc"',
            },
        )


def json_answer(request: web.Request, body: bytes) -> web.Response:
    """Answer with JSON; `Accept` is not looked at, for nothing else is to be had."""
    del request
    return web.Response(
        body=body, content_type="application/json", headers={"Cache-Control": "no-cache"}
    )


def _has_it(request: web.Request, etag: str, picture: KeptPicture) -> bool:
    if request.if_none_match:
        return any(tag.value in {etag, "*"} for tag in request.if_none_match)
    since = request.if_modified_since
    return since is not None and int(picture.decoded) <= since.timestamp()


def _cache_for(request: web.Request, picture: KeptPicture) -> str:
    return _LASTING if request.query.get("v") == str(picture.version) else "private, no-cache"


def _missing(sentence: str) -> web.HTTPNotFound:
    return web.HTTPNotFound(text=sentence)
