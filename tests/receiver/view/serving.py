"""A live page with a small stream in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import numpy as np

from misc_receiver.reports import FrameSeen, ItemSaid, LayerArrived, TextSaid
from misc_receiver.sinks.interface import ShownPicture
from misc_receiver.view.address import ViewAddress
from misc_receiver.view.gallery import Gallery
from misc_receiver.view.server import ViewServer, open_access
from misc_receiver.view.token import ViewToken
from misc_shared.semantics import Item, Semantics

TOKEN = "the-token-of-these-tests"  # noqa: S105 - of these alone
MAP = np.array([[False, True], [False, True]])
SAID = Semantics(items=(Item("dog", "brown", MAP),), caption="A dog.")


def shown(frame: str, kind: str = "coarse", *, shade: int = 90, side: int = 16) -> ShownPicture:
    """Make a grey picture."""
    generated = kind != "coarse"
    return ShownPicture(
        stream="garden",
        frame=frame,
        kind=kind,
        pixels=np.full((side, side, 3), shade, np.uint8),
        generated=generated,
        label={"DigitalSourceType": "compositeWithTrainedAlgorithmicMedia"} if generated else {},
        semantics=SAID,
        captured=1000.0,
    )


def filled_gallery() -> Gallery:
    """Make a gallery with two frames of one stream; the newer one is refined."""
    gallery = Gallery()
    gallery.report(FrameSeen(stream="garden", frame="00aa-000001", layers=["base", "text"]))
    gallery.show(shown("00aa-000001"))
    words = [ItemSaid(name="dog", detail="brown")]
    gallery.report(TextSaid(stream="garden", frame="00aa-000009", items=words, caption="A dog."))
    gallery.report(
        LayerArrived(stream="garden", frame="00aa-000009", layer="base", bytes=90, wire_bytes=102)
    )
    gallery.show(shown("00aa-000009", shade=100))
    gallery.show(shown("00aa-000009", "refined", shade=110))
    return gallery


@asynccontextmanager
async def serving(
    gallery: Gallery, *, host: str = "127.0.0.1", token: bool = False
) -> AsyncIterator[tuple[aiohttp.ClientSession, ViewServer]]:
    """Serve a gallery on a free port; give a client whose paths are its own."""
    access = open_access(ViewToken(TOKEN), None) if token else None
    server = ViewServer(gallery, address=ViewAddress(host, 0), access=access)
    url = (await server.start()).replace("0.0.0.0", "127.0.0.1")  # noqa: S104
    jar = aiohttp.CookieJar(unsafe=True)  # of IP addresses too
    async with aiohttp.ClientSession(url, cookie_jar=jar) as client:
        yield client, server
    await server.close()
    gallery.close()
