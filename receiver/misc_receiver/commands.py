"""What `misc-recv` does, apart from reading its command line."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from misc_receiver.decode import FrameDecoder
from misc_receiver.pipeline import ReceiveOptions, ReceivePipeline
from misc_receiver.refine.interface import check_dials
from misc_receiver.refinery import RefinerySettings, open_refinery
from misc_receiver.sinks.pictures import PictureFolder
from misc_shared.errors import ConfigError
from misc_shared.packs import Pack, load_pack
from misc_shared.reports import JsonLines, Reporter
from misc_shared.transports import open_receiver, parse_address

__all__ = ["ReceiveCommand"]


@dataclass(frozen=True, kw_only=True)
class ReceiveCommand:
    """One run of `misc-recv`.

    Attributes:
        origin: the `--from` URL.
        stream: the stream's name, or None for the URL's, the recording's or the default one.
        out: folder for pictures, or None.
        pack: name or folder of the model pack.
        ca_file: certificates to trust.
        count: frames after which to stop, or None.
        refining: how to refine, or None for coarse pictures only.
    """

    origin: str
    stream: str | None
    out: Path | None
    pack: str
    ca_file: Path | None
    count: int | None
    refining: RefinerySettings | None

    def run(self) -> None:
        """Receive until the stream or the count ends.

        Raises:
            MiscError: something is missing, wrong or refused.
        """
        self._check()
        pack = load_pack(self.pack)
        asyncio.run(self._receive(pack, FrameDecoder(pack)))

    def _check(self) -> None:
        """Tell what is wrong with the words before models load."""
        parse_address(self.origin, stream=self.stream)
        if self.count is not None and self.count < 1:
            raise ConfigError(f"{self.count} frames to receive: give at least 1")
        if self.refining is not None:
            check_dials(steps=self.refining.steps, fidelity=self.refining.fidelity)

    async def _receive(self, pack: Pack, decoder: FrameDecoder) -> None:
        transport = await open_receiver(self.origin, stream=self.stream, ca_file=self.ca_file)
        folder = None if self.out is None else PictureFolder(self.out, stream=transport.stream)
        refining = self.refining
        reporter = _make_reporter()
        try:
            await ReceivePipeline(
                transport=transport,
                decoder=decoder,
                load_refinery=None if refining is None else partial(open_refinery, pack, refining),
                options=ReceiveOptions(count=self.count, folder=folder),
                reporter=reporter,
            ).run()
        finally:
            reporter.close()


def _make_reporter() -> Reporter:
    if not sys.stdout.isatty():
        return JsonLines()
    from misc_receiver.sinks.terminal import Terminal

    return Terminal()
