"""Serves the live page in the receiver's event loop."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from misc_receiver.view.address import ViewAddress
from misc_receiver.view.gallery import Gallery
from misc_receiver.view.sessions import Sessions
from misc_receiver.view.token import ViewToken
from misc_shared.errors import ConfigError, MissingExtraError

try:
    from aiohttp import web
except ModuleNotFoundError as error:
    raise MissingExtraError("The live page", package="aiohttp", extra="view") from error

from misc_receiver.view.access import ViewAccess
from misc_receiver.view.feeds import FeedRoutes
from misc_receiver.view.guard import Guard, harden
from misc_receiver.view.pages import PageRoutes
from misc_receiver.view.pictures import PictureRoutes
from misc_receiver.view.watchers import Watchers
from misc_shared.web.server import ConnectionLimits, HttpServer

__all__ = ["ViewServer", "open_access"]

_BODY_LIMIT = 4096
"""Bytes of the only form there is."""

_LIMITS = ConnectionLimits(total=320, per_address=128)
"""A browser has up to six connections; behind a proxy, all browsers have one address."""


class ViewServer:
    """The page and the interfaces beside it.

    Args:
        gallery: what there is to show.
        address: where to listen.
        access: who may look; None serves everybody who can reach the address.
        names: host names of this machine beside its own.

    Raises:
        ConfigError: an address that others can reach, and no token.
    """

    def __init__(
        self,
        gallery: Gallery,
        *,
        address: ViewAddress,
        access: ViewAccess | None,
        names: Collection[str] = (),
    ) -> None:
        if access is None and not address.local:
            raise ConfigError(f"others can reach {address.host}: a token is needed")
        self._gallery = gallery
        self._address = address
        self._access = access
        self._guard = Guard(access, names=names)
        self._pages = PageRoutes(access, on_logout=self._wake)
        self._pictures = PictureRoutes(gallery)
        self._watchers: Watchers | None = None
        self._http: HttpServer | None = None

    async def start(self) -> str:
        """Listen.

        Returns:
            The page's URL.

        Raises:
            ConfigError: the address is taken, or not this machine's.
        """
        self._watchers = Watchers()
        self._gallery.listen(lambda stream, urgent: self._tell(stream, urgent=urgent))
        http = HttpServer(self.application(self._watchers), name="the live page", limits=_LIMITS)
        try:
            await http.start(self._address.host, self._address.port)
        except OSError as error:
            await self.close()
            raise ConfigError(
                f"cannot serve the page at {self._address.host}:{self._address.port}: "
                f"{error.strerror or error}"
            ) from None
        self._http = http
        return self._address.url(http.port)

    def application(self, watchers: Watchers) -> web.Application:
        """All routes behind the guard."""
        app = web.Application(middlewares=[self._guard.check], client_max_size=_BODY_LIMIT)
        app.on_response_prepare.append(harden)
        self._pages.add_to(app)
        FeedRoutes(self._gallery, watchers, self._pictures, access=self._access).add_to(app)
        self._pictures.add_to(app)
        return app

    async def close(self) -> None:
        """Send viewers home and stop listening."""
        self._gallery.listen(None)
        if self._watchers is not None:
            self._watchers.close()
        if self._http is not None:
            await self._http.close()
        self._pictures.close()

    def _tell(self, stream: str, *, urgent: bool) -> None:
        if self._watchers is not None:
            self._watchers.notify(stream, urgent=urgent)

    def _wake(self) -> None:
        if self._watchers is not None:
            self._watchers.wake()


def open_access(token: ViewToken, sessions: Path | None) -> ViewAccess:
    """Let in who knows a token.

    Args:
        token: the page's.
        sessions: the file of those who have logged in; None keeps them in memory alone.
    """
    return ViewAccess(token, Sessions(token.secret, sessions))
