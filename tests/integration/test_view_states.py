"""The page in each state that a stream can have, checked by axe-core in both themes and widths."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect
from tests.integration.browser import AXE, RUN_AXE, chromium_path, serious_violations
from tests.receiver.view.serving import TOKEN, serving, shown

from misc_receiver.reports import (
    FrameEnded,
    FrameSeen,
    ItemSaid,
    LayerArrived,
    ReceptionStarted,
    SenderGone,
    StreamStale,
    TextSaid,
)
from misc_receiver.view.gallery import Gallery

# A browser on a busy machine is slow.
pytestmark = pytest.mark.timeout(300)

_PATIENCE = 60_000
_LOOKS = (("light", 1280), ("light", 360), ("dark", 360), ("dark", 1280))
_IN_EVERY_LOOK = {"No stream yet", "stale: silent for"}
"""The other states differ from these by little: one look each, in turns."""


def _frame(gallery: Gallery, number: int, *, kinds: tuple[str, ...] = ("coarse",)) -> None:
    """Let a frame begin, with words, some bytes, and pictures."""
    frame = f"00aa-{number:06}"
    gallery.report(FrameSeen(stream="garden", frame=frame, layers=["base", "text"]))
    gallery.datagram("garden", bytes(100), 0.0)
    words = [ItemSaid(name="dog", detail="brown")]
    gallery.report(TextSaid(stream="garden", frame=frame, items=words, caption="A dog."))
    gallery.report(
        LayerArrived(stream="garden", frame=frame, layer="base", bytes=90, wire_bytes=102)
    )
    for kind in kinds:
        gallery.show(shown(frame, kind, side=64, shade=90 + number))


def _states(gallery: Gallery) -> Iterator[tuple[str, str]]:
    """Bring the gallery from state to state; give what the wall and the open stream then show."""
    yield "No stream yet", "Nothing is heard"
    gallery.report(ReceptionStarted(stream="garden"))
    yield "waiting for the first picture", "waiting for the first picture"
    _frame(gallery, 1, kinds=())
    yield "first one: 102 B so far", "A dog."
    _frame(gallery, 2, kinds=("coarse", "refined"))
    gallery.report(FrameEnded(stream="garden", frame="00aa-000002", missing=("detail2",)))
    yield "generated", "refined: generated"
    _frame(gallery, 3, kinds=())
    yield "102 B, next one: 102 B so far", "refined: generated"
    gallery.report(StreamStale(stream="garden"))
    yield "stale: silent for", "stale: silent for"
    gallery.report(SenderGone(stream="garden", epoch=1))
    yield "ended", "ended"


@asynccontextmanager
async def _browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox"]
        )
        yield browser
        await browser.close()


async def _open(browser: Browser, url: str, complain: Callable[[str], None]) -> Page:
    page = await browser.new_page(reduced_motion="reduce")  # half a transition has no contrast
    page.set_default_timeout(_PATIENCE)
    page.on("pageerror", lambda error: complain(str(error)))
    page.on("console", lambda said: complain(said.text))
    await page.goto(url)
    await page.evaluate(AXE)
    return page


async def _accessible(page: Page, looks: Sequence[tuple[str, int]] = _LOOKS) -> None:
    """Nothing serious is wrong in these themes and widths, and nothing sticks out."""
    for theme, width in looks:
        if await page.evaluate("document.documentElement.dataset.theme") != theme:
            await page.keyboard.press("t")
        await _fits(page, theme, width)


async def _fits(page: Page, theme: str, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    assert serious_violations(await page.evaluate(RUN_AXE)) == [], (theme, width)


async def test_every_state_can_be_read_by_everybody() -> None:
    """No stream, words alone, pictures, the next one coming, stale, ended; wall and stream."""
    gallery = Gallery()
    wrong: list[str] = []
    async with serving(gallery) as (client, _), _browser() as browser:
        url = str(client._base_url)  # noqa: SLF001 - aiohttp has no other name for it
        wall = await _open(browser, url, wrong.append)
        one = await _open(browser, f"{url}#garden", wrong.append)
        for number, (on_wall, in_stream) in enumerate(_states(gallery)):
            for page, text in ((wall, on_wall), (one, in_stream)):
                # Items are outlined in every other state.
                await page.keyboard.press("o")
                seen = page.locator("main").get_by_text(text).locator("visible=true").first
                await expect(seen).to_be_visible(timeout=_PATIENCE)
                every = on_wall in _IN_EVERY_LOOK
                await _accessible(page, _LOOKS if every else [_LOOKS[number % len(_LOOKS)]])
    assert wrong == []


async def test_a_lost_receiver_is_not_mistaken_for_a_live_one() -> None:
    """Pictures turn grey, and no number of live streams is told."""
    gallery = Gallery()
    _frame(gallery, 1)
    async with _browser() as browser:
        async with serving(gallery) as (client, _):
            page = await _open(browser, str(client._base_url), lambda _: None)  # noqa: SLF001
            await expect(page.locator("#summary")).to_contain_text("1 live", timeout=_PATIENCE)
        await expect(page.locator("#lost")).to_be_visible(timeout=_PATIENCE)
        await expect(page.locator("#summary")).to_have_text("")
        grey = "getComputedStyle(document.querySelector('.tile img')).filter"
        assert "grayscale" in await page.evaluate(grey)
        await _accessible(page, _LOOKS[1:3])


async def test_the_login_can_be_read_by_everybody() -> None:
    """Also when it complains."""
    async with serving(Gallery(), token=True) as (client, _), _browser() as browser:
        page = await browser.new_page()
        await page.goto(str(client._base_url))  # noqa: SLF001 - see above
        await _login_in_every_look(page)
        await page.get_by_label("Token").fill("x" + TOKEN)
        await page.keyboard.press("Enter")
        complaint = page.get_by_role("alert")
        await expect(complaint).to_have_text("That is not the token.", timeout=_PATIENCE)
        await _login_in_every_look(page)


async def _login_in_every_look(page: Page) -> None:
    await page.evaluate(AXE)
    for theme, width in _LOOKS:
        await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        await _fits(page, theme, width)
