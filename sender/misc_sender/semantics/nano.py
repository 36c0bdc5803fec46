"""The embedded backend: two small networks, no server, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from misc_sender.semantics.appearance import appearance
from misc_sender.semantics.backend import QuickBackend
from misc_sender.semantics.captions import write_caption
from misc_sender.semantics.drawing import MapDrawer
from misc_sender.semantics.items import choose_items
from misc_sender.semantics.networks import CaptionNetwork, SightNetwork
from misc_sender.semantics.vocabulary import load_vocabulary
from misc_shared.packs import Component
from misc_shared.semantics import Item, Semantics

__all__ = ["ITEMS", "NanoSemantics"]

ITEMS = 4
"""The most items that it names."""


class NanoSemantics(QuickBackend):
    """Names up to four items with maps, measures their looks, and writes a caption.

    Args:
        component: the pack component "semantics".
        threads: processor cores to use.

    Raises:
        PackError: the component is incomplete or does not load.
    """

    def __init__(self, component: Component, *, threads: int = 1) -> None:
        self._vocabulary = load_vocabulary(component.file("vocabulary.json"))
        self._sight = SightNetwork(component, threads=threads)
        self._captions = CaptionNetwork(component, threads=threads)

    def describe(self, image: NDArray[np.uint8], *, path: Path | None = None) -> Semantics:  # noqa: ARG002
        """Describe a picture, uint8 [H, W, 3] RGB; the same picture gives the same words."""
        sight = self._sight(image)
        chosen = choose_items(self._vocabulary, sight, limit=ITEMS)
        items = tuple(
            Item(one.name, appearance(image, one.where), one.where.copy()) for one in chosen
        )
        # A caption of a picture in which nothing is sure would be a guess.
        caption = write_caption(self._captions, self._vocabulary, sight) if items else ""
        return Semantics(items, caption)

    def locate(
        self, image: NDArray[np.uint8], names: Sequence[str]
    ) -> list[NDArray[np.bool_] | None]:
        """Place words, whether or not they would be said of the picture.

        Args:
            image: uint8 [H, W, 3], RGB.
            names: nouns of the vocabulary in any spelling, such as "grass" or "puppies".

        Returns:
            For each name a map, bool [32, 32], True where the picture is most like it; None for
            a word that is not in the vocabulary.
        """
        sight = self._sight(image)
        places = [self._vocabulary.place(name) for name in names]
        drawer = MapDrawer(self._vocabulary.nouns, sight.patches, sight.colours)
        return [None if place is None else drawer.draw(place) for place in places]
