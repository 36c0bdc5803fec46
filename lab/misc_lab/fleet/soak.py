"""Hours of many streams to one receiver, in virtual time: is everything that it keeps let go of?

    cameras (real sessions) ──> air: loss, repeats, reordering, outages ──> ReceivePipeline (real)

Beside the cameras that stay, and restart now and then, others come under new names and vanish
without a word, and somebody sends garbage under ever new names.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from misc_lab.fleet.air import Air, Weather
from misc_lab.fleet.camera import Camera
from misc_lab.fleet.census import Census, grown, take_census
from misc_lab.fleet.run import FleetSettings, encode_pictures
from misc_lab.fleet.virtual_time import LoopClock
from misc_lab.fleet.weighed_folder import WeighedFolder
from misc_receiver.decode import IMAGE_LAYERS, Decoded, FrameDecoder
from misc_receiver.metrics import ReceiverMetrics
from misc_receiver.pipeline import ReceiveOptions, ReceivePipeline
from misc_receiver.reports import FrameEnded, PictureReady
from misc_shared.companions import end_tasks
from misc_shared.packs import Pack, load_pack
from misc_shared.reports import Report
from misc_shared.security import StreamKey
from misc_shared.security.forms import SHORT_OVERHEAD
from misc_shared.security.keyring import KeyRing
from misc_shared.semantics import Item, Semantics
from misc_shared.session import LayerReceived
from misc_shared.text import TextCoder
from misc_shared.transports import Transport
from misc_shared.transports.guarding import ReceiverGuard
from misc_shared.transports.sealed import SealedTransport
from misc_shared.wire import LayerKind

__all__ = ["SoakSettings", "run_soak"]

_BEGAN = 1_750_000_000.0
_TICKS = 8
"""A second's, in a frame's id."""
_IDLE = 300.0
_KEY, _URL = StreamKey(bytes(32)), "mqtt://localhost/misc/+"
_VISIT = 22.0
_SMALL_MTU, _MTU = 40, 300


@dataclass(frozen=True, kw_only=True)
class SoakSettings:
    """What is run; all times are virtual seconds unless they say hours.

    Attributes:
        hours: how long.
        streams: cameras that stay.
        every: seconds between two pictures of a camera.
        decode_one_in: of every so many pictures one is decoded; of the others the layers are put
            together, reported and given to the decoder, which drops them.
        restart_every: between two restarts of a camera, on average.
        visitor_every: between two cameras that come under a new name, send for 22 s and vanish.
        noise_every: between two datagrams of garbage, each under a new name.
        first_hour: of the census that the last one is compared with.
        keep: bytes that pictures may take in a folder of their own; None keeps none.
        width: pixels.
        height: pixels.
        weather: what happens to datagrams.
        sealed: whether both ends have a key.
        seed: of everything that is drawn, but the numbers of runs.
    """

    hours: float = 8.0
    streams: int = 50
    every: float = 5.0
    decode_one_in: int = 1
    restart_every: float = 1800.0
    visitor_every: float = 30.0
    noise_every: float = 20.0
    first_hour: float = 2.0
    keep: int | None = None
    width: int = 64
    height: int = 48
    weather: Weather = field(default_factory=Weather)
    sealed: bool = False
    seed: int = 0


class _SomeDecoded(FrameDecoder):
    """Decodes one in so many pictures, and all words."""

    def __init__(self, pack: Pack, *, ticks: int, one_in: int) -> None:
        super().__init__(pack, threads=1)
        self._ticks = ticks
        self._one_in = one_in

    def decode(self, received: Sequence[LayerReceived]) -> Iterator[Decoded]:
        """Decode what is this picture's turn."""
        yield from super().decode([event for event in received if self._is_due(event)])

    def _is_due(self, event: LayerReceived) -> bool:
        number = event.frame.tick // self._ticks
        return event.layer not in IMAGE_LAYERS or number % self._one_in == 0


class _Watcher:
    """Feeds metrics as `misc-recv --metrics` does, and counts whole frames and shown pictures."""

    def __init__(self, metrics: ReceiverMetrics, names: Sequence[str]) -> None:
        self.pictures = 0
        self.whole = dict.fromkeys(names, 0)
        self.reports: Counter[str] = Counter()
        self._metrics = metrics

    def report(self, report: Report) -> None:
        """Count one report."""
        self._metrics.report(report)
        self.reports[str(report.__struct_config__.tag)] += 1
        if isinstance(report, PictureReady):
            self.pictures += 1
        elif isinstance(report, FrameEnded) and report.stream in self.whole:
            self.whole[report.stream] += not report.missing

    def close(self) -> None:
        """Do nothing."""


class _Cameras:
    """Those that stay and those that come and go."""

    def __init__(self, settings: SoakSettings, air: Air, pack: Pack) -> None:
        self.names = [f"camera-{number:02}" for number in range(settings.streams)]
        self.sent: Counter[str] = Counter()
        self.delivered: Counter[str] = Counter()
        self.restarts = self.visits = self.garbage = 0
        self._settings = settings
        self._air = air
        self._draw = random.Random(settings.seed)
        self._packs = {name: pack.component(name).digest for name in ("codec", "text")}
        self._pictures = _pictures(pack, width=settings.width, height=settings.height)

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for number, name in enumerate(self.names):
                tasks.create_task(self._stay(name, number))
            tasks.create_task(self._visit())
            tasks.create_task(self._disturb())

    async def _stay(self, name: str, number: int) -> None:
        every = self._settings.every
        mtu = _MTU if number % 10 else _SMALL_MTU
        begin = every * number / self._settings.streams
        while True:
            life = self._draw.expovariate(1 / self._settings.restart_every)
            await self._send(name, seconds=max(every, life), begin=begin, mtu=mtu)
            self.restarts += 1
            await asyncio.sleep(self._draw.uniform(1.0, 4 * every))

    async def _visit(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in itertools.count():
                await asyncio.sleep(self._settings.visitor_every)
                self.visits += 1
                tasks.create_task(self._send(f"visitor-{number}", seconds=_VISIT))

    async def _disturb(self) -> None:
        for number in itertools.count():
            await asyncio.sleep(self._settings.noise_every)
            self.garbage += 1
            self._air.inject(f"noise-{number}", self._draw.randbytes(1 + number % 200))

    async def _send(
        self, name: str, *, seconds: float, begin: float = 0.0, mtu: int = _MTU
    ) -> None:
        if self._settings.sealed:
            end = self._air.open_camera(name, mtu=mtu + SHORT_OVERHEAD)
            transport: Transport = SealedTransport.for_sender(end, _KEY)
        else:
            transport = self._air.open_camera(name, mtu=mtu)
        camera = Camera(
            transport,
            packs=self._packs,
            pictures=self._pictures,
            every=self._settings.every,
            begin=begin,
        )
        try:
            async with asyncio.timeout(seconds):
                await camera.run()
        except TimeoutError:
            pass
        finally:
            label = name if name in self.sent or name in self.names else "visitors"
            self.sent[label] += camera.sent
            self.delivered[label] += camera.delivered


async def run_soak(
    settings: SoakSettings, *, tell: Callable[[dict[str, Any]], None] = lambda _: None
) -> dict[str, Any]:
    """Run it; give what was measured, JSON-ready. For `run_in_virtual_time` alone.

    Args:
        settings: what is run.
        tell: told after each virtual hour what was measured so far.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = None if settings.keep is None else WeighedFolder(Path(place), keep=settings.keep)
        return await _run(settings, folder, tell)


async def _run(
    settings: SoakSettings, folder: WeighedFolder | None, tell: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    pack = load_pack("nano")
    air = Air(settings.weather, clock=LoopClock(began=_BEGAN), seed=settings.seed)
    cameras = _Cameras(settings, air, pack)
    registry = CollectorRegistry()
    # The pipeline tells the metrics, and the metrics ask the pipeline.
    pipelines: list[ReceivePipeline] = []
    metrics = ReceiverMetrics(
        registry,
        streams=lambda: [one for pipeline in pipelines for one in pipeline.status()],
        turned_away=dict,
        connected=lambda: True,
    )
    watcher = _Watcher(metrics, cameras.names)
    ticks = round(settings.every * _TICKS)
    decoder = _SomeDecoded(pack, ticks=ticks, one_in=settings.decode_one_in)
    guard = ReceiverGuard(_URL, keys=KeyRing(default=_KEY) if settings.sealed else None)
    pipeline = ReceivePipeline(
        listener=guard.listen(air, many=True),
        new_decoder=decoder.sibling,
        load_refinery=None,
        options=ReceiveOptions(many=True, idle=_IDLE, sinks=[] if folder is None else [folder]),
        reporter=watcher,
    )
    pipelines.append(pipeline)
    began = time.perf_counter()
    tasks = [asyncio.create_task(pipeline.run()), asyncio.create_task(cameras.run())]
    rows: list[Census] = []
    result: dict[str, Any] = {}
    try:
        for hour in _hours(settings):
            await _until(hour * 3600, tasks)
            row = {
                "hour": hour,
                "streams": len(pipeline.status()),
                **air.tables(),
                "series": sum(len(metric.samples) for metric in registry.collect()),
                **take_census(),
            }
            rows.append(row)
            result = _result(settings, rows, cameras, watcher)
            if folder is not None:
                result["folder"] = folder.weigh()
            result["seconds_taken"] = round(time.perf_counter() - began, 1)
            tell(result)
    finally:
        await end_tasks(*tasks)
    return result


def _hours(settings: SoakSettings) -> list[float]:
    """When a census is taken: every hour, at the one to compare with, and at the end."""
    whole = {float(hour) for hour in range(1, int(settings.hours) + 1)}
    return sorted(whole | {settings.first_hour, settings.hours})


async def _until(moment: float, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait; what fails meanwhile is raised."""
    left = moment - asyncio.get_running_loop().time()
    done, _ = await asyncio.wait(tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


def _result(
    settings: SoakSettings,
    rows: Sequence[Census],
    cameras: _Cameras,
    watcher: _Watcher,
) -> dict[str, Any]:
    first = next((row for row in rows if row["hour"] == settings.first_hour), rows[0])
    last = rows[-1]
    whole = list(watcher.whole.values())
    return {
        "settings": asdict(settings),
        "cpu_seconds": round(resource.getrusage(resource.RUSAGE_SELF).ru_utime, 1),
        "load_average": [round(one, 1) for one in os.getloadavg()],
        "sent": cameras.sent.total(),
        "delivered": cameras.delivered.total(),
        "restarts": cameras.restarts,
        "visits": cameras.visits,
        "garbage": cameras.garbage,
        "reports": dict(sorted(watcher.reports.items())),
        "pictures_decoded": watcher.pictures,
        "fewest_whole_frames": min(whole),
        "most_whole_frames": max(whole),
        "growth": {
            "from_hour": first["hour"],
            "to_hour": last["hour"],
            "rss_mb": round(last["rss_mb"] - first["rss_mb"], 2),
            "blocks": last["blocks"] - first["blocks"],
            "objects": {name: list(pair) for name, pair in grown(first, last).items()},
        },
        "hours": [{key: row[key] for key in row if key != "objects"} for row in rows],
        "ours_at_the_end": {
            name: count
            for name, count in sorted(last["objects"].items(), key=lambda item: -item[1])
            if name.startswith("misc_")
        },
    }


def _pictures(pack: Pack, *, width: int, height: int) -> Sequence[Mapping[LayerKind, bytes]]:
    """Small pictures, every fourth with words."""
    said = Semantics(items=(Item("dog", "brown"),), caption="A brown dog runs on grass.")
    text = TextCoder(pack.component("text")).encode(said)
    tiny = encode_pictures(FleetSettings(port=0, width=width, height=height))
    return [
        {**layers, LayerKind.TEXT: text} if number == 1 else layers
        for number, layers in enumerate(tiny)
    ]
