"""What `misc-recv` does, apart from reading its command line."""

from __future__ import annotations

import asyncio
import sys
from functools import partial

from misc_receiver.decode import FrameDecoder
from misc_receiver.options import ReceiveSettings
from misc_receiver.pipeline import ReceiveOptions, ReceivePipeline
from misc_receiver.refinery import open_refinery
from misc_receiver.sinks.pictures import PictureFolder
from misc_shared.packs import Pack, load_pack
from misc_shared.reports import JsonLines, Reporter
from misc_shared.transports import open_receiver, parse_address

__all__ = ["ReceiveCommand"]


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
        self._refining = settings.refining.refinery()

    def run(self) -> None:
        """Receive until the stream or the count ends.

        Raises:
            MiscError: something is missing, wrong or refused.
        """
        # Wrong words are told before models load.
        parse_address(self._settings.link.origin, stream=self._settings.link.stream)
        pack = load_pack(self._settings.refining.pack)
        asyncio.run(self._receive(pack, FrameDecoder(pack)))

    async def _receive(self, pack: Pack, decoder: FrameDecoder) -> None:
        link, out = self._settings.link, self._settings.output.out
        transport = await open_receiver(link.origin, stream=link.stream, ca_file=link.ca_file)
        folder = None if out is None else PictureFolder(out, stream=transport.stream)
        refining = self._refining
        reporter = _make_reporter()
        try:
            await ReceivePipeline(
                transport=transport,
                decoder=decoder,
                load_refinery=None if refining is None else partial(open_refinery, pack, refining),
                options=ReceiveOptions(count=self._count, folder=folder),
                reporter=reporter,
            ).run()
        finally:
            reporter.close()


def _make_reporter() -> Reporter:
    if not sys.stdout.isatty():
        return JsonLines()
    from misc_receiver.sinks.terminal import Terminal

    return Terminal()
