"""The live page of one run of `misc-recv`: its gallery, its server and its token."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Collection
from pathlib import Path

from misc_receiver.picture_memory import PictureMemory
from misc_receiver.reports import PageServed
from misc_receiver.view.address import ViewAddress
from misc_receiver.view.gallery import Gallery
from misc_receiver.view.server import ViewServer, open_access
from misc_receiver.view.tap import TappedListener
from misc_receiver.view.token import default_token_path, open_token
from misc_shared.transports.base import Listener

__all__ = ["Viewer", "open_viewer"]


class Viewer:
    """A gallery and the server that shows it.

    Args:
        gallery: what there is to show.
        server: shows it.
        notice: what the user has to know, once; not for logs.

    Attributes:
        gallery: a sink and a reporter.
    """

    def __init__(self, gallery: Gallery, server: ViewServer, *, notice: str | None) -> None:
        self.gallery = gallery
        self._server = server
        self._notice = notice

    async def start(self) -> PageServed:
        """Serve the page.

        Raises:
            ConfigError: the address is taken.
        """
        url = await self._server.start()
        if self._notice is not None:
            print(self._notice, file=sys.stderr)  # noqa: T201 - a secret belongs in no report
        return PageServed(url=url)

    def tap(self, listener: Listener) -> Listener:
        """Count and record what a listener's streams bring."""
        return TappedListener(listener, self.gallery.datagram)

    async def stay(self) -> None:
        """Go on after the last picture, until the user has seen enough and presses Ctrl-C."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Serve nothing any more."""
        await self._server.close()


def open_viewer(
    address: str,
    *,
    token_file: Path | None,
    names: Collection[str],
    memory: PictureMemory | None = None,
) -> Viewer:
    """Prepare the page.

    Args:
        address: [HOST:]PORT.
        token_file: where the token is kept; None for the usual place, and for no token at all
            where only this machine can ask.
        names: host names of this machine beside its own.
        memory: where pixels are kept; None for as much as there is.

    Raises:
        ConfigError: the address makes no sense, or the token cannot be had.
    """
    where = ViewAddress.parse(address)
    access, notice = None, None
    if token_file is not None or not where.local:
        path = token_file or default_token_path()
        token, new = open_token(path)
        access = open_access(token, path.with_name(f"{path.name}.sessions"))
        if new is not None:
            notice = f"misc-recv: the page's token, shown this once and kept in {path}: {new}"
    gallery = Gallery(memory=memory)
    server = ViewServer(gallery, address=where, access=access, names=names)
    return Viewer(gallery, server, notice=notice)
