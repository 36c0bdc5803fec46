"""What `misc-recv` does, apart from reading its command line."""

from __future__ import annotations

import asyncio
import sys
from functools import partial

from misc_receiver.decode import FrameDecoder
from misc_receiver.options import ReceiveSettings
from misc_receiver.pipeline import ReceiveOptions, ReceivePipeline
from misc_receiver.refinery import open_refinery
from misc_receiver.sinks.interface import PictureSink
from misc_receiver.sinks.pictures import PictureFolder
from misc_shared.packs import Pack, load_pack
from misc_shared.reports import JsonLines, Reporter, Reporters
from misc_shared.transports.listening import expects_many, open_listener

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
        self._guard = settings.security.guard(settings.link.origin)
        self._refining = settings.refining.refinery(settings.sd)

    def run(self) -> None:
        """Receive until the streams or the count end.

        Raises:
            MiscError: something is missing, wrong or refused.
        """
        link = self._settings.link
        # Wrong words are told before models load.
        many = expects_many(link.origin, stream=link.stream)
        pack = load_pack(self._settings.refining.pack)
        asyncio.run(self._receive(pack, FrameDecoder(pack), many=many))

    async def _receive(self, pack: Pack, decoder: FrameDecoder, *, many: bool) -> None:
        link = self._settings.link
        listener = self._guard.listen(
            await open_listener(link.origin, stream=link.stream, ca_file=link.ca_file), many=many
        )
        refining = self._refining
        reporter = self._reporter()
        try:
            await ReceivePipeline(
                listener=listener,
                new_decoder=decoder.sibling,
                load_refinery=None if refining is None else partial(open_refinery, pack, refining),
                options=ReceiveOptions(count=self._count, sinks=self._sinks(), many=many),
                reporter=reporter,
            ).run()
        finally:
            reporter.close()

    def _sinks(self) -> list[PictureSink]:
        """Where pictures go; a new kind of place is a line here."""
        out = self._settings.output.out
        sinks: list[PictureSink] = []
        if out is not None:
            sinks.append(PictureFolder(out))
        return sinks

    def _reporter(self) -> Reporters:
        """Who is told; a new listener is a line here."""
        return Reporters(_make_console())


def _make_console() -> Reporter:
    if not sys.stdout.isatty():
        return JsonLines()
    from misc_receiver.sinks.terminal import Terminal

    return Terminal()
