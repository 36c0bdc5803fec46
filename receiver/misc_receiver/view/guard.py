"""What every request has to pass, and what every answer says to the browser."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Collection
from urllib.parse import urlsplit

from aiohttp import web

from misc_receiver.view.access import COOKIE, ViewToken
from misc_receiver.view.address import is_local_name

__all__ = ["Guard", "harden"]

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_OPEN = "/login"
"""The only path that answers somebody without the token."""

_PLAIN = (".jpg", ".png", ".mjpg")
"""What programs without headers of their own fetch: for these the token may be in the URL."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)

_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Not "no-referrer": browsers would then send the login's form from the origin "null".
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Checks where a request comes from and whether it may.

    Args:
        token: what has to be known, or None where only this machine can ask.
        names: host names under which the page may be asked for, beside this machine's own.
    """

    def __init__(self, token: ViewToken | None, *, names: Collection[str] = ()) -> None:
        self._token = token
        own = socket.gethostname().lower()
        self._names = {name.lower() for name in names}
        if token is not None:
            self._names |= {own, f"{own.partition('.')[0]}.local"}

    @web.middleware
    async def check(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Refuse what a request must not, or hand it on."""
        if not self._knows_host(request):
            # Else a page elsewhere could name this machine by a domain of its own, and read along.
            return _refusal(421, "this host name is not known here; --view-name lets it in")
        if _from_elsewhere(request):
            return _refusal(403, "pages of other sites may not ask this")
        if self._token is not None and request.path != _OPEN and not self._admits(request):
            return _unknown(request)
        return await handler(request)

    def _knows_host(self, request: web.Request) -> bool:
        try:
            host = (urlsplit(f"//{request.host}").hostname or "").lower()
        except ValueError:
            return False
        if is_local_name(host) or host in self._names:
            return True
        # An IP address is nobody's to rebind; but a server of this machine alone has none else.
        return self._token is not None and _is_ip_address(host)

    def _admits(self, request: web.Request) -> bool:
        token = self._token
        if token is None or token.made(request.cookies.get(COOKIE, "")):
            return True
        if token.in_header(request.headers.get("Authorization", "")):
            return True
        return request.path.endswith(_PLAIN) and token.matches(request.query.get("token", ""))


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """Tell the browser to keep others out; connect it to `on_response_prepare`."""
    del request
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Server"] = "misc"


def _from_elsewhere(request: web.Request) -> bool:
    """Whether a page of another site makes the browser ask."""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        return True
    if request.method not in {"GET", "HEAD"} and origin is None:
        # A browser always says where a form was; a program with the token needs no forms.
        return "Sec-Fetch-Site" in request.headers
    if request.headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}:
        return False
    # A link from elsewhere may open the page, but nothing may embed or fetch parts of it.
    opens_page = request.headers.get("Sec-Fetch-Mode") == "navigate" and request.path in {
        "/",
        _OPEN,
    }
    return not (opens_page and request.headers.get("Sec-Fetch-Dest") == "document")


def _unknown(request: web.Request) -> web.Response:
    if request.path == "/" and "text/html" in request.headers.get("Accept", ""):
        return web.Response(status=303, headers={"Location": _OPEN})
    # Players ask again with a password if they are told so; browsers would only open a dialog.
    basic = request.path.endswith(_PLAIN) and "Sec-Fetch-Site" not in request.headers
    answer = _refusal(401, "log in at /login, or send the token as bearer")
    answer.headers["WWW-Authenticate"] = 'Basic realm="misc"' if basic else "Bearer"
    return answer


def _refusal(status: int, sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=status)


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
