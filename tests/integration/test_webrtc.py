"""The WebRTC transport between real aiortc peers over UDP sockets."""

import asyncio
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from tests.integration.whip import free_port, make_offer, open_listener, post_offer

from misc_lab.links.link import SimulatedLink
from misc_lab.links.loss import NoLoss, ScriptedLoss
from misc_lab.links.schedule import RateSchedule
from misc_lab.links.udp_box import IP_AND_UDP, SignallingBox, UdpBox
from misc_shared.errors import TransportError
from misc_shared.transports import (
    Transport,
    WebrtcOptions,
    open_receiver,
    open_sender,
)
from misc_shared.transports.webrtc import listener as listening

pytestmark = pytest.mark.timeout(300)

PATIENCE = 60.0
TOKEN = "a-token-for-the-tests"  # noqa: S105 - nobody's


async def _taken(transport: Transport) -> bytes | None:
    return await asyncio.wait_for(transport.receive(), PATIENCE)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - nobody tells when
            await asyncio.sleep(0.1)


async def test_everything_arrives_both_ways() -> None:
    """Nothing is lost on the way through the window, whatever the sizes; answers come back."""
    url = f"webrtc+http://localhost:{free_port()}"
    receiver = await open_receiver(url)
    sender = await open_sender(url)
    generator = random.Random(1)
    sent = [
        number.to_bytes(4, "big") + bytes(generator.choice((1, 40, 300, 1096)))
        for number in range(250)
    ]

    async def send_all() -> None:
        for datagram in sent:
            await sender.send(datagram)

    sending = asyncio.create_task(send_all())
    received = [await _taken(receiver) for _ in sent]
    await sending
    assert sorted(filter(None, received)) == sent
    await receiver.send(b"acknowledged")
    assert await _taken(sender) == b"acknowledged"
    with pytest.raises(TransportError, match="1101 bytes does not fit the MTU of 1100"):
        await sender.send(bytes(1101))
    await sender.close()
    await receiver.close()
    assert await receiver.receive() is None


async def test_one_listener_serves_many_and_a_sender_comes_back() -> None:
    """Each name is a stream of its own; whoever returns goes on with the same transport."""
    async with open_listener() as (url, listener):
        garden = await open_sender(f"{url}/whip/garden")
        porch = await open_sender(url, stream="porch")
        accepted = {
            stream.stream: stream for stream in [await listener.accept() for _ in "12"] if stream
        }
        assert set(accepted) == {"garden", "porch"}
        await garden.send(b"flowers")
        await porch.send(b"steps")
        assert await _taken(accepted["garden"]) == b"flowers"
        assert await _taken(accepted["porch"]) == b"steps"
        await garden.close()
        again = await open_sender(f"{url}/whip/garden")
        await again.send(b"more flowers")
        assert await _taken(accepted["garden"]) == b"more flowers"
        assert accepted["garden"].reconnects == 1
        await again.close()
        await porch.close()


async def test_a_second_sender_of_a_name_is_refused() -> None:
    """While the first one answers; its stream goes on."""
    async with open_listener() as (url, listener):
        first = await open_sender(f"{url}/whip/garden")
        stream = await listener.accept()
        assert stream is not None
        with pytest.raises(TransportError, match="hears another sender"):
            await open_sender(f"{url}/whip/garden")
        await first.send(b"still here")
        assert await _taken(stream) == b"still here"
        await first.close()


async def test_only_the_token_opens() -> None:
    """Wrong and missing tokens are refused, as one sentence that does not repeat them."""
    async with open_listener(WebrtcOptions(token=TOKEN)) as (url, listener):
        for options in (WebrtcOptions(), WebrtcOptions(token=TOKEN[::-1])):
            with pytest.raises(TransportError, match="refuses our bearer token") as caught:
                await open_sender(url, webrtc=options)
            assert TOKEN[::-1] not in str(caught.value)
        assert (await post_offer(f"{url}/nowhere", "")) == (401, None)
        sender = await open_sender(url, webrtc=WebrtcOptions(token=TOKEN))
        assert await asyncio.wait_for(listener.accept(), PATIENCE) is not None
        await sender.close()


async def test_beyond_this_host_there_always_is_a_token(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is drawn and shown once, or drawn and kept in the file that was named."""
    everywhere = "webrtc+http://0.0.0.0"
    receiver = await open_receiver(f"{everywhere}:{free_port()}")
    await receiver.close()
    shown = capsys.readouterr().err
    assert "senders need the bearer token" in shown
    path = tmp_path / "token"
    port = free_port()
    receiver = await open_receiver(f"{everywhere}:{port}", webrtc=WebrtcOptions(token_file=path))
    shown = capsys.readouterr().err
    assert str(path) in shown
    assert path.read_text().strip() not in shown
    assert (await post_offer(f"webrtc+http://127.0.0.1:{port}/whip/camera", ""))[0] == 401
    await receiver.close()


async def test_sessions_are_ended_counted_and_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    """DELETE with the session's URL ends it; offers that lead nowhere do not fill the place."""
    monkeypatch.setattr(listening, "_OPEN_TIMEOUT", 1.0)
    async with open_listener(WebrtcOptions(sessions=1)) as (url, listener):
        link, offer = await make_offer()
        at = f"{url}/whip/camera"
        status, location = await post_offer(at, offer)
        assert status == 201
        assert location is not None
        # Nobody goes on with it: the name stays free.
        await link.close()
        assert (await post_offer(at, offer))[0] == 201
        sender = await open_sender(at)
        stream = await listener.accept()
        assert stream is not None
        assert (await post_offer(f"{url}/whip/another", offer))[0] == 503
        async with aiohttp.ClientSession() as http:
            base = url.removeprefix("webrtc+")
            async with http.delete(f"{base}{location}") as reply:
                assert reply.status == 404  # that one is long over
            session = listener._registry.session("camera")  # noqa: SLF001 - only its sender knows
            assert session is not None
            async with http.delete(f"{base}/whip/camera/{session.id}") as reply:
                assert reply.status == 200
        # The sender hears of it and comes back by itself.
        await _until(lambda: sender.reconnects == 1)
        await sender.send(b"back")
        assert await _taken(stream) == b"back"
        await sender.close()


async def test_https_with_a_certificate_of_ones_own(tmp_path: Path) -> None:
    """webrtc+https:// verifies the receiver; without a certificate to show there is no receiver."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed (Debian: apt-get install openssl)")
    certificate, key = tmp_path / "ca.pem", tmp_path / "key.pem"
    subprocess.run(  # noqa: ASYNC221 - a moment, before anything runs
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-out", str(certificate), "-keyout", str(key)],
        check=True, capture_output=True,
    )  # fmt: skip
    url = f"webrtc+https://localhost:{free_port()}"
    shown = WebrtcOptions(certificate=certificate, private_key=key)
    receiver = await open_receiver(url, webrtc=shown)
    sender = await open_sender(url, ca_file=certificate)
    await sender.send(b"sealed")
    assert await _taken(receiver) == b"sealed"
    await sender.close()
    with pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED"):
        await open_sender(url)
    await receiver.close()


async def test_no_receiver_is_one_sentence() -> None:
    """The first connection fails at once and names the address."""
    port = free_port()
    with pytest.raises(TransportError, match=rf"localhost:{port} does not answer"):
        await open_sender(f"webrtc+http://localhost:{port}")


def _one_way(*, delay: float, loss: bool = False) -> SimulatedLink:
    generator = random.Random(1)
    return SimulatedLink(
        schedule=RateSchedule(256_000),
        loss=ScriptedLoss([False] * 4 + [True], repeat=True) if loss else NoLoss(),
        delay=delay,
        mtu=1500,
        queue_bytes=65_536,
        overhead=IP_AND_UDP,
        generator=generator,
    )


async def test_a_long_round_trip_and_losses_are_survived() -> None:
    """1,200 ms and every fifth answer lost: all arrives, over the first connection."""
    port = free_port()
    receiver = await open_receiver(f"webrtc+http://localhost:{port}")
    box = UdpBox(forward=_one_way(delay=0.6), back=_one_way(delay=0.6, loss=True))
    signalling = SignallingBox(f"http://127.0.0.1:{port}", box)
    await signalling.start()
    sender = await open_sender(f"webrtc+http://localhost:{signalling.port}")
    for number in range(12):
        await sender.send(bytes([number]) * 500)
    received = [await _taken(receiver) for _ in range(12)]
    assert sorted(filter(None, received)) == [bytes([number]) * 500 for number in range(12)]
    assert sender.reconnects == 0
    await sender.close()
    await receiver.close()
    await signalling.close()


_RECEIVER = """
import asyncio, sys
from misc_shared.transports import open_receiver

async def main():
    receiver = await open_receiver(sys.argv[1])
    while (datagram := await receiver.receive()) is not None:
        print(datagram.decode(), flush=True)

asyncio.run(main())
"""


class ReceiverProcess:
    """A receiver in a process of its own, which prints what comes."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _RECEIVER, url], stdout=subprocess.PIPE, text=True
        )

    async def hears(self, word: str) -> None:
        """Wait until it prints this."""
        assert self._process.stdout is not None
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE):
            while word not in await loop.run_in_executor(None, self._process.stdout.readline):
                pass

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


async def test_a_killed_receiver_is_found_again_when_it_returns() -> None:
    """The sender notices the silence, and goes on with the new one by itself."""
    port = free_port()
    url = f"webrtc+http://localhost:{port}"
    first = ReceiverProcess(url)
    sender = await _first_connection(url)
    try:
        await sender.send(b"before")
        await first.hears("before")
    finally:
        first.kill()
    second = ReceiverProcess(url)
    hearing = asyncio.create_task(second.hears("after"))
    try:
        while not hearing.done():  # as a session repeats
            await asyncio.wait_for(sender.send(b"after"), PATIENCE)
            await asyncio.wait({hearing}, timeout=0.5)
        await hearing
        assert sender.reconnects >= 1
    finally:
        second.kill()
        await sender.close()


async def _first_connection(url: str) -> Transport:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await open_sender(url)
            except TransportError:
                await asyncio.sleep(0.5)
