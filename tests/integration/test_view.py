"""The live page in chromium: a real `misc-recv` fed by a real `misc-send` through mosquitto."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.integration.browser import AXE, RUN_AXE, chromium, serious_violations
from tests.integration.conftest import Broker

from misc_lab.programs import Program
from misc_receiver.view.token import open_token

# It starts several processes, and loading torch on a busy machine takes minutes.
pytestmark = pytest.mark.timeout(600)

_PATIENCE = 90_000
expect.set_options(timeout=_PATIENCE)
_CAPTION = "A woman in an orange suit smiles."


@pytest.fixture
def picture(tmp_path: Path, photo: NDArray[np.uint8]) -> Path:
    """Write a small photograph with words and a map."""
    path = tmp_path / "photo.png"
    Image.fromarray(photo[:192, 128:320]).save(path)
    words = (
        '{"items": [{"name": "woman", "map": ["0000", "0110", "0110", "1111"]}], "caption": "%s"}'
    )
    path.with_name("photo.png.json").write_text(words % _CAPTION)
    return path


@contextmanager
def _page(context: BrowserContext, url: str) -> Iterator[Page]:
    """Open the page; nothing may be wrong on its console at the end, but for lost connections."""
    page = context.new_page()
    page.set_default_timeout(_PATIENCE)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda said: (
            wrong.append(f"{said.text} {said.location['url']}")
            if said.type in {"error", "warning"}
            else None
        ),
    )
    page.goto(url)
    yield page
    assert [line for line in wrong if "ERR_" not in line] == []


def _no_serious_violation(page: Page) -> None:
    page.evaluate(AXE)
    assert serious_violations(page.evaluate(RUN_AXE)) == []


def _receiver(folder: Path, broker: Broker, port: int) -> Program:
    url = f"{broker.url}/misc/+"
    log = folder / f"receiver-{time.monotonic_ns()}.log"
    return Program(log, "misc-recv", "--from", url, "--view", port, "--steps", 2)


def _sender(folder: Path, broker: Broker, picture: Path, *, count: int) -> Program:
    return Program(
        folder / "sender.log", "misc-send", picture, "--loop", "--count", count, "--fps", 0.5,
        "--key-every", 1, "--to", f"{broker.url}/misc/garden", "--semantics", "file",
        "--bytes", 700, "--map-share", 0.1,
    )  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_stream_as_people_see_it(broker: Broker, picture: Path, tmp_path: Path) -> None:
    """Tile, caption, sharper pictures, coarse at a key, history, stale, reconnect, both themes."""
    port = _free_port()
    programs = [_receiver(tmp_path, broker, port)]
    try:
        url = str(programs[0].wait_for("page")["url"])
        with chromium() as browser:
            context = browser.new_context(viewport={"width": 360, "height": 740})
            with _page(context, url) as page:
                expect(page.locator("#empty")).to_be_visible()
                programs.append(_sender(tmp_path, broker, picture, count=3))
                _sees_pictures(page)
                _no_serious_violation(page)
                programs[1].wait_for("end")
                _plays(_sees_one_stream(page), tmp_path)
                expect(page.locator("#stream .chip.old")).to_contain_text("ended")
                _comes_back(page, programs, lambda: _receiver(tmp_path, broker, port))
    finally:
        for program in programs:
            program.stop()


def _sees_pictures(page: Page) -> None:
    tile = page.locator(".tile")
    expect(tile.locator(".caption")).to_have_text(_CAPTION)
    picture = tile.locator("img")
    expect(picture).to_have_attribute("alt", f"garden: {_CAPTION}")
    assert picture.evaluate("image => image.naturalWidth") == 192
    box = tile.bounding_box()
    expect(tile.locator(".chip.made")).to_be_visible()
    expect(picture).to_have_attribute("src", _holding("/refined.jpg"))
    assert tile.bounding_box() == box, "the tile jumped"
    page.keyboard.press("c")
    expect(tile.locator(".chip.made")).to_be_hidden()
    expect(picture).to_have_attribute("src", _holding("/coarse.jpg"))
    page.keyboard.press("c")
    page.keyboard.press("o")
    expect(tile.locator(".names span")).to_have_text("woman")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    expect(page.locator("#said")).to_contain_text("garden")


def _sees_one_stream(page: Page) -> dict[str, Path]:
    """Look at it, and save what can be saved."""
    page.keyboard.press("t")
    theme = page.evaluate("document.documentElement.dataset.theme")
    assert theme == "dark"
    page.locator(".tile a").press("Enter")
    expect(page.locator("#stream h2")).to_have_text("garden")
    expect(page.locator("#stream .quote")).to_have_text(_CAPTION)
    expect(page.locator("#stream .both img")).to_have_count(2)
    page.get_by_role("slider", name="Coarse picture").press("ArrowRight")
    frames = page.get_by_role("slider", name="Frame")
    expect(frames).to_have_attribute("aria-valuetext", _holding("frame 3 of 3"))
    page.locator("#stream h2").click()
    page.keyboard.press("ArrowLeft")
    expect(frames).to_have_attribute("aria-valuetext", _holding("frame 2 of 3"))
    _no_serious_violation(page)
    page.keyboard.press("l")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    saved = {}
    for name in ("Coarse", "Refined", "Words and maps", "Recording"):
        with page.expect_download() as download:
            page.locator("#stream .saves").get_by_text(name).click()
        saved[name] = download.value.path()
    return saved


def _plays(saved: dict[str, Path], folder: Path) -> None:
    """The recording gives the pictures and words that were on the page."""
    out = folder / "played"
    player = Program(
        folder / "player.log", "misc-recv", "--from", f"file:{saved['Recording']}", "--out", out,
        "--steps", 2,
    )  # fmt: skip
    try:
        player.wait_for("end", seconds=300)
        assert player.process.wait(timeout=60) == 0
        kinds = [report["kind"] for report in player.reports("picture")]
        assert kinds.count("coarse") == kinds.count("refined") == 3
        for name in ("Coarse", "Refined"):
            newest = max(out.glob(f"*.{name.lower()}.png"))
            with Image.open(newest) as played, Image.open(saved[name]) as shown:
                assert np.array_equal(np.asarray(played), np.asarray(shown)), name
        assert player.reports("text")[-1]["caption"] == _CAPTION
        assert json.loads(saved["Words and maps"].read_text())["caption"] == _CAPTION
    finally:
        player.stop()


def _comes_back(page: Page, programs: list[Program], restart: Callable[[], Program]) -> None:
    programs[0].stop()
    expect(page.locator("#lost")).to_be_visible()
    programs[0] = restart()
    expect(page.locator("#lost")).to_be_hidden()
    expect(
        page.locator("#stream .empty")
    ).to_be_visible()  # it knows nothing of the stream any more
    page.keyboard.press("Escape")
    expect(page.locator("#empty")).to_be_visible()


def _holding(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text))


def test_the_token_opens_the_page(broker: Broker, tmp_path: Path) -> None:
    """A wrong one does not; the right one does, and the page says where it is."""
    path = tmp_path / "token"
    _, secret = open_token(path)
    receiver = Program(
        tmp_path / "receiver.log", "misc-recv", "--from", broker.url, "--view", "0",
        "--view-token-file", path, "--no-refine",
    )  # fmt: skip
    try:
        url = str(receiver.wait_for("page")["url"])
        with chromium() as browser:
            _logs_in(browser, url, str(secret))
    finally:
        receiver.stop()


def _logs_in(browser: Browser, url: str, secret: str) -> None:
    page = browser.new_context(color_scheme="dark").new_page()
    page.goto(url)
    assert page.url.endswith("/login")
    _no_serious_violation(page)
    page.get_by_label("Token").fill("not-the-token")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("That is not the token.")
    page.get_by_label("Token").fill(secret)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="MISC")).to_be_visible()
    expect(page.locator("#summary")).to_contain_text("stream")
    assert page.url == url
    page.goto(f"{url}#%")
    expect(page.get_by_role("heading", name="%")).to_be_visible()
    expect(page.get_by_text("Nothing is heard of this stream")).to_be_visible()
    page.goto(url)
    _logs_out(page.context, url)


def _logs_out(context: BrowserContext, url: str) -> None:
    """In one tab: the other one, whose feed goes on, is sent to the login."""
    watching, leaving = context.new_page(), context.new_page()
    for page in (watching, leaving):
        page.goto(url)
        expect(page.locator("#summary")).to_contain_text("stream")
    leaving.get_by_role("button", name="Log out").click()
    expect(leaving.get_by_label("Token")).to_be_visible()
    expect(watching.get_by_label("Token")).to_be_visible()
    assert watching.url.endswith("/login")
