"""What `misc-send` does, apart from reading its command line."""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from misc_sender.budget import Budget
from misc_sender.encode import FrameEncoder
from misc_sender.explain import Explainer
from misc_sender.pipeline import SendOptions, SendPipeline
from misc_sender.reports import WordsMissed
from misc_sender.semantics import (
    LatestSemantics,
    SemanticsBackend,
    SemanticsOptions,
    make_describer,
)
from misc_sender.sources import Source, SourceOptions, open_source
from misc_shared.packs import load_pack
from misc_shared.reports import JsonLines, Reporter
from misc_shared.transports import FileAddress, open_sender, parse_address

__all__ = ["SendCommand"]


@dataclass(frozen=True, kw_only=True)
class SendCommand:
    """One run of `misc-send`.

    Attributes:
        source: what to send.
        to: where.
        stream: the stream's name, or None for the URL's, the file's or the default one.
        semantics: who says what is in the pictures.
        pack: name or folder of the model pack.
        mtu: bytes of the largest datagram.
        ca_file: certificates to trust.
        taking: how to take pictures.
        budget: what a picture may cost.
        sending: how to send them.
        explain: file that shows the latest picture with its words and what they cost, or None.
    """

    source: str
    to: str
    stream: str | None
    semantics: SemanticsOptions
    pack: str
    mtu: int
    ca_file: Path | None
    taking: SourceOptions
    budget: Budget
    sending: SendOptions
    explain: Path | None = None

    def run(self) -> None:
        """Send until the source ends.

        Raises:
            MiscError: something is missing, wrong or refused; nothing was overwritten if it was
                known before the first picture.
        """
        parse_address(self.to, stream=self.stream)  # wrong words are told before models load
        source = open_source(self.source, options=self.taking)
        pack = load_pack(self.pack)
        describer = make_describer(
            self.semantics,
            component=pack.component("semantics") if self.semantics.name == "nano" else None,
            moving=not source.still,
        )
        encoder = FrameEncoder(
            pack,
            semantics=self.semantics.name,
            budget=self.budget,
            mtu=self.mtu,
            backend=describer,
        )
        explainer = Explainer(self.explain, pack.component("text")) if self.explain else None
        asyncio.run(self._stream(source, encoder, describer, explainer))

    async def _stream(
        self,
        source: Source,
        encoder: FrameEncoder,
        describer: SemanticsBackend,
        explainer: Explainer | None,
    ) -> None:
        transport = await open_sender(
            self.to,
            stream=self._stream_name(source),
            mtu=self.mtu,
            expiry=self.sending.deadline,
            ca_file=self.ca_file,
        )
        reporter = _make_reporter()
        _report_misses(describer, reporter)
        try:
            await SendPipeline(
                source=source,
                encoder=encoder,
                transport=transport,
                options=self.sending,
                reporter=reporter,
                on_encoded=explainer,
            ).run()
        finally:
            reporter.close()

    def _stream_name(self, source: Source) -> str | None:
        """The asked name; a recording is named after what is in it."""
        address = parse_address(self.to, stream=self.stream)
        if not isinstance(address, FileAddress) or self.stream is not None:
            return self.stream
        return re.sub(r"[^A-Za-z0-9_-]+", "-", source.name).strip("-")[:64] or None


def _report_misses(describer: SemanticsBackend, reporter: Reporter) -> None:
    """Tell the user when a slow backend has no words, from the thread that tells the rest."""
    if isinstance(describer, LatestSemantics):
        loop = asyncio.get_running_loop()

        def tell(reason: str) -> None:
            loop.call_soon_threadsafe(reporter.report, WordsMissed(reason=reason))

        describer.on_miss = tell


def _make_reporter() -> Reporter:
    if not sys.stdout.isatty():
        return JsonLines()
    from misc_sender.terminal import Terminal

    return Terminal()
