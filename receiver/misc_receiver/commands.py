"""What `misc-recv` does, apart from reading its command line."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from typing import TYPE_CHECKING

from misc_receiver.decode import FrameDecoder
from misc_receiver.memory import keep_memory
from misc_receiver.options import ReceiveSettings
from misc_receiver.outcome import Outcome
from misc_receiver.picture_memory import PictureMemory
from misc_receiver.pipeline import ReceiveOptions, ReceivePipeline
from misc_receiver.refinery import open_refinery
from misc_receiver.reports import ListeningStarted
from misc_receiver.sinks.interface import PictureSink
from misc_receiver.sinks.mqtt_images import MqttImages, image_address
from misc_receiver.sinks.pictures import PictureFolder
from misc_shared.companions import run_with_companions
from misc_shared.packs import Pack, load_pack
from misc_shared.reports import JsonLines, Reporter, Reporters
from misc_shared.stopping import run_until_stopped
from misc_shared.transports.base import Listener
from misc_shared.transports.listening import expects_many, open_listener

if TYPE_CHECKING:
    from misc_receiver.monitor import Monitor

__all__ = ["ReceiveCommand"]

_TEND_EVERY = 60.0
"""Seconds between two looks at how old the kept pictures are."""


class ReceiveCommand:
    """One run of `misc-recv`.

    Args:
        settings: what the user asked for.

    Raises:
        ConfigError: options make no sense.
    """

    def __init__(self, settings: ReceiveSettings) -> None:
        self._settings = settings
        self._count = settings.link.limit()
        self._guard = settings.security.guard(settings.link.origin)
        self._refining = settings.refining.refinery(settings.sd)
        # Wrong words are told before models load.
        self._many = expects_many(settings.link.origin, stream=settings.link.stream)
        self._shares = settings.streams.shares(many=self._many)
        self._memory = PictureMemory(self._shares.pictures)
        self._viewer = settings.view.viewer(memory=self._memory)
        image_url = settings.output.mqtt_image
        self._image_broker = None if image_url is None else image_address(image_url)
        self._images: MqttImages | None = None
        self._pipeline: ReceivePipeline | None = None
        self._outcome = Outcome()
        self._all_shown = False
        self._stopped = False
        self._folder: PictureFolder | None = None

    def run(self) -> None:
        """Receive until the streams or the count end.

        Raises:
            MiscError: something is missing, wrong or refused.
        """
        self._settings.webrtc.check_for(self._settings.link.origin)
        self._folder = self._settings.output.folder(many=self._many)
        pack = load_pack(self._settings.refining.pack)
        if self._refining is not None and self._refining.device == "cpu":
            keep_memory()
        decoder = FrameDecoder(pack, memory=self._memory, layer_bytes=self._shares.each)
        asyncio.run(self._receive(pack, decoder))

    async def _receive(self, pack: Pack, decoder: FrameDecoder) -> None:
        reporter = self._reporter(monitor := self._open_monitor())
        await run_until_stopped(
            self._receive_all(pack, decoder, reporter, monitor),
            stop=self._stop,
            close=reporter.close,
            well=lambda: self._outcome.pictures > 0 and (self._endless or self._all_shown),
        )

    def _stop(self) -> bool:
        self._stopped = True
        can_be_asked = self._pipeline is not None and not self._all_shown
        if self._pipeline is not None:
            self._pipeline.stop()
        return can_be_asked

    @property
    def _endless(self) -> bool:
        """Whether the run ends by a signal only."""
        return self._count is None and not self._settings.link.origin.startswith("file:")

    def _check(self) -> None:
        """Say why the run has failed, if it has.

        Raises:
            ConfigError: pictures were not written, or a key is missing or wrong.
            NotDeliveredError: no picture came.
        """
        folder = None if self._folder is None else self._folder.status()
        lost = 0 if folder is None else folder.lost.get("failed", 0)
        self._outcome.check(
            place=_place(self._settings.link.origin),
            not_written=f"{lost} were lost" if lost else None,
        )

    async def _receive_all(
        self,
        pack: Pack,
        decoder: FrameDecoder,
        reporter: Reporters,
        monitor: Monitor | None,
    ) -> None:
        refining = self._refining
        try:
            if self._viewer is not None:
                reporter.report(await self._viewer.start())
            if self._image_broker is not None:
                ca_file = self._settings.link.ca_file
                self._images = await MqttImages.open(
                    self._image_broker, ca_file=ca_file, memory=self._memory
                )
                reporter.add(self._images.availability)
            listener = await self._listen(monitor)
            if self._many:
                reporter.report(ListeningStarted(at=_place(self._settings.link.origin)))
            self._pipeline = pipeline = ReceivePipeline(
                listener=listener,
                new_decoder=decoder.sibling,
                load_refinery=None if refining is None else partial(open_refinery, pack, refining),
                options=self._options(),
                reporter=reporter,
            )
            if monitor is not None:
                monitor.streams = pipeline.status
            await run_with_companions(pipeline.run(), self._tend_folder())
            if not self._stopped:
                self._all_shown = True
                self._check()
            if self._viewer is not None and self._count is None:
                await self._viewer.stay()
        finally:
            if self._images is not None:
                await self._images.close()
            if self._viewer is not None:
                await self._viewer.close()
            reporter.close()

    def _open_monitor(self) -> Monitor | None:
        server = self._settings.metrics.server()
        if server is None:
            return None
        from misc_receiver.monitor import Monitor

        return Monitor(server, unwell_after=self._settings.metrics.unwell_after)

    async def _listen(self, monitor: Monitor | None) -> Listener:
        link = self._settings.link
        listener = await open_listener(
            link.origin,
            stream=link.stream,
            ca_file=link.ca_file,
            webrtc=self._settings.webrtc.options(),
            limit=self._settings.streams.max_streams,
            admits=self._guard.admits,
            archives=self._settings.streams.archives and self._settings.output.out is not None,
        )
        if monitor is not None:
            monitor.link = listener
            monitor.folder = self._folder
            monitor.memory = self._memory
        listener = self._guard.listen(listener, many=self._many)
        return listener if self._viewer is None else self._viewer.tap(listener)

    async def _tend_folder(self) -> None:
        """Let pictures go that get too old while none comes."""
        while self._folder is not None:
            await asyncio.sleep(_TEND_EVERY)
            await asyncio.to_thread(self._folder.trim)

    def _options(self) -> ReceiveOptions:
        return ReceiveOptions(
            count=self._count,
            sinks=self._sinks(),
            many=self._many,
            idle=self._settings.streams.idle,
            waiting_bytes=self._shares.each,
        )

    def _sinks(self) -> list[PictureSink]:
        """Where pictures go; a new kind of place is a line here."""
        sinks: list[PictureSink] = []
        if self._folder is not None:
            sinks.append(self._folder)
        if self._viewer is not None:
            sinks.append(self._viewer.gallery)
        if self._images is not None:
            sinks.append(self._images)
        return sinks

    def _reporter(self, monitor: Monitor | None) -> Reporters:
        """Who is told; a new listener is a line here."""
        gallery = None if self._viewer is None else self._viewer.gallery
        told: list[Reporter | None] = [
            _make_console(many=self._many),
            self._outcome,
            gallery,
            monitor,
        ]
        return Reporters(*(one for one in told if one is not None))


def _place(url: str) -> str:
    """A URL without user and password."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _make_console(*, many: bool) -> Reporter:
    if not sys.stdout.isatty():
        return JsonLines()
    if many:
        from misc_receiver.sinks.board import Board

        return Board()
    from misc_receiver.sinks.terminal import Terminal

    return Terminal()
