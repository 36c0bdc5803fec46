"""What `misc-send` does, apart from reading its command line."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import sys
from typing import TYPE_CHECKING

from misc_sender.budget import Budget
from misc_sender.encode import FrameEncoder
from misc_sender.explain import Explainer
from misc_sender.options import SendSettings
from misc_sender.pipeline import SendOptions, SendPipeline
from misc_sender.reports import WordsMissed
from misc_sender.semantics import LatestSemantics, SemanticsBackend, make_describer
from misc_sender.sources import MOVING_FPS, Source, open_source
from misc_sender.spool import Spool, Spooling, SpoolLimits
from misc_shared.errors import ConfigError
from misc_shared.packs import load_pack
from misc_shared.reports import JsonLines, Reporter, Reporters
from misc_shared.security import StreamKey
from misc_shared.security.forms import SHORT_OVERHEAD
from misc_shared.stopping import run_until_stopped
from misc_shared.transports import (
    DEFAULT_STREAM,
    FileAddress,
    MqttAddress,
    Transport,
    open_sender,
    parse_address,
)
from misc_shared.transports.guarding import choose_key, guard_sender
from misc_shared.transports.recording_file import (
    RecordingMode,
    check_continued_seal,
    check_recording,
    recorded_stream,
)

if TYPE_CHECKING:
    from misc_sender.monitor import Monitor

__all__ = ["SendCommand"]


class SendCommand:
    """One run of `misc-send`.

    Args:
        settings: what the user asked for.

    Raises:
        ConfigError: options make no sense.
    """

    def __init__(self, settings: SendSettings) -> None:
        self._settings = settings
        self._pipeline: SendPipeline | None = None
        self._keys = settings.security.keys()
        self._recording = settings.link.recording()
        self._taking = settings.source.taking()
        self._describing = settings.semantics.describing()
        self._budget = Budget(
            max_bytes=settings.budget.max_bytes,
            quality=settings.budget.quality,
            kbps=settings.link.kbps,
            fps=settings.source.fps,
            map_share=settings.budget.map_share,
        )
        self._sending = SendOptions(
            deadline=settings.link.deadline,
            count=settings.source.count,
            kbps=settings.link.kbps,
            key_every=settings.budget.key_every,
            adapt_fps=(settings.source.fps or MOVING_FPS) if settings.adaptation.adapt else None,
        )

    def run(self) -> None:
        """Send until the source ends.

        Raises:
            MiscError: something is missing, wrong or refused; nothing was overwritten if it was
                known before the first picture.
        """
        settings = self._settings
        # Wrong words are told before models load.
        address = parse_address(settings.link.to, stream=settings.link.stream)
        if isinstance(address, FileAddress):
            check_recording(address.path, self._recording)
        source = open_source(settings.source.source, options=self._taking)
        key = self._choose_key(source)
        if isinstance(address, FileAddress) and self._recording is RecordingMode.APPEND:
            check_continued_seal(address.path, key)
        overhead = 0 if key is None else SHORT_OVERHEAD
        pack = load_pack(settings.models.pack)
        describer = make_describer(
            self._describing,
            component=pack.component("semantics") if self._describing.name == "nano" else None,
            moving=not source.still,
        )
        encoder = FrameEncoder(
            pack,
            semantics=self._describing.name,
            budget=self._budget,
            mtu=settings.link.mtu - overhead,
            overhead=overhead,
            backend=describer,
        )
        explain = settings.models.explain
        explainer = Explainer(explain, pack.component("text")) if explain else None
        asyncio.run(self._stream(source, encoder, describer, explainer, key))

    async def _stream(
        self,
        source: Source,
        encoder: FrameEncoder,
        describer: SemanticsBackend,
        explainer: Explainer | None,
        key: StreamKey | None,
    ) -> None:
        console = _make_console()
        stopped = await run_until_stopped(
            self._send(source, encoder, describer, explainer, key, console),
            stop=self._stop,
            close=console.close,
            well=lambda: self._endless(source) and self._has_arrived(),
        )
        if not stopped and self._pipeline is not None:
            self._pipeline.check()

    def _stop(self) -> bool:
        if self._pipeline is not None:
            self._pipeline.stop()
        return self._pipeline is not None

    def _endless(self, source: Source) -> bool:
        """Whether the stream ends by a signal only."""
        return source.endless and self._settings.source.count is None

    def _has_arrived(self) -> bool:
        return self._pipeline is not None and self._pipeline.has_arrived

    async def _send(
        self,
        source: Source,
        encoder: FrameEncoder,
        describer: SemanticsBackend,
        explainer: Explainer | None,
        key: StreamKey | None,
        console: Reporter,
    ) -> None:
        monitor = self._open_monitor()
        sending = dataclasses.replace(self._sending, spooling=self._spooling(source, key, encoder))
        transport = await self._open_transport(source, monitor, key=key)
        reporter = console if monitor is None else Reporters(console, monitor)
        _report_misses(describer, reporter)
        try:
            self._pipeline = pipeline = SendPipeline(
                source=source,
                encoder=encoder,
                transport=transport,
                options=sending,
                reporter=reporter,
                on_encoded=explainer,
            )
            if monitor is not None:
                monitor.status = pipeline.status
            await pipeline.run()
        finally:
            reporter.close()

    async def _open_transport(
        self, source: Source, monitor: Monitor | None, *, key: StreamKey | None
    ) -> Transport:
        link = self._settings.link
        transport = await open_sender(
            link.to,
            stream=self._stream_name(source),
            mtu=link.mtu,
            expiry=link.deadline,
            ca_file=link.ca_file,
            webrtc=self._settings.webrtc.options(),
            recording=self._recording,
            patient=self._settings.adaptation.spool is not None,
        )
        if monitor is not None:
            monitor.link = transport
        return guard_sender(transport, url=link.to, key=key)

    def _open_monitor(self) -> Monitor | None:
        server = self._settings.metrics.server()
        if server is None:
            return None
        from misc_sender.monitor import Monitor

        return Monitor(server, unwell_after=self._settings.metrics.unwell_after)

    def _spooling(
        self, source: Source, key: StreamKey | None, encoder: FrameEncoder
    ) -> Spooling | None:
        """Where pictures wait while the link is away.

        Raises:
            ConfigError: the folder cannot be used, or the stream can have no archive.
        """
        asked, link = self._settings.adaptation, self._settings.link
        if asked.spool is None:
            return None
        address = parse_address(link.to, stream=self._stream_name(source))
        if not isinstance(address, MqttAddress) or source.still or not asked.adapt:
            raise ConfigError(
                "--spool is for what moves, over MQTT, with --adapt: pictures in files wait anyway"
            )
        archive = dataclasses.replace(address, prefix=f"{address.prefix}/archive")

        async def connect() -> Transport:
            from misc_shared.transports.mqtt import MqttTransport

            transport = await MqttTransport.connect(
                archive, sending=True, mtu=link.mtu, ca_file=link.ca_file
            )
            # That a stream is not sealed was said of the live one.
            return transport if key is None else guard_sender(transport, url=link.to, key=key)

        limits = SpoolLimits(
            total_bytes=int(asked.spool_mib * (1 << 20)), seconds=3600 * asked.spool_hours
        )
        spool = Spool(asked.spool, limits, stream=address.stream, packs=encoder.packs)
        return Spooling(spool, every=asked.spool_every, connect=connect)

    def _choose_key(self, source: Source) -> StreamKey | None:
        link = self._settings.link
        address = parse_address(link.to, stream=self._stream_name(source))
        return choose_key(self._keys, stream=address.stream or DEFAULT_STREAM, mtu=link.mtu)

    def _stream_name(self, source: Source) -> str | None:
        """The asked name; a recording is named after what is in it, or was first."""
        link = self._settings.link
        address = parse_address(link.to, stream=link.stream)
        if not isinstance(address, FileAddress) or link.stream is not None:
            return link.stream
        if self._recording is RecordingMode.APPEND and address.path.is_file():
            return recorded_stream(address.path)
        return re.sub(r"[^A-Za-z0-9_-]+", "-", source.name).strip("-")[:64] or None


def _report_misses(describer: SemanticsBackend, reporter: Reporter) -> None:
    """Tell the user when a slow backend has no words, from the thread that tells the rest."""
    if isinstance(describer, LatestSemantics):
        loop = asyncio.get_running_loop()

        def tell(reason: str) -> None:
            loop.call_soon_threadsafe(reporter.report, WordsMissed(reason=reason))

        describer.on_miss = tell


def _make_console() -> Reporter:
    if not sys.stdout.isatty():
        return JsonLines()
    from misc_sender.terminal import Terminal

    return Terminal()
