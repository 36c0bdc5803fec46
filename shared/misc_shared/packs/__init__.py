"""Model packs: folders of components, each with a card that says what it is and its hashes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from misc_shared.errors import PackError

__all__ = ["CARD_NAME", "Component", "Pack", "load_pack", "write_card"]

CARD_NAME: Final = "card.json"
_EMBEDDED: Final = Path(__file__).parent
_REQUIRED: Final = ("component", "data", "steps", "hardware", "metrics", "licence", "files")


@dataclass(frozen=True, slots=True)
class Component:
    """One set of models, its files checked against its card.

    Attributes:
        name: Such as "codec".
        path: Folder of the files.
        card: The parsed card.json.
        digest: 8 bytes over names and SHA-256 of all weight files; both ends must agree on it.
    """

    name: str
    path: Path
    card: Mapping[str, Any]
    digest: bytes

    def file(self, name: str) -> Path:
        """Give the path of a file that the card lists.

        Raises:
            PackError: The card does not list it.
        """
        if name not in self.card["files"]:
            message = (
                f"pack component {self.name} in {self.path}: no file {name!r}; its card lists "
                f"{sorted(self.card['files'])}"
            )
            raise PackError(message)
        return self.path / name


@dataclass(frozen=True, slots=True)
class Pack:
    """A folder of components."""

    path: Path

    def component(self, name: str) -> Component:
        """Open a component and check every file's hash.

        Raises:
            PackError: It is missing, its card is malformed, or a file differs from its hash.
        """
        folder = self.path / name
        card = _read_card(folder)
        files = card["files"]
        for file, expected in files.items():
            _check_hash(folder / file, expected)
        listing = "".join(f"{file}:{files[file]}\n" for file in sorted(files))
        return Component(name, folder, card, hashlib.sha256(listing.encode()).digest()[:8])

    def has(self, name: str) -> bool:
        """Tell whether a component is there."""
        return (self.path / name / CARD_NAME).is_file()


def load_pack(name: str | Path = "nano") -> Pack:
    """Open a pack: "nano" is the embedded one, anything else a folder.

    Raises:
        PackError: There is no such folder.
    """
    path = _EMBEDDED / "nano" if name == "nano" else Path(name)
    if not path.is_dir():
        message = (
            f"no model pack at {path}; expected 'nano' (the embedded one) or a folder with "
            "codec/, text/ and semantics/"
        )
        raise PackError(message)
    return Pack(path)


def write_card(folder: Path, *, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Hash every file of a component's folder and write its card.

    Args:
        folder: The component's folder, files in place.
        fields: What the card says: component, data, steps, hardware, metrics, licence and more.

    Returns:
        The card.

    Raises:
        PackError: A required field is missing.
    """
    files = {
        str(path.relative_to(folder)): _sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != CARD_NAME
    }
    card = {**fields, "files": files}
    _require(card, folder)
    (folder / CARD_NAME).write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    return card


def _read_card(folder: Path) -> dict[str, Any]:
    path = folder / CARD_NAME
    try:
        card = json.loads(path.read_text())
    except FileNotFoundError as error:
        message = (
            f"model pack component is missing: no {path}; name a pack folder that has it, or "
            "reinstall misc-streaming"
        )
        raise PackError(message) from error
    except (OSError, ValueError) as error:
        message = f"{path} does not read as a card: {error}; restore the pack"
        raise PackError(message) from error
    _require(card, folder)
    return dict(card)


def _require(card: object, folder: Path) -> None:
    found = card if isinstance(card, dict) else {}
    missing = [field for field in _REQUIRED if field not in found]
    if missing or not isinstance(found["files"], dict):
        message = (
            f"card of {folder} lacks {missing or 'a table of files'}; expected {list(_REQUIRED)}"
        )
        raise PackError(message)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check_hash(path: Path, expected: str) -> None:
    try:
        found = _sha256(path)
    except OSError as error:
        message = f"model pack file {path} does not read: {error.strerror}; restore the pack"
        raise PackError(message) from error
    if found != expected:
        message = (
            f"model pack file {path} is damaged: found SHA-256 {found[:12]}, its card says "
            f"{expected[:12]}; restore the pack"
        )
        raise PackError(message)
