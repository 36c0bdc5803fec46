"""One stream's pictures: decodes, hands pictures to the sinks and reports, in that order.

Everything here may take its time; `misc_receiver.pipeline` runs it in a thread, step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from misc_receiver.archive import capture_name
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
from misc_receiver.reports import (
    BaseLost,
    ItemSaid,
    LayerLost,
    PictureReady,
    StreamReport,
    TextSaid,
)
from misc_receiver.sinks.interface import PictureSink, ShownPicture, WordSink
from misc_shared.codec import is_delta
from misc_shared.semantics import Item, Semantics
from misc_shared.session import FrameId, LayerReceived

__all__ = ["Studio"]


@dataclass(frozen=True, eq=False)
class _Picture:
    """A picture on its way to the sinks."""

    pixels: NDArray[np.uint8]
    contents: FrameContents
    kind: str
    layers: int
    label: Mapping[str, str]


class Studio:
    """Makes pictures of a stream's layers.

    Args:
        decoder: decodes them.
        stream: the stream's name.
        sinks: where pictures go, in this order.
        captured: gives the Unix seconds at which a frame was taken, if they are known.
        archive: whether pictures are known by that time, however often they come.
    """

    def __init__(
        self,
        decoder: FrameDecoder,
        *,
        stream: str,
        sinks: Sequence[PictureSink] = (),
        captured: Callable[[FrameId], float | None] = lambda _: None,
        archive: bool = False,
    ) -> None:
        self._archive = archive
        self._decoder = decoder
        self._stream = stream
        self._sinks = sinks
        self._captured = captured

    def develop(self, layers: Sequence[LayerReceived]) -> Iterator[tuple[FrameId, StreamReport]]:
        """Decode layers and show the coarse pictures.

        Yields:
            What is ready, as it gets ready, with the frame that it belongs to.
        """
        # Not a loop, whose variable would hold the pixels until the stream's next turn.
        yield from map(self._shown, self._decoder.decode(layers))

    def contents(self, frame: FrameId) -> FrameContents | None:
        """What is known about a frame; None if it is forgotten."""
        return self._decoder.contents(frame)

    def show_step(
        self,
        contents: FrameContents,
        step: RefineStep,
        label: Mapping[str, str],
    ) -> StreamReport | None:
        """Show a preview, or the result; None if the frame was forgotten meanwhile."""
        coarse = contents.coarse
        if coarse is None:
            return None
        pixels = step.pixels
        if not step.passed_guard:
            # It contradicts what was received: the coarse picture is the better answer.
            pixels, label = coarse.pixels, {"Refined": "rejected, this is the coarse one"}
        kind = "refined" if step.final else f"preview-{step.step}"
        return self._show(_Picture(pixels, contents, kind, coarse.layers_used, label))

    def forget(self, frame: FrameId) -> None:
        """Let go of a frame of which no more will be asked."""
        self._decoder.forget(frame)

    def forget_pictures_before(self, frame: FrameId) -> None:
        """Let go of older pictures, but not of what later ones may build on."""
        self._decoder.forget_pictures_before(frame)

    def forget_picture(self, frame: FrameId) -> None:
        """Let go of a frame's pixels, which nobody needs again."""
        self._decoder.forget_picture(frame)

    def _shown(self, decoded: Decoded) -> tuple[FrameId, StreamReport]:
        return decoded.frame, self._publish(decoded)

    def _publish(self, decoded: Decoded) -> StreamReport:
        match decoded:
            case TextDecoded(frame, semantics):
                for sink in self._sinks:
                    if isinstance(sink, WordSink):
                        sink.describe(self._stream, str(frame), semantics)
                items = [_said(item) for item in semantics.items]
                return TextSaid(frame=str(frame), items=items, caption=semantics.caption)
            case CoarseDecoded(frame, image):
                contents = self._decoder.contents(frame) or FrameContents(frame)
                return self._show(_Picture(image.pixels, contents, "coarse", image.layers_used, {}))
            case BaseMissing(frame, error):
                return BaseLost(frame=str(frame), reason=str(error))
            case LayerFailed(frame, layer, error):
                return LayerLost(frame=str(frame), layer=layer.name.lower(), reason=str(error))

    def _show(self, picture: _Picture) -> PictureReady:
        contents = picture.contents
        generated = "DigitalSourceType" in picture.label
        captured = self._captured(contents.frame)
        shown = ShownPicture(
            stream=self._stream,
            frame=str(contents.frame),
            kind=picture.kind,
            pixels=picture.pixels,
            generated=generated,
            label=picture.label,
            semantics=contents.semantics or Semantics(),
            captured=captured,
            name=capture_name(captured) if self._archive and captured is not None else "",
        )
        files: list[Path] = [path for sink in self._sinks if (path := sink.show(shown)) is not None]
        return PictureReady(
            frame=shown.frame,
            kind=picture.kind,
            coding="delta" if is_delta(contents.base) else "key",
            width=picture.pixels.shape[1],
            height=picture.pixels.shape[0],
            layers=picture.layers,
            generated=generated,
            file=str(files[0]) if files else None,
        )


def _said(item: Item) -> ItemSaid:
    return ItemSaid(name=item.name, detail=item.detail, mapped=item.map is not None)
