"""What every request has to pass, and what every answer says to the browser."""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import web
from aiohttp.typedefs import Handler

from misc_receiver.view.access import PLAIN, ViewAccess
from misc_receiver.view.refusals import refusal, too_many_failures
from misc_shared.web.sites import HostNames, comes_from_elsewhere, is_malformed_origin, own_names

__all__ = ["Guard", "harden"]

_OPEN = "/login"
"""The only path that answers somebody without the token."""

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
        access: who may, or None where only this machine can ask.
        names: host names under which the page may be asked for, beside this machine's own.
    """

    def __init__(self, access: ViewAccess | None, *, names: Collection[str] = ()) -> None:
        self._access = access
        own = set() if access is None else own_names()
        self._hosts = HostNames({*names, *own}, reachable=access is not None)

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse what a request must not, or hand it on."""
        if is_malformed_origin(request.headers):
            return refusal(400, "this Origin header cannot be read")
        if not self._hosts.know(request.host):
            # Else a page elsewhere could name this machine by a domain of its own, and read along.
            return refusal(421, "this host name is not known here; --view-name lets it in")
        if comes_from_elsewhere(
            request.headers,
            method=request.method,
            host=request.host,
            opens_document=request.path in {"/", _OPEN},
        ):
            return refusal(403, "pages of other sites may not ask this")
        if self._access is not None and request.path != _OPEN and not self._access.admits(request):
            wait = self._access.wait(request.remote)
            return too_many_failures(wait) if wait else _unknown(request)
        return await handler(request)


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """Tell the browser to keep others out; connect it to `on_response_prepare`."""
    del request
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")


def _unknown(request: web.Request) -> web.Response:
    if request.path == "/" and "text/html" in request.headers.get("Accept", ""):
        return web.Response(status=303, headers={"Location": _OPEN})
    # Players ask again with a password if they are told so; browsers would only open a dialog.
    basic = request.path.endswith(PLAIN) and "Sec-Fetch-Site" not in request.headers
    answer = refusal(401, "log in at /login, or send the token as bearer")
    answer.headers["WWW-Authenticate"] = 'Basic realm="misc"' if basic else "Bearer"
    return answer
