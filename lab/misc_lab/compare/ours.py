"""What our receiver's screen shows of one picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from misc_lab.bench.codec import Pixels
from misc_lab.compare.carriage import Carried
from misc_lab.compare.computing import OurCosts
from misc_lab.compare.eye import Eye, View
from misc_lab.compare.screen import Change
from misc_receiver.decode import CoarseDecoded, FrameDecoder
from misc_receiver.refinery import Refinery
from misc_sender.encode import EncodedFrame
from misc_shared.codec import ImageDecoder
from misc_shared.packs import Pack
from misc_shared.session import FrameId, LayerReceived
from misc_shared.wire import PRIORITY, LayerKind

__all__ = ["OurViews", "Studio", "show_ours"]

_IMAGE_LAYERS = (LayerKind.BASE, LayerKind.DETAIL1, LayerKind.DETAIL2)


@dataclass(frozen=True, eq=False)
class OurViews:
    """All that one coded picture can show.

    Attributes:
        encoded: Its layers.
        coarse: The pictures of its first, of two and of three image layers, as many as it has.
        refined: With everything; None where nothing refines, or the guard rejected it.
        caption: What the text layer says, or "".
    """

    encoded: EncodedFrame
    coarse: Sequence[View]
    refined: View | None
    caption: str


class Studio:
    """Decodes and refines coded pictures of one original.

    Args:
        pack: The models.
        refinery: The refiner, or None.
        eye: Looks at the results.
    """

    def __init__(self, pack: Pack, refinery: Refinery | None, eye: Eye) -> None:
        self._decoder = FrameDecoder(pack, threads=1)
        self._images = ImageDecoder(pack.component("codec"), threads=1)
        self._refinery = refinery
        self._eye = eye
        self._count = 0

    def develop(self, encoded: EncodedFrame) -> OurViews:
        """Show it layer by layer, then refined."""
        self._count += 1
        frame = FrameId(0, self._count)
        pictures: list[Pixels] = []
        for layer in PRIORITY:
            if layer in encoded.layers:
                data = encoded.layers[layer]
                received = LayerReceived(
                    frame=frame, captured_at=0.0, captured_unix=None,
                    layer=layer, data=data, wire_bytes=len(data),
                )  # fmt: skip
                decoded = self._decoder.decode([received])
                pictures += [one.image.pixels for one in decoded if isinstance(one, CoarseDecoded)]
        refined = self._refine(frame)
        self._decoder.forget(frame)
        return OurViews(
            encoded,
            [self._eye.see(pixels) for pixels in pictures],
            None if refined is None else self._eye.see(refined),
            encoded.semantics.caption if LayerKind.TEXT in encoded.layers else "",
        )

    def look_at_layers(self, encoded: EncodedFrame) -> list[View]:
        """The coarse pictures of its first image layer, of two and of three."""
        layers = [encoded.layers[kind] for kind in _IMAGE_LAYERS if kind in encoded.layers]
        counts = range(1, len(layers) + 1)
        return [self._eye.see(self._images.decode(layers[:count]).pixels) for count in counts]

    def _refine(self, frame: FrameId) -> Pixels | None:
        contents = self._decoder.contents(frame)
        if self._refinery is None or contents is None:
            return None
        steps = list(self._refinery.refine(contents))
        return steps[-1].pixels if steps and steps[-1].passed_guard else None


def show_ours(views: OurViews, carried: Carried, costs: OurCosts) -> Iterator[Change]:
    """What the screen shows when: each coarse picture as its layer comes, the refined one last.

    The receiver does one thing at a time. What a newer layer has outdated meanwhile is not shown.

    Args:
        views: What there is to show.
        carried: When the layers came.
        costs: Seconds for this picture.
    """
    layers = [kind for kind in _IMAGE_LAYERS if kind in views.encoded.layers]
    ready = _ready_times(layers, carried)
    free = 0.0
    for index, view in enumerate(views.coarse):
        begins = max(ready[index], free)
        outdated = index + 1 < len(ready) and ready[index + 1] <= begins
        if begins == float("inf") or outdated:
            continue
        free = begins + costs.decode
        yield Change(free, "coarse", index + 1, view)
    everything = max(carried.arrivals.get(kind, float("inf")) for kind in views.encoded.layers)
    if views.refined is not None and everything < float("inf"):
        yield Change(max(everything, free) + costs.refine, "refined", len(ready), views.refined)


def _ready_times(layers: Sequence[LayerKind], carried: Carried) -> list[float]:
    """When each layer and all before it were there."""
    times: list[float] = []
    for layer in layers:
        arrived = carried.arrivals.get(layer, float("inf"))
        times.append(max(arrived, times[-1] if times else 0.0))
    return times
