"""Virtual time, the air, and a few virtual minutes of many streams."""

import asyncio
import time

import pytest

from misc_lab.fleet.air import Air, AirEnd, Weather
from misc_lab.fleet.census import grown, take_census
from misc_lab.fleet.soak import SoakSettings, run_soak
from misc_lab.fleet.virtual_time import LoopClock, run_in_virtual_time


def test_time_leaps_where_nothing_is_to_do() -> None:
    """Hours of sleep take no time, and wake up in order."""

    async def sleep() -> tuple[list[str], float, float]:
        clock = LoopClock(began=1000.0)
        woken: list[str] = []

        async def wake(name: str, after: float) -> None:
            await asyncio.sleep(after)
            woken.append(name)

        await asyncio.gather(wake("late", 7200.0), wake("early", 3600.0))
        return woken, clock.monotonic(), clock.wall()

    began = time.monotonic()
    woken, monotonic, wall = run_in_virtual_time(sleep())
    assert woken == ["early", "late"]
    assert monotonic == pytest.approx(7200.0)
    assert wall == pytest.approx(8200.0)
    assert time.monotonic() - began < 60


def test_time_stands_still_while_a_thread_works() -> None:
    """So decoding takes no virtual time, however slow the machine is."""

    async def work() -> float:
        loop = asyncio.get_running_loop()
        timer = asyncio.create_task(asyncio.sleep(0.001))
        await loop.run_in_executor(None, time.sleep, 0.2)
        worked = loop.time()
        await timer
        return worked

    assert run_in_virtual_time(work()) == 0.0


def test_the_air_loses_repeats_and_reorders() -> None:
    """As much as it was told to, and nothing else."""

    async def carry() -> list[bytes]:
        weather = Weather(loss=0.2, repeated=0.1, jitter=1.0, outage_every=1e9)
        air = Air(weather, clock=LoopClock(began=0.0), seed=1)
        camera = air.open_camera("porch", mtu=100)
        arrived: list[bytes] = []
        await camera.send(bytes(2))
        stream = await air.accept()
        assert stream is not None
        reading = asyncio.create_task(_read(stream, arrived))
        for number in range(1, 1000):
            await camera.send(number.to_bytes(2, "big"))
            await asyncio.sleep(0.1)
        await asyncio.sleep(5.0)
        air.stop()
        await reading
        assert await air.accept() is None
        await camera.close()
        await stream.close()
        assert air.tables() == {"air.cameras": 0, "air.streams": 0, "air.new": 0, "air.places": 0}
        return arrived

    arrived = run_in_virtual_time(carry())
    assert len(set(arrived)) < len(arrived)
    assert arrived != sorted(arrived)
    assert 700 <= len(set(arrived)) <= 900


async def _read(stream: AirEnd, into: list[bytes]) -> None:
    while (datagram := await stream.receive()) is not None:
        into.append(datagram)


def test_growth_is_named() -> None:
    """A list that grows is found by the type of what is in it."""
    before = take_census()
    kept = [Weather(loss=number / 100) for number in range(50)]
    found = grown(before, take_census())
    assert any(name.endswith("Weather") for name in found)
    assert len(kept) == 50


@pytest.mark.parametrize("sealed", [False, True])
def test_many_streams_for_some_virtual_minutes(sealed: bool) -> None:  # noqa: FBT001
    """Cameras that restart, come and vanish, and garbage: everybody is shown, and let go of."""
    settings = SoakSettings(
        sealed=sealed,
        hours=0.1,
        streams=3,
        every=10.0,
        decode_one_in=6,
        restart_every=90.0,
        visitor_every=65.0,  # none is due just as it ends
        first_hour=0.05,
        weather=Weather(outage_every=200.0, outage=30.0),
    )
    result = run_in_virtual_time(run_soak(settings))
    assert result["fewest_whole_frames"] > 10
    assert result["pictures_decoded"] > 5
    assert result["restarts"] > 3
    assert result["visits"] == 5
    assert result["hours"][-1]["air.streams"] <= 3 + 5 + 2  # garbage holds no place for long
    assert result["garbage"] > 10
    assert result["ours_at_the_end"]["misc_receiver.reception.Reception"] <= 11
