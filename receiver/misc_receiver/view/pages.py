"""The page's own files and the login."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import parse_qs

from aiohttp import web

from misc_receiver.view.access import COOKIE, ViewAccess
from misc_receiver.view.sessions import SESSION_SECONDS

__all__ = ["PageRoutes"]

_TYPES = {
    "css": "text/css",
    "html": "text/html",
    "js": "text/javascript",
    "json": "application/json",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True)
class _File:
    body: bytes
    content_type: str
    etag: str


class PageRoutes:
    """Serves files from memory; nothing is read from a path that a request names.

    Args:
        access: who may look, or None if nobody needs to log in.
        on_logout: called when a session has ended.
    """

    def __init__(self, access: ViewAccess | None, *, on_logout: Callable[[], None]) -> None:
        self._access = access
        self._on_logout = on_logout
        folder = files("misc_receiver.view")
        self._files = {
            one.name: _load(one.name, one.read_bytes())
            for one in folder.joinpath("static").iterdir()
        }
        self._description = _load("openapi.json", folder.joinpath("openapi.json").read_bytes())
        self._login = self._files.pop("login.html").body.decode()

    def add_to(self, app: web.Application) -> None:
        """Serve the page."""
        app.router.add_get("/", self.page)
        app.router.add_get("/static/{name}", self.file)
        app.router.add_get("/openapi.json", self.description)
        app.router.add_get("/login", self.login)
        app.router.add_post("/login", self.log_in)
        app.router.add_post("/logout", self.log_out)

    async def page(self, request: web.Request) -> web.Response:
        """The page."""
        return _answer(request, self._files["index.html"])

    async def file(self, request: web.Request) -> web.Response:
        """One of the page's files."""
        found = self._files.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound(text="the page has no such file")
        return _answer(request, found)

    async def description(self, request: web.Request) -> web.Response:
        """What all of this is, as OpenAPI."""
        return _answer(request, self._description)

    async def login(self, request: web.Request) -> web.StreamResponse:
        """The form."""
        del request
        if self._access is None:
            return web.Response(status=303, headers={"Location": "/"})
        return self._form(complaint="", status=200)

    async def log_in(self, request: web.Request) -> web.StreamResponse:
        """Take the token, give a cookie."""
        access = self._access
        if access is None:
            return self._form(complaint="Nobody needs to log in here.", status=403)
        given = await _token_in_form(request)
        wait = access.wait(request.remote)
        if wait:
            complaint = f"Too many wrong tokens from your address. Try again in {wait} seconds."
            form = self._form(complaint=complaint, status=429)
            form.headers["Retry-After"] = str(wait)
            return form
        if not access.is_token(given, address=request.remote):
            return self._form(complaint="That is not the token.", status=403)
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie(
            COOKIE,
            access.sessions.open(),
            httponly=True,
            samesite="Strict",
            max_age=SESSION_SECONDS,
            secure=request.secure,
        )
        return response

    async def log_out(self, request: web.Request) -> web.StreamResponse:
        """End the session, for whoever else has its cookie too."""
        if self._access is not None:
            self._access.sessions.end(request.cookies.get(COOKIE, ""))
            self._on_logout()
        response = web.Response(status=303, headers={"Location": "/login"})
        response.del_cookie(COOKIE)
        return response

    def _form(self, *, complaint: str, status: int) -> web.Response:
        # The form is all that a stranger gets, so its style is in it, allowed by its hash.
        html = self._login.replace("{{complaint}}", complaint)
        style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
        digest = hashlib.sha256(style[1].encode() if style else b"").digest()
        policy = (
            f"default-src 'none'; style-src 'sha256-{base64.b64encode(digest).decode()}'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        return web.Response(
            text=html,
            status=status,
            content_type="text/html",
            headers={"Content-Security-Policy": policy},
        )


async def _token_in_form(request: web.Request) -> str:
    """The token that was typed in; empty if this is not our form."""
    text = (await request.read()).decode(errors="replace")
    try:
        return parse_qs(text, max_num_fields=4).get("token", [""])[0]
    except ValueError:
        return ""


def _load(name: str, body: bytes) -> _File:
    kind = _TYPES[name.rpartition(".")[2]]
    return _File(body, kind, hashlib.sha256(body).hexdigest()[:20])


def _answer(request: web.Request, file: _File) -> web.Response:
    headers = {"ETag": f'"{file.etag}"', "Cache-Control": "no-cache"}
    if any(tag.value in {file.etag, "*"} for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(
        body=file.body, content_type=file.content_type, charset="utf-8", headers=headers
    )
