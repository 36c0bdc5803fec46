"""What strangers may ask of the signalling, with real offers."""

import asyncio
from pathlib import Path

import pytest
from tests.integration.whip import free_port, make_offer, open_listener, post_offer

from misc_shared.errors import ConfigError
from misc_shared.transports import WebrtcOptions, open_receiver, open_sender

pytestmark = pytest.mark.timeout(300)


async def test_bad_offers_are_refused() -> None:
    """Each limit answers with its own status; the listener goes on."""
    async with open_listener() as (url, listener):
        link, offer = await make_offer()
        at = f"{url}/whip/camera"
        audio = offer.replace("m=application", "m=audio")
        assert [
            (await post_offer(at, "v=0"))[0],
            (await post_offer(at, ""))[0],
            (await post_offer(at, audio))[0],
            (await post_offer(at, offer.replace("a=fingerprint", "a=x")))[0],
            (await post_offer(at, offer.replace("a=ice-pwd", "a=x")))[0],
            (await post_offer(at, "x" * 20_000))[0],
            (await post_offer(at, offer, **{"Content-Type": "text/plain"}))[0],
            (await post_offer(f"{url}/whip/..%2F..", offer))[0],
            (await post_offer(f"{url}/whip/a/b/c", offer))[0],
        ] == [400, 400, 400, 400, 400, 413, 415, 404, 404]
        await link.close()
        sender = await open_sender(at)
        assert await listener.accept() is not None
        await sender.close()


async def test_offers_that_never_connect_lock_nobody_out() -> None:
    """As many as there may be, from two addresses and for the camera's own name: it gets in."""
    async with open_listener() as (url, listener):
        links = [await make_offer() for _ in range(2)]
        for number in range(24):
            link, offer = links[number % 2]
            name = "camera" if number < 4 else f"junk{number}"
            await post_offer(f"{url}/whip/{name}", offer, source=f"127.0.0.{2 + number % 2}")
        async with asyncio.timeout(20):
            sender = await open_sender(f"{url}/whip/camera")
            stream = await listener.accept()
        assert stream is not None
        assert stream.stream == "camera"
        await sender.close()
        for link, _ in links:
            await link.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://["}, 400),
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost:1"}, 201),
    ],
)
async def test_web_pages_may_not_offer(headers: dict[str, str], status: int) -> None:
    """Neither another site's nor one that has pointed its own name at this machine."""
    async with open_listener() as (url, _):
        link, offer = await make_offer()
        assert (await post_offer(f"{url}/whip/camera", offer, **headers))[0] == status
        await link.close()


async def test_candidates_that_no_datagram_reaches_are_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A port of 99999, an address that is none: nothing fails in the loop."""
    async with open_listener() as (url, _):
        link, offer = await make_offer()
        wrong = "".join(
            f"a=candidate:{number} 1 udp 2130706431 {place} typ host\r\n"
            for number, place in enumerate(
                [
                    "127.0.0.1 99999",
                    "127.0.0.1 0",
                    "127.0.0.1 -5",
                    "0.0.0.0 9",
                    "224.0.0.1 9",
                    "x 9",
                ]
            )
        )
        status, _ = await post_offer(f"{url}/whip/camera", offer.rstrip() + "\r\n" + wrong)
        assert status == 201
        await asyncio.sleep(1)
        await link.close()
    assert not [line for line in caplog.records if line.levelname in {"ERROR", "CRITICAL"}]


async def test_guessing_the_token_is_slowed() -> None:
    """Nine wrong ones: then the right one has to wait too."""
    token = "a-token-of-this-very-test"  # noqa: S105 - of this alone
    async with open_listener(WebrtcOptions(token=token)) as (url, _):
        at = f"{url}/whip/camera"
        for _ in range(9):
            assert (await post_offer(at, "", Authorization="Bearer wrong"))[0] == 401
        assert (await post_offer(at, "", Authorization=f"Bearer {token}"))[0] == 429
        assert (await post_offer(at, ""))[0] == 401  # says no token, guesses none


async def test_a_certificate_that_nothing_shows_is_refused(tmp_path: Path) -> None:
    """Else one would think that it is."""
    options = WebrtcOptions(certificate=tmp_path / "cert.pem")
    with pytest.raises(ConfigError, match="--tls-certificate"):
        await open_receiver(f"webrtc+http://localhost:{free_port()}", webrtc=options)
