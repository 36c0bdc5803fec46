"""What a stream may hold beside the picture's latents, each group alone and together."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from misc_lab.bench.codec import Pixels
from misc_sender.semantics import SemanticsBackend
from misc_shared.semantics import Semantics

__all__ = ["CONTENTS", "Contents", "Filtered"]


@dataclass(frozen=True, slots=True)
class Contents:
    """Which groups a stream holds.

    Attributes:
        name: For tables.
        latents: Whether the picture's integers are used; without, it is refined from grey.
        caption: The overall description.
        items: Names and details.
        maps: Where the items are.
    """

    name: str
    latents: bool = True
    caption: bool = False
    items: bool = False
    maps: bool = False


CONTENTS = (
    Contents("latents"),
    Contents("latents, caption", caption=True),
    Contents("latents, items", items=True),
    Contents("latents, items, maps", items=True, maps=True),
    Contents("latents, caption, items", caption=True, items=True),
    Contents("latents, caption, items, maps", caption=True, items=True, maps=True),
    Contents("caption", latents=False, caption=True),
    Contents("items", latents=False, items=True),
    Contents("items, maps", latents=False, items=True, maps=True),
    Contents("caption, items, maps", latents=False, caption=True, items=True, maps=True),
)
"""All that are measured. Maps without items say where nothing is: no stream has them."""


class Filtered:
    """A semantics backend that keeps some of what another one says.

    It asks the other one once a picture, however many streams are made of that.

    Args:
        backend: The other one.

    Attributes:
        contents: What is kept.
    """

    def __init__(self, backend: SemanticsBackend) -> None:
        self._backend = backend
        self._seen: Pixels | None = None
        self._said = Semantics()
        self.contents = CONTENTS[0]

    def describe(self, image: Pixels, *, path: Path | None = None) -> Semantics:
        """See `SemanticsBackend.describe`."""
        if image is not self._seen:
            self._seen, self._said = image, self._backend.describe(image, path=path)
        kept = self.contents
        items = self._said.items if kept.items else ()
        if not kept.maps:
            items = tuple(dataclasses.replace(item, map=None) for item in items)
        return Semantics(items=items, caption=self._said.caption if kept.caption else "")

    def close(self) -> None:
        """See `SemanticsBackend.close`."""
        self._backend.close()
