"""The HTTP side of the signalling: WHIP, with limits on everything. RFC 9725, 4."""

from __future__ import annotations

import hmac
import re
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from misc_shared.errors import WireError
from misc_shared.transports.address import STREAM_NAME_PATTERN
from misc_shared.transports.webrtc.link import MAX_SDP
from misc_shared.transports.webrtc.registry import Session
from misc_shared.web.places import address_group
from misc_shared.web.sites import HostNames, comes_from_elsewhere, is_malformed_origin
from misc_shared.web.throttle import login_throttle

__all__ = ["Busy", "Full", "OfferTaker", "Unknown", "make_application"]

_SDP = "application/sdp"
_MAX_URL = 512


class Busy(Exception):  # noqa: N818 - an answer to a sender, not an error of ours
    """A sender of the stream is there already."""


class Full(Exception):  # noqa: N818 - likewise
    """There is no room for another stream or connection."""


class Unknown(Exception):  # noqa: N818 - likewise
    """No stream of this name is waited for."""


class OfferTaker(Protocol):
    """Makes connections of offers."""

    async def take_offer(self, stream: str, sdp: str, *, address: str) -> tuple[Session, str]:
        """Answer an offer.

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
        ...

    async def end(self, stream: str, session_id: str) -> bool:
        """End a session; False if there is none of this id."""
        ...


def make_application(taker: OfferTaker, *, token: str | None) -> web.Application:
    """The web application that serves the signalling.

    Args:
        taker: who answers the offers.
        token: what senders must show, or None for nothing.
    """

    async def post(request: web.Request) -> web.Response:
        stream = _stream_name(request)
        if request.content_type != _SDP:
            raise web.HTTPUnsupportedMediaType(text=f"expected {_SDP}")
        sdp = await _body(request)
        try:
            address = address_group(request.remote or "")
            session, answer = await taker.take_offer(stream, sdp, address=address)
        except WireError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        except Unknown:
            raise web.HTTPNotFound(text="no such stream") from None
        except Busy:
            raise web.HTTPConflict(text="this stream is being sent already") from None
        except Full:
            raise web.HTTPServiceUnavailable(
                text="no room for another stream", headers={"Retry-After": "5"}
            ) from None
        return web.Response(
            status=201,
            text=answer,
            content_type=_SDP,
            headers={"Location": f"/whip/{stream}/{session.id}"},
        )

    async def delete(request: web.Request) -> web.Response:
        if not await taker.end(_stream_name(request), request.match_info["session"]):
            raise web.HTTPNotFound(text="no such session")
        return web.Response()

    application = web.Application(client_max_size=MAX_SDP, middlewares=[_guard(token)])
    application.router.add_post("/whip/{stream}", post)
    application.router.add_delete("/whip/{stream}/{session}", delete)
    return application


def _guard(token: str | None) -> Middleware:
    """Lets only those in who may; not even which URLs exist is told to others.

    No web page may ask. With a token any host name will do: a page that points one here has no
    token, for a browser keeps none for it.
    """
    expected = None if token is None else f"Bearer {token}".encode()
    hosts = HostNames((), reachable=False)
    throttle = login_throttle()

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_malformed_origin(request.headers):
            raise web.HTTPBadRequest(text="this Origin header cannot be read")
        if expected is None and not hosts.know(request.host):
            raise web.HTTPMisdirectedRequest(
                text="this host name is not known here: ask for localhost, or give misc-recv a "
                "--webrtc-token-file"
            )
        if comes_from_elsewhere(request.headers, method=request.method, host=request.host):
            raise web.HTTPForbidden(text="pages of other sites may not ask this")
        address = address_group(request.remote or "")
        wait = throttle.wait(address)
        shown = request.headers.get("Authorization", "").encode(errors="replace")
        if expected is not None and shown and wait:
            raise web.HTTPTooManyRequests(
                text=f"too many wrong tokens from your address; try again in {wait} s",
                headers={"Retry-After": str(wait)},
            )
        if expected is not None and not hmac.compare_digest(shown, expected):
            if shown:
                throttle.count(address)
            raise web.HTTPUnauthorized(
                text="a bearer token is needed", headers={"WWW-Authenticate": "Bearer"}
            )
        return await handler(request)

    return guard


def _stream_name(request: web.Request) -> str:
    name = request.match_info["stream"]
    if not re.match(STREAM_NAME_PATTERN, name) or len(request.raw_path) > _MAX_URL:
        raise web.HTTPNotFound(text="no such stream")
    return name


async def _body(request: web.Request) -> str:
    """The description in a request, of 16 KiB at most."""
    try:
        return (await request.read()).decode()
    except UnicodeDecodeError:
        raise web.HTTPBadRequest(text="the offer is no text") from None
