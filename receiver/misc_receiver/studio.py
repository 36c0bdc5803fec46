"""The worker's side of the receiver: decodes, refines, writes files and reports, in that order.

Everything here may take its time; `misc_receiver.pipeline` runs it in a thread, step by step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from misc_receiver.decode import (
    BaseMissing,
    CoarseDecoded,
    Decoded,
    FrameContents,
    FrameDecoder,
    LayerFailed,
    TextDecoded,
)
from misc_receiver.refine import RefineStep
from misc_receiver.refinery import Refinery
from misc_receiver.reports import BaseLost, ItemSaid, LayerLost, PictureReady, TextSaid
from misc_receiver.sinks.pictures import PictureFolder
from misc_shared.codec import is_delta
from misc_shared.reports import Report
from misc_shared.semantics import Item
from misc_shared.session import FrameId, LayerReceived

__all__ = ["Studio"]


class Studio:
    """Makes pictures of layers.

    Args:
        decoder: decodes them.
        folder: where pictures are written, or None for nowhere.
    """

    def __init__(self, decoder: FrameDecoder, *, folder: PictureFolder | None) -> None:
        self._decoder = decoder
        self._folder = folder

    def develop(self, layers: Sequence[LayerReceived]) -> Iterator[tuple[FrameId, Report]]:
        """Decode layers and write the coarse pictures.

        Yields:
            What is ready, as it gets ready, with the frame that it belongs to.
        """
        for decoded in self._decoder.decode(layers):
            yield decoded.frame, self._publish(decoded)

    def finish(self, frame: FrameId, refinery: Refinery) -> Iterator[Report]:
        """Refine a frame and write previews and the result; stop reading to cancel."""
        contents = self._decoder.contents(frame)
        if contents is None:
            return
        for step in refinery.refine(contents):
            yield self._publish_step(contents, step, refinery.label(contents, step))

    def forget(self, frame: FrameId) -> None:
        """Let go of a frame of which no more will be asked."""
        self._decoder.forget(frame)

    def _publish(self, decoded: Decoded) -> Report:
        match decoded:
            case TextDecoded(frame, semantics):
                items = [_said(item) for item in semantics.items]
                return TextSaid(frame=str(frame), items=items, caption=semantics.caption)
            case CoarseDecoded(frame, image, delta):
                return self._picture(
                    image.pixels,
                    frame=frame,
                    kind="coarse",
                    coding="delta" if delta else "key",
                    layers=image.layers_used,
                    label={},
                )
            case BaseMissing(frame, error):
                return BaseLost(frame=str(frame), reason=str(error))
            case LayerFailed(frame, layer, error):
                return LayerLost(frame=str(frame), layer=layer.name.lower(), reason=str(error))

    def _publish_step(
        self, contents: FrameContents, step: RefineStep, label: Mapping[str, str]
    ) -> Report:
        assert contents.coarse is not None  # noqa: S101 - or there were no step
        pixels = step.pixels
        if not step.passed_guard:
            # It contradicts what was received: the coarse picture is the better answer.
            pixels, label = contents.coarse.pixels, {"Refined": "rejected, this is the coarse one"}
        kind = "refined" if step.final else f"preview-{step.step}"
        return self._picture(
            pixels,
            frame=contents.frame,
            kind=kind,
            coding="delta" if is_delta(contents.base) else "key",
            layers=contents.coarse.layers_used,
            label=label,
        )

    def _picture(
        self,
        pixels: NDArray[np.uint8],
        *,
        frame: FrameId,
        kind: str,
        coding: str,
        layers: int,
        label: Mapping[str, str],
    ) -> PictureReady:
        path = None
        if self._folder is not None:
            path = self._folder.save(pixels, frame=str(frame), kind=kind, label=label)
        return PictureReady(
            frame=str(frame),
            kind=kind,
            coding=coding,
            width=pixels.shape[1],
            height=pixels.shape[0],
            layers=layers,
            generated="DigitalSourceType" in label,
            file=None if path is None else str(path),
        )


def _said(item: Item) -> ItemSaid:
    return ItemSaid(name=item.name, detail=item.detail, mapped=item.map is not None)
