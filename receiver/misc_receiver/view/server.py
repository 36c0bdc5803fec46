"""Serves the live page in the receiver's event loop."""

from __future__ import annotations

from collections.abc import Collection

from misc_receiver.view.access import ViewToken
from misc_receiver.view.address import ViewAddress
from misc_receiver.view.gallery import Gallery
from misc_shared.errors import ConfigError, MissingExtraError

try:
    from aiohttp import web
except ModuleNotFoundError as error:
    raise MissingExtraError("The live page", package="aiohttp", extra="view") from error

from misc_receiver.view.feeds import FeedRoutes
from misc_receiver.view.guard import Guard, harden
from misc_receiver.view.pages import PageRoutes
from misc_receiver.view.pictures import PictureRoutes
from misc_receiver.view.watchers import Watchers

__all__ = ["ViewServer"]

_BODY_LIMIT = 4096
"""Bytes of the only form there is."""

_FAREWELL = 0.5
"""Seconds that viewers get to leave."""


class ViewServer:
    """The page and the interfaces beside it.

    Args:
        gallery: what there is to show.
        address: where to listen.
        token: what viewers have to know; None serves everybody who can reach the address.
        names: host names of this machine beside its own.

    Raises:
        ConfigError: an address that others can reach, and no token.
    """

    def __init__(
        self,
        gallery: Gallery,
        *,
        address: ViewAddress,
        token: ViewToken | None,
        names: Collection[str] = (),
    ) -> None:
        if token is None and not address.local:
            raise ConfigError(f"others can reach {address.host}: a token is needed")
        self._gallery = gallery
        self._address = address
        self._guard = Guard(token, names=names)
        self._pages = PageRoutes(token)
        self._pictures = PictureRoutes(gallery)
        self._watchers: Watchers | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listen.

        Returns:
            The page's URL.

        Raises:
            ConfigError: the address is taken, or not this machine's.
        """
        self._watchers = Watchers()
        self._gallery.listen(lambda stream, urgent: self._tell(stream, urgent=urgent))
        runner = web.AppRunner(
            self.application(self._watchers),
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=_FAREWELL,
        )
        self._runner = runner
        await runner.setup()
        try:
            await web.TCPSite(runner, self._address.host, self._address.port).start()
        except OSError as error:
            await self.close()
            raise ConfigError(
                f"cannot serve the page at {self._address.host}:{self._address.port}: "
                f"{error.strerror or error}"
            ) from None
        return self._address.url(runner.addresses[0][1])

    def application(self, watchers: Watchers) -> web.Application:
        """All routes behind the guard."""
        app = web.Application(middlewares=[self._guard.check], client_max_size=_BODY_LIMIT)
        app.on_response_prepare.append(harden)
        self._pages.add_to(app)
        FeedRoutes(self._gallery, watchers, self._pictures).add_to(app)
        self._pictures.add_to(app)
        return app

    async def close(self) -> None:
        """Send viewers home and stop listening."""
        self._gallery.listen(None)
        if self._watchers is not None:
            self._watchers.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._pictures.close()

    def _tell(self, stream: str, *, urgent: bool) -> None:
        if self._watchers is not None:
            self._watchers.notify(stream, urgent=urgent)
