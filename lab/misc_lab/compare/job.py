"""One picture over every link, in every way of coding it."""

import functools
import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image

from misc_lab.bench.codec import Pixels
from misc_lab.compare.carriage import Carried, carry, layers_of_file
from misc_lab.compare.catalogue import (
    CodedPicture,
    best_within,
    catalogue,
    ladder,
    smallest_reaching,
)
from misc_lab.compare.chosen import Rung, best_by_deadline, our_ladder
from misc_lab.compare.computing import OUR_COSTS
from misc_lab.compare.eye import Eye, View
from misc_lab.compare.findings import Bill, PictureFindings, Way, find_way
from misc_lab.compare.formats import FORMAT_LABELS
from misc_lab.compare.ours import OurViews, Studio, show_ours
from misc_lab.compare.settings import CompareSettings
from misc_lab.compare.theirs import Browser, encode_seconds
from misc_lab.links import Profile
from misc_receiver.refinery import RefinerySettings, open_refinery
from misc_sender.budget import Budget, frame_bytes
from misc_sender.encode import EncodedFrame, FrameEncoder
from misc_sender.sources import Frame
from misc_shared.packs import load_pack
from misc_shared.wire import LayerKind

__all__ = ["SAME_BYTES", "NamedPicture", "compare_picture"]

SAME_BYTES = " at our bytes"
"""Follows a format's name where the file is the best of those no larger than our picture."""

_REFERENCE_MTU = 1100
_THUMBNAIL = 232
_LARGE = 320


@dataclass(frozen=True, eq=False)
class NamedPicture:
    """A picture of the source.

    Attributes:
        name: For the report.
        frame: As the source gave it.
    """

    name: str
    frame: Frame


def compare_picture(picture: NamedPicture, settings: CompareSettings) -> PictureFindings:
    """Code a picture in every way, and carry it over every link.

    Raises:
        LocalError: The picture is too small, or a model or library is not there.
    """
    return _Comparison(picture, settings).run()


class _Comparison:
    """One picture with all that was made of it."""

    def __init__(self, picture: NamedPicture, settings: CompareSettings) -> None:
        self._picture = picture
        self._settings = settings
        self._pixels = picture.frame.pixels
        self._eye = Eye(self._pixels)
        self._browser = Browser(self._eye)
        self._pack = load_pack(settings.pack)
        refinery = open_refinery(self._pack, RefinerySettings()) if settings.refine else None
        self._studio = Studio(self._pack, refinery, self._eye)
        self._images: dict[str, bytes] = {}
        self._kept: dict[View, str] = {}
        self._files = catalogue(self._eye, quick=settings.quick)
        self._costs = OUR_COSTS.times(self._pixels[..., 0].size / 1e6 * settings.computing)
        self._our_views = functools.cache(self._develop)

    def run(self) -> PictureFindings:
        reference = self._our_views(_REFERENCE_MTU)
        useful = reference.coarse[-1].quality
        files = {name: smallest_reaching(files, useful) for name, files in self._files.items()}
        rungs = self._rungs()
        ways, chosen = {}, {}
        for profile in self._settings.profiles:
            ours = self._our_views(profile.mtu)
            ways[profile.name] = {"misc": self._our_way(profile, ours)}
            ways[profile.name] |= self._their_ways(profile, files, keep=self._keep)
            same = self._at_our_bytes(ours, profile.mtu)
            named = {name + SAME_BYTES: coded for name, coded in same.items()}
            ways[profile.name] |= self._their_ways(profile, named, keep=_forget)
            chosen[profile.name] = best_by_deadline(rungs, profile, seed=self._settings.seed)
        height, width = self._pixels.shape[:2]
        return PictureFindings(
            name=self._picture.name,
            width=width,
            height=height,
            budget=reference.encoded.wire_bytes,
            caption=reference.caption,
            useful=round(useful, 4),
            ways=ways,
            chosen=chosen,
            same_bytes=self._side_by_side(reference),
            images=self._images,
        )

    def _encode(self, budget: Budget, *, mtu: int, semantics: str) -> EncodedFrame:
        encoder = FrameEncoder(self._pack, semantics=semantics, budget=budget, mtu=mtu, threads=1)
        return encoder.encode(self._picture.frame)

    def _develop(self, mtu: int) -> OurViews:
        budget = Budget(max_bytes=self._settings.max_bytes)
        return self._studio.develop(
            self._encode(budget, mtu=mtu, semantics=self._settings.semantics)
        )

    def _our_way(self, profile: Profile, ours: OurViews) -> Way:
        carried = carry(
            ours.encoded.layers,
            profile,
            packs={"codec": self._pack.component("codec").digest},
            seed=self._settings.seed,
            ready_at=self._costs.encode,
        )
        payload = sum(map(len, ours.encoded.layers.values()))
        return find_way(
            _bill(f"{ours.encoded.bpp:.4f} bpp", payload, carried),
            list(show_ours(ours, carried, self._costs)),
            quality=self._settings.quality,
            caption=carried.arrivals.get(LayerKind.TEXT),
            keep=self._keep,
        )

    def _their_ways(
        self,
        profile: Profile,
        files: dict[str, CodedPicture | None],
        *,
        keep: Callable[[View], str],
    ) -> dict[str, Way]:
        """Those that there are, and that the link's sessions can carry at all."""
        ways = {}
        for name, coded in files.items():
            layers = None if coded is None else layers_of_file(coded.data, mtu=profile.mtu)
            if coded is not None and layers is not None:
                ways[name] = self._their_way(profile, coded, layers, keep)
        return ways

    def _their_way(
        self,
        profile: Profile,
        coded: CodedPicture,
        layers: dict[LayerKind, bytes],
        keep: Callable[[View], str],
    ) -> Way:
        computing = self._settings.computing
        ready_at = encode_seconds(coded, computing=computing)
        carried = carry(layers, profile, packs={}, seed=self._settings.seed, ready_at=ready_at)
        shown = self._browser.show(coded, carried, layers, computing=computing)
        return find_way(
            _bill(coded.setting, len(coded.data), carried),
            list(shown),
            quality=self._settings.quality,
            caption=None,
            keep=keep,
        )

    def _at_our_bytes(self, ours: OurViews, mtu: int) -> dict[str, CodedPicture | None]:
        """Of each format, the best file that takes no more bytes on the wire than ours."""
        limit = ours.encoded.wire_bytes
        found: dict[str, CodedPicture | None] = {}
        for name, files in self._files.items():
            fitting = [one for one in files if (_framed(one.data, mtu) or limit + 1) <= limit]
            found[name] = best_within(fitting, limit)
        return found

    def _rungs(self) -> dict[str, list[Rung]]:
        """Ladders of all codecs, ours at several budgets."""
        computing = self._settings.computing
        rungs = {"misc": our_ladder(self._pixels, self._encode, self._studio, self._costs)}
        for name, files in self._files.items():
            rungs[name] = [Rung.of_file(one, computing=computing) for one in ladder(files)]
        return rungs

    def _side_by_side(self, reference: OurViews) -> list[dict[str, Any]]:
        entries: list[tuple[str, int, View]] = []
        if reference.refined is not None:
            entries.append(("MISC, refined", reference.encoded.wire_bytes, reference.refined))
        entries.append(("MISC, coarse", reference.encoded.wire_bytes, reference.coarse[-1]))
        for name, coded in self._at_our_bytes(reference, _REFERENCE_MTU).items():
            # Where nothing fits, the smallest file shows what it would have taken.
            shown = coded or self._files[name][0]
            nbytes = _framed(shown.data, _REFERENCE_MTU) or len(shown.data)
            entries.append((FORMAT_LABELS[name], nbytes, shown.view))
        original = {"title": "Original", "image": self._keep_pixels(self._pixels, _LARGE)}
        return [
            original,
            *(
                {
                    "title": title,
                    "bytes": nbytes,
                    "image": self._keep_pixels(view.pixels, _LARGE),
                    "metrics": view.metrics,
                }
                for title, nbytes, view in entries
            ),
        ]

    def _keep(self, view: View) -> str:
        if view not in self._kept:
            self._kept[view] = self._keep_pixels(view.pixels, _THUMBNAIL)
        return self._kept[view]

    def _keep_pixels(self, pixels: Pixels, width: int) -> str:
        height = round(width * pixels.shape[0] / pixels.shape[1])
        small = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        small.save(buffer, "WEBP", quality=78, method=4)
        key = hashlib.sha256(buffer.getvalue()).hexdigest()[:10]
        self._images[key] = buffer.getvalue()
        return key


def _bill(setting: str, payload: int, carried: Carried) -> Bill:
    return Bill(setting, payload, carried.bytes, carried.lost, carried.repeats)


def _framed(data: bytes, mtu: int) -> int | None:
    """Bytes of a file on the wire; None if it is too large for the link."""
    layers = layers_of_file(data, mtu=mtu)
    return None if layers is None else frame_bytes(layers, mtu=mtu)


def _forget(_: View) -> str:
    return ""
