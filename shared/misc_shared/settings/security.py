"""How pictures are kept from others on the way: what both ends can set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from misc_shared.security import KeyRing

__all__ = ["SecurityGroup"]


@dataclass(frozen=True, kw_only=True)
class SecurityGroup:
    """A group to inherit from: each end says in its own words what its key does."""

    panel: ClassVar[str] = "Security"

    key: Path | None = None

    def keys(self) -> KeyRing | None:
        """The keys, or None for no seal.

        Raises:
            ConfigError: the file cannot be read or holds no key.
        """
        from misc_shared.security import load_keys

        return None if self.key is None else load_keys(self.key)
