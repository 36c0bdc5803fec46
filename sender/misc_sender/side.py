"""What is said about a picture, as text and map layers, from the fullest to nothing at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from misc_shared.maps import encode_maps
from misc_shared.packs import Component
from misc_shared.semantics import Item, Semantics
from misc_shared.text import TextCoder
from misc_shared.wire import LayerKind

__all__ = ["Known", "Side", "SideWriter"]

_Maps = list[NDArray[np.bool_]]


@dataclass(frozen=True)
class Known:
    """What the receiver knows of another picture's content, for certain.

    Attributes:
        text: what its text layer says, or None if that may not have arrived.
        maps: what its maps layer shows; empty if it has none, None if it may not have arrived.
    """

    text: Semantics | None
    maps: _Maps | None


@dataclass(frozen=True)
class Side:
    """One way to say it.

    Attributes:
        said: what is said.
        mapped: whether the items' maps go along.
        layers: the bytes that it takes.
        same: layers that need none, because they are as those of the base.
    """

    said: Semantics
    mapped: bool
    layers: dict[LayerKind, bytes]
    same: frozenset[LayerKind] = frozenset()


class SideWriter:
    """Writes text and map layers.

    Args:
        component: the pack's "text".
    """

    def __init__(self, component: Component) -> None:
        self._text = TextCoder(component)

    def ways(self, semantics: Semantics, known: Known | None = None) -> Iterator[Side]:
        """Ways to say what is in the picture.

        Args:
            semantics: all that there is to say.
            known: what the receiver knows of the base; None for a picture that stands alone.
        """
        names_only = Semantics(items=tuple(_without_detail(semantics)))
        for said in (semantics, dataclasses.replace(semantics, caption=""), names_only):
            if said != Semantics():
                if maps_of(said):
                    yield self._write(said, known, mapped=True)
                yield self._write(said, known, mapped=False)
        yield self._write(Semantics(), known, mapped=False)

    def _write(self, said: Semantics, known: Known | None, *, mapped: bool) -> Side:
        maps = maps_of(said) if mapped else []
        base = known or Known(None, None)
        layers: dict[LayerKind, bytes] = {}
        same = set()
        if base.text is not None and without_maps(base.text) == without_maps(said):
            same.add(LayerKind.TEXT)
        elif said != Semantics():
            layers[LayerKind.TEXT] = self._text.encode(said, base.text)
        if base.maps is not None and _alike(base.maps, maps):
            same.add(LayerKind.MAPS)
        elif maps:
            layers[LayerKind.MAPS] = encode_maps(maps, base.maps or ())
        return Side(said, mapped, layers, frozenset(same))


def maps_of(said: Semantics) -> _Maps:
    """The maps to send: they belong to items by their order, so only if every item has one."""
    maps = [item.map for item in said.items if item.map is not None]
    return maps if len(maps) == len(said.items) else []


def without_maps(said: Semantics) -> Semantics:
    """The text alone."""
    items = tuple(dataclasses.replace(item, map=None) for item in said.items)
    return Semantics(items, said.caption)


def _alike(some: _Maps, others: _Maps) -> bool:
    return len(some) == len(others) and all(map(np.array_equal, some, others))


def _without_detail(semantics: Semantics) -> Iterator[Item]:
    for item in semantics.items:
        yield dataclasses.replace(item, detail="")
