"""Who gets in: every route, other sites, other names, large bodies."""

import asyncio
import base64
import socket

import aiohttp
import pytest
from aiohttp import test_utils, web
from tests.receiver.view.serving import TOKEN, filled_gallery, serving

from misc_receiver.view.access import COOKIE
from misc_receiver.view.guard import Guard
from misc_receiver.view.server import ViewServer
from misc_receiver.view.watchers import Watchers

_EXAMPLES = {
    "name": "main.js", "stream": "garden", "frame": "00aa-000009", "picture": "coarse",
    "format": "jpg",
}  # fmt: skip


def _own_address() -> str:
    """An address of this machine that is not its own alone; loopback where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _routes(server: ViewServer, watchers: Watchers) -> list[tuple[str, str]]:
    """Every method and path, with names that exist."""
    app = server.application(watchers)
    found = []
    for route in app.router.routes():
        resource = route.resource
        assert resource is not None
        path = resource.get_info().get("path") or resource.get_info()["formatter"]
        found.append((route.method, path.format(**_EXAMPLES)))
    return found


async def test_without_a_token_nothing_but_the_login_answers() -> None:
    """Every route, from an address that others have too."""
    async with serving(filled_gallery(), host="0.0.0.0", token=True) as (client, server):  # noqa: S104
        routes = _routes(server, Watchers())
        assert len(routes) > 20
        port = client._base_url.port  # type: ignore[union-attr]  # noqa: SLF001
        base = f"http://{_own_address()}:{port}"
        for method, path in routes:
            async with client.request(method, base + path, allow_redirects=False) as answer:
                if path == "/login":
                    assert answer.status == (403 if method == "POST" else 200), path
                    assert b"garden" not in await answer.read()
                else:
                    assert answer.status == 401, (method, path)
                    assert set(answer.headers) & {"ETag", "Set-Cookie"} == set()
        async with client.get(base + "/no/such/path") as answer:
            assert answer.status == 401


async def test_ways_in_with_a_token() -> None:
    """Bearer, a password, a picture's query; the form gives a cookie, and logging out takes it."""
    async with serving(filled_gallery(), host="0.0.0.0", token=True) as (client, _):  # noqa: S104
        password = base64.b64encode(f"viewer:{TOKEN}".encode()).decode()
        for good in (f"Bearer {TOKEN}", f"Basic {password}"):
            async with client.get("/streams", headers={"Authorization": good}) as answer:
                assert answer.status == 200
        for bad in (
            "Bearer x",
            "Basic !!",
            "Basic " + base64.b64encode(b"\xff").decode(),
            "Digest",
        ):
            async with client.get("/streams", headers={"Authorization": bad}) as answer:
                assert answer.status == 401
        async with client.get(f"/streams/garden/latest.jpg?token={TOKEN}") as answer:
            assert answer.status == 200
        async with client.get(f"/streams?token={TOKEN}") as answer:
            assert answer.status == 401
        async with client.post("/login", data={"token": "wrong"}) as answer:
            assert answer.status == 403
            assert "That is not the token" in await answer.text()
        async with client.post("/login", data={"token": TOKEN}, allow_redirects=False) as answer:
            assert answer.status == 303
            cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert TOKEN not in cookie
        async with client.get("/streams") as answer:
            assert answer.status == 200
        async with client.post("/logout", allow_redirects=False) as answer:
            assert answer.status == 303
        async with client.get("/streams") as answer:
            assert answer.status == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 400),
        ({"Origin": "http://[::1"}, 400),
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example:80"}, 421),
        ({"Host": "192.0.2.7"}, 421),
        ({"Host": "[::1"}, 421),
        ({"Host": "localhost:9"}, 200),
    ],
)
async def test_other_sites_and_names(headers: dict[str, str], status: int) -> None:
    """A page elsewhere cannot read along, not even by a name that it points here."""
    async with (
        serving(filled_gallery()) as (client, _),
        client.get("/streams", headers=headers) as answer,
    ):
        assert answer.status == status


async def test_a_link_from_elsewhere_opens_the_page_alone() -> None:
    """As a document, not in a frame, and no part of it."""
    link = {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
    }
    async with serving(filled_gallery()) as (client, _):
        async with client.get("/", headers=link) as answer:
            assert answer.status == 200
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Frame-Options"] == "DENY"
        async with client.get("/", headers={**link, "Sec-Fetch-Dest": "iframe"}) as answer:
            assert answer.status == 403
        async with client.get("/streams/garden/latest.jpg", headers=link) as answer:
            assert answer.status == 403


async def test_bodies_are_limited() -> None:
    """The only form takes 4096 bytes; a form from nowhere is refused."""
    async with serving(filled_gallery(), token=True) as (client, _):
        async with client.post("/login", data={"token": "x" * 5000}) as answer:
            assert answer.status == 413
        async with client.post("/login", data=b"", headers={"Sec-Fetch-Site": "none"}) as answer:
            assert answer.status == 403


async def test_a_logout_ends_the_cookie_for_everybody() -> None:
    """Who has copied it is out too, and whoever watches with it is sent home."""
    async with serving(filled_gallery(), token=True) as (client, _), asyncio.timeout(20):
        async with client.post("/login", data={"token": TOKEN}, allow_redirects=False) as answer:
            copied = {"Cookie": f"{COOKIE}={answer.cookies[COOKIE].value}"}
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(str(client._base_url), cookie_jar=jar) as thief:  # noqa: SLF001
            async with thief.get("/live", headers=copied) as feed:
                assert feed.status == 200
                await feed.content.readuntil(b"\n\n")
                async with client.post("/logout", allow_redirects=False) as answer:
                    assert answer.status == 303
                await feed.content.read()  # it ends
            async with thief.get("/streams", headers=copied) as answer:
                assert answer.status == 401


async def test_guessing_is_slowed_and_sessions_are_not() -> None:
    """Nine wrong tokens, by whatever way: then right ones have to wait too, but who is in is in."""
    async with serving(filled_gallery(), token=True) as (client, _):
        async with client.post("/login", data={"token": TOKEN}) as answer:
            assert answer.status == 200
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(str(client._base_url), cookie_jar=jar) as guesser:  # noqa: SLF001
            for number in range(3):
                bearer = {"Authorization": f"Bearer {number}"}
                async with guesser.get("/streams", headers=bearer) as answer:
                    assert answer.status == 401
                async with guesser.get(f"/streams/garden/latest.jpg?token={number}") as answer:
                    assert answer.status == 401
                async with guesser.post("/login", data={"token": str(number)}) as answer:
                    assert answer.status == 403
            right = {"Authorization": f"Bearer {TOKEN}"}
            async with guesser.get("/streams", headers=right) as answer:
                assert answer.status == 429
                assert int(answer.headers["Retry-After"]) in range(1, 6)
            async with guesser.post("/login", data={"token": TOKEN}) as answer:
                assert answer.status == 429
                assert "Try again in" in await answer.text()
        async with client.get("/streams") as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=x", b"nonsense"),
        ("application/x-www-form-urlencoded; charset=none", b"token=%ff&token=2"),
        ("application/x-www-form-urlencoded", b"&".join([b"a=b"] * 100)),
        ("", b"\xff\xff"),
    ],
)
async def test_forms_of_other_kinds_are_no_login(kind: str, body: bytes) -> None:
    """And no fault of the server's."""
    async with (
        serving(filled_gallery(), token=True) as (client, _),
        client.post("/login", data=body, headers={"Content-Type": kind}) as answer,
    ):
        assert answer.status == 403


async def test_names_that_were_given_are_known() -> None:
    """Behind a proxy the page has another name."""
    guard = Guard(None, names=["View.Example"])
    app = web.Application(middlewares=[guard.check])
    app.router.add_get("/", _hello)
    async with test_utils.TestClient(test_utils.TestServer(app)) as client:
        for host, status in (("view.example:8090", 200), ("other.example", 421)):
            async with client.get("/", headers={"Host": host}) as answer:
                assert answer.status == status


async def _hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")
