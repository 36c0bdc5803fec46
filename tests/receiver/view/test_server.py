"""What programs get: pictures with cache headers, moving JPEG, events, a description of all."""

import asyncio
import io
import json
import re
from importlib.resources import files

import aiohttp
import msgspec
from PIL import Image
from tests.receiver.view.serving import filled_gallery, serving, shown

from misc_receiver.reports import StreamStale
from misc_receiver.view.views import FrameView, StoredSemantics, StreamView, Update
from misc_receiver.view.watchers import Watchers


async def test_pictures_have_cache_headers() -> None:
    """Who has it is told so in a line; a version never changes; the newest is asked for anew."""
    async with serving(filled_gallery()) as (client, _):
        async with client.get("/streams/garden/latest.jpg") as answer:
            assert answer.status == 200
            assert answer.headers["Cache-Control"] == "private, no-cache"
            assert answer.headers["X-Misc-Picture"] == "refined"
            assert answer.headers["X-Misc-Generated"] == "yes"
            with Image.open(io.BytesIO(await answer.read())) as image:
                assert image.format == "JPEG"
            validators = answer.headers["ETag"], answer.headers["Last-Modified"]
        for name, value in zip(("If-None-Match", "If-Modified-Since"), validators, strict=True):
            async with client.get("/streams/garden/latest.jpg", headers={name: value}) as answer:
                assert answer.status == 304
                assert await answer.read() == b""
        async with client.get("/streams/garden/coarse.png") as answer:
            assert answer.headers["ETag"] != validators[0]
            with Image.open(io.BytesIO(await answer.read())) as image:
                assert image.getpixel((0, 0)) == (100, 100, 100)
        async with client.get("/streams") as answer:
            url = (await answer.json())["streams"][0]["shown"]["refined"]["url"]
        async with client.get(url) as answer:
            assert "immutable" in answer.headers["Cache-Control"]


async def test_what_is_not_there() -> None:
    """404 for each, and nothing else."""
    async with serving(filled_gallery()) as (client, _):
        for path in (
            "/streams/attic",
            "/streams/attic/frames",
            "/streams/attic/latest.jpg",
            "/streams/attic/live.mjpg",
            "/streams/attic/recording.misc",
            "/streams/attic/semantics.json",
            "/streams/garden/latest.gif",
            "/streams/garden/live.mjpg?picture=x",
            "/streams/garden/frames/00aa-000001/refined.jpg",
            "/static/../openapi.json",
            "/static/%2e%2e%2fopenapi.json",
            "/static/login.html",
        ):
            async with client.get(path) as answer:
                assert answer.status == 404 or path.startswith("/static/.."), path


async def test_moving_jpeg() -> None:
    """A part for the picture there is, one for a better one, each whole."""
    gallery = filled_gallery()
    async with (
        serving(gallery) as (client, _),
        asyncio.timeout(20),
        client.get("/streams/garden/live.mjpg") as answer,
    ):
        assert answer.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=picture"
        first = await _part(answer)
        gallery.show(shown("00aa-000020", shade=200))
        second = await _part(answer)
        again = await _part(answer)
    assert first.getpixel((0, 0)) == (110, 110, 110)
    assert second.getpixel((0, 0)) == (200, 200, 200) == again.getpixel((0, 0))


async def _part(answer: aiohttp.ClientResponse) -> Image.Image:
    head = await answer.content.readuntil(b"\r\n\r\n")
    length = int(re.search(rb"Content-Length: (\d+)", head)[1])  # type: ignore[index]
    picture = Image.open(io.BytesIO(await answer.content.readexactly(length)))
    assert await answer.content.readexactly(13) == b"\r\n--picture\r\n"
    return picture


async def test_events_are_the_consoles_lines() -> None:
    """As they come, filtered by stream; a reader that comes back goes on where it was."""
    gallery = filled_gallery()
    async with serving(gallery) as (client, _), asyncio.timeout(20):
        async with client.get("/events?stream=garden") as answer:
            await answer.content.readuntil(b"\n\n")
            gallery.report(StreamStale(stream="attic"))
            gallery.report(StreamStale(stream="garden"))
            while not (event := await answer.content.readuntil(b"\n\n")).startswith(b"id"):
                pass
        number, line = re.fullmatch(rb"id: (\d+)\ndata: (.*)\n\n", event).groups()  # type: ignore[union-attr]
        assert json.loads(line) == {"event": "stale", "stream": "garden"}
        for _ in range(1500):
            gallery.report(StreamStale(stream="garden"))
        async with client.get("/events", headers={"Last-Event-ID": number.decode()}) as answer:
            await answer.content.readuntil(b"\n\n")
            missed = await answer.content.readuntil(b"\n\n")
    assert missed == b'event: missed\ndata: {"missed":500}\n\n'


async def test_a_reader_of_an_earlier_run_goes_on_from_now() -> None:
    """Its number is above all of ours: nothing spins, others are answered, new lines come."""
    gallery = filled_gallery()
    async with serving(gallery) as (client, _), asyncio.timeout(20):
        async with client.get("/events", headers={"Last-Event-ID": "1000000"}) as answer:
            await answer.content.readuntil(b"\n\n")
            turns = 0
            end = asyncio.get_running_loop().time() + 0.3
            while asyncio.get_running_loop().time() < end:
                await asyncio.sleep(0.01)
                turns += 1
            assert turns > 5
            gallery.report(StreamStale(stream="attic"))
            while not (event := await answer.content.readuntil(b"\n\n")).startswith(b"id"):
                pass
        assert b"attic" in event
        for wrong in ("9" * 5000, "9" * 19, "-1", "x", "\u0663"):
            headers = {"Last-Event-ID": wrong}
            # The longest is more than a header may have.
            async with client.get("/events", headers=headers) as answer:
                assert answer.status == 400, wrong


async def test_the_page_is_told_the_newest_state_only() -> None:
    """All streams first; then however much happened while nobody read, one message."""
    gallery = filled_gallery()
    async with (
        serving(gallery) as (client, _),
        asyncio.timeout(20),
        client.get("/live") as answer,
    ):
        first = json.loads((await answer.content.readuntil(b"\n\n"))[6:])
        assert first["all"]
        for number in range(30, 130):
            gallery.show(shown(f"00aa-{number:06d}"))
        last, messages = "", 0
        while last != "00aa-000129":
            update = json.loads((await answer.content.readuntil(b"\n\n"))[6:])
            last, messages = update["streams"][0]["shown"]["id"], messages + 1
    assert messages < 100


async def test_viewers_that_do_not_read_hold_nobody_up() -> None:
    """Fifty of them: others get the newest picture."""
    gallery = filled_gallery()
    async with serving(gallery) as (client, _), asyncio.timeout(60):
        port = client._base_url.port  # type: ignore[union-attr]  # noqa: SLF001
        deaf = [await asyncio.open_connection("127.0.0.1", port) for _ in range(50)]
        for _, writer in deaf:
            writer.write(b"GET /streams/garden/live.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with client.get("/streams/garden/live.mjpg") as answer:
            await _part(answer)
            for number in range(200, 230):
                gallery.show(shown(f"00aa-{number:06d}", shade=number, side=400))
                await asyncio.sleep(0)
            while (await _part(answer)).getpixel((0, 0)) != (229, 229, 229):
                pass
        for _, writer in deaf:
            writer.transport.abort()


async def test_every_route_is_described() -> None:
    """openapi.json has each path with each method, and the types as they are sent."""
    description = json.loads(files("misc_receiver.view").joinpath("openapi.json").read_text())
    described = {
        (method.upper(), path)
        for path, operations in description["paths"].items()
        for method in operations
        if method in {"get", "post"}
    }
    async with serving(filled_gallery()) as (_, server):
        served = {
            (route.method, _template(route.resource.get_info()))  # type: ignore[union-attr]
            for route in server.application(Watchers()).router.routes()
            if route.method != "HEAD"
        }
    assert served == described
    types = [Update, StreamView, FrameView, StoredSemantics]
    _, schemas = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    assert json.loads(json.dumps(schemas)) == description["components"]["schemas"]


def _template(info: dict[str, object]) -> str:
    return str(info.get("path") or info["formatter"])


async def test_words_and_recordings_as_files() -> None:
    """The one for misc-send, the other for misc-recv."""
    gallery = filled_gallery()
    gallery.datagram("garden", b"\x93\x00", 1000.0)
    async with serving(gallery) as (client, _):
        async with client.get("/streams/garden/semantics.json") as answer:
            assert await answer.json() == {
                "items": [{"name": "dog", "detail": "brown", "map": ["01", "01"]}],
                "caption": "A dog.",
            }
        async with client.get("/streams/garden/recording.misc") as answer:
            assert answer.headers["Content-Disposition"] == 'attachment; filename="garden.misc"'
            assert (await answer.read()).startswith(b"\x83\xa4misc")


def test_the_pages_files_are_small() -> None:
    """Under 150 kB in all, and nothing is asked of other hosts."""
    folder = files("misc_receiver.view").joinpath("static")
    contents = {one.name: one.read_bytes() for one in folder.iterdir()}
    assert sum(map(len, contents.values())) < 150_000
    for name, content in contents.items():
        hosts = set(re.findall(rb"https?://([^/\"']+)", content))
        assert hosts <= {b"www.w3.org"}, name
