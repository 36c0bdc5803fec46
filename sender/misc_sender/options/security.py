"""How pictures are kept from others on the way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

if TYPE_CHECKING:
    from misc_shared.security import KeyRing

__all__ = ["SecuritySettings"]


@dataclass(frozen=True, kw_only=True)
class SecuritySettings:
    """The seal from end to end."""

    panel: ClassVar[str] = "Security"

    key: Annotated[
        Path | None,
        typer.Option(
            help="Seal every datagram with the key in this file; `misc-send keygen FILE` makes "
            "one, and the receiver needs the same."
        ),
    ] = None

    def keys(self) -> KeyRing | None:
        """The keys, or None for no seal.

        Raises:
            ConfigError: the file cannot be read or holds no key.
        """
        from misc_shared.security import load_keys

        return None if self.key is None else load_keys(self.key)
