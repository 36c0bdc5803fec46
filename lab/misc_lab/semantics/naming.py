"""Whether an item's name is among what captions name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from misc_sender.semantics.vocabulary import Vocabulary

__all__ = ["Naming", "words"]


def words(text: str) -> list[str]:
    """Split a caption into lower-case words, apostrophes and hyphens kept."""
    return re.findall(r"[a-z][a-z'-]*", text.lower())


class Naming:
    """Knows that "puppies" are dogs, and that a man is a person.

    Args:
        vocabulary: spellings and implications; a name that it lacks counts only word for word.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._places = {noun.name: place for place, noun in enumerate(vocabulary.nouns)}

    def named(self, captions: Iterable[str], others: Iterable[str] = ()) -> set[str]:
        """Return all that captions and other labels name: their words and phrases, and nouns."""
        said = set(others)
        for caption in captions:
            # "Looks at the camera" is about the photographer: no camera is to be seen.
            spoken = words(caption.lower().replace("the camera", ""))
            said |= {*spoken, *(f"{one} {two}" for one, two in pairwise(spoken))}
        nouns, spellings = self._vocabulary.nouns, self._vocabulary.spellings
        places = {place for one in said for place in spellings.get(one, ())}
        places |= {self._places[one] for one in said if one in self._places}
        places |= {more for place in places for more in nouns[place].implies}
        return said | {nouns[place].name for place in places}
