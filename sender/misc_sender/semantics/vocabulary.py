"""The words that the nano networks know, as their pack stores them."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from misc_shared.errors import PackError

__all__ = ["Noun", "Vocabulary", "load_vocabulary"]


class Noun(Struct, frozen=True, forbid_unknown_fields=True):
    """One noun, at the place of its network output.

    Attributes:
        name: at most three words.
        accept: the probability from which it is right often enough to be said; above 1 is never.
        implies: places of the nouns that it makes superfluous ("puppy" makes "dog").
        placed: whether training showed where it is; otherwise only that it is somewhere.
        inside: what a cell of its map needs at least: for placed nouns a share of the surest
            cell's probability, for the others of the way from the lowest to the highest score.
        surface: for stuff, which has no outline of its own, what it is the surface of, such as
            "water" for oceans and pools; "" for things.
    """

    name: str
    accept: float
    implies: tuple[int, ...]
    placed: bool
    inside: float
    surface: str = ""


class Vocabulary(Struct, frozen=True, forbid_unknown_fields=True):
    """All words.

    Attributes:
        nouns: in the order of the network's outputs.
        tokens: the captioner's words; the first three are end, begin and unknown.
        spellings: caption words to the places of the nouns that they name.
        support: the least probability of a noun that a caption may name.
        fluency: the least mean log probability of a caption's words.
        speak: how familiar a picture must be for a caption, a probability.
        familiar: how familiar it must be for its nouns to be believed as they are.
        caution: in others a noun's odds are divided by e to this power.
    """

    nouns: tuple[Noun, ...]
    tokens: tuple[str, ...]
    spellings: dict[str, tuple[int, ...]]
    support: float
    fluency: float
    speak: float
    familiar: float
    caution: float

    def place(self, word: str) -> int | None:
        """Return the place of the noun that a word names first, or None if it names none."""
        named = [place for place, noun in enumerate(self.nouns) if noun.name == word]
        return next(iter((*named, *self.spellings.get(word, ()))), None)


def load_vocabulary(path: Path) -> Vocabulary:
    """Read a vocabulary.

    Raises:
        PackError: the file is not of the expected form.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Vocabulary)
    except (OSError, msgspec.DecodeError) as error:
        raise PackError(
            f"semantics vocabulary {path} does not load ({error}); reinstall the pack"
        ) from error
