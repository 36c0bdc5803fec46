"""Which nouns the nano semantics knows, and how captions and labels name them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from misc_lab.semantics.labels import BOX_NOUNS

__all__ = [
    "COCO_NOUNS",
    "PERSON_NOUNS",
    "SURFACE_OF",
    "WORN_NOUNS",
    "Nouns",
    "caption_words",
    "load_nouns",
]

_WORDS_FILE = Path(__file__).with_name("semantics_words.txt")

_COCO_SAME = (
    "person", "dog", "car", "bird", "horse", "cow", "bed", "frisbee", "bear", "umbrella", "chair",
    "cat", "cake", "sheep", "truck", "boat", "vase", "skateboard", "bottle", "sink", "bowl",
    "bench", "surfboard", "refrigerator", "oven", "cup", "train", "toilet", "clock", "pizza",
    "elephant", "bus", "suitcase", "microwave", "kite", "tie", "laptop", "banana", "giraffe",
    "book", "donut", "apple", "sandwich", "carrot", "keyboard", "backpack", "handbag", "scissors",
    "broccoli", "snowboard", "zebra", "remote", "mouse", "knife", "spoon", "toothbrush", "fork",
    "traffic light", "fire hydrant", "baseball glove", "teddy bear", "wine glass", "hot dog",
    "stop sign", "parking meter",
)  # fmt: skip
COCO_NOUNS: dict[str, str] = {**{name: name for name in _COCO_SAME}, **BOX_NOUNS}
"""A detector's label to our noun."""

PERSON_NOUNS = ("man", "woman", "boy", "girl", "child", "baby", "people", "player", "cyclist")
"""Nouns that are somewhere on the mask of "person"."""

_SURFACES = {
    "sky": "sky cloud",
    "green": "tree bush forest garden",
    "grass": "grass field park playground",
    "water": "water ocean wave lake river pool puddle waterfall splash",
    "snow": "snow ice",
    "sand": "sand beach desert dirt gravel ground path",
    "road": "road street sidewalk track court",
    "building": "building house wall fence city stadium store station bridge room",
    "rock": "rock cliff",
    "mountain": "mountain hill",
    "floor": "stage stair dock",
}
SURFACE_OF = {noun: surface for surface, nouns in _SURFACES.items() for noun in nouns.split()}
"""Nouns of what lies behind people and animals, and of what surface each is."""

_WORN = (
    "hat helmet headband hair beard face mouth hand leg eye sunglasses glasses mask scarf necklace "
    "shirt jersey sweater jacket vest suit uniform costume dress skirt pants jeans shorts swimsuit "
    "shoe glove harness"
)
WORN_NOUNS = frozenset(_WORN.split())
"""Nouns of what is on people."""

# Places in the list of 1,000 ImageNet classes (0 is the tench) whose members share one noun.
_IMAGENET_SPANS = (
    (0, 6, "fish"), (7, 24, "bird"), (25, 29, "lizard"), (30, 32, "frog"), (33, 37, "turtle"),
    (38, 48, "lizard"), (49, 50, "crocodile"), (51, 51, "dinosaur"), (52, 68, "snake"),
    (70, 78, "spider"), (80, 98, "bird"), (99, 100, "bird"), (101, 101, "elephant"),
    (104, 106, "kangaroo"), (107, 108, "starfish"), (109, 109, "coral"), (112, 117, "shell"),
    (118, 124, "lobster"), (127, 146, "bird"), (147, 150, "whale"), (151, 268, "dog"),
    (269, 276, "wolf"), (277, 280, "fox"), (281, 285, "cat"), (286, 293, "lion"),
    (294, 297, "bear"), (300, 320, "insect"), (321, 326, "butterfly"), (327, 328, "starfish"),
    (330, 332, "rabbit"), (333, 338, "squirrel"), (339, 339, "horse"), (340, 340, "zebra"),
    (341, 343, "pig"), (345, 347, "cow"), (348, 350, "sheep"), (351, 353, "deer"),
    (354, 355, "camel"), (365, 384, "monkey"), (385, 386, "elephant"), (387, 388, "panda"),
    (389, 397, "fish"), (970, 970, "mountain"), (971, 971, "bubble"), (972, 972, "cliff"),
    (973, 973, "coral"), (974, 974, "fountain"), (975, 975, "lake"), (976, 976, "cliff"),
    (977, 978, "beach"), (979, 979, "valley"), (980, 980, "volcano"), (981, 981, "player"),
    (982, 982, "bride"), (983, 983, "swimmer"), (984, 986, "flower"), (991, 997, "mushroom"),
)  # fmt: skip

# ImageNet classes (by first synonym) whose last word misleads; "" is no noun of ours.
_IMAGENET_OTHER = {
    "apiary": "", "book jacket": "book", "cassette player": "", "CD player": "",
    "tape player": "", "cinema": "building", "drilling platform": "", "fire screen": "",
    "freight car": "train", "Granny Smith": "apple", "hair slide": "", "hair spray": "bottle",
    "half track": "tank", "hard disc": "", "lens cap": "", "orange": "orange fruit",
    "passenger car": "train", "prison": "building", "racer": "car", "solar dish": "",
    "toilet seat": "toilet", "toilet tissue": "", "window screen": "window", "scale": "",
    "entertainment center": "television", "home theater": "television", "palace": "castle",
    "recreational vehicle": "van", "fireboat": "boat", "lifeboat": "boat", "liner": "boat",
    "catamaran": "sail", "trimaran": "sail", "four-poster": "bed", "greenhouse": "building",
    "barbershop": "store", "bakery": "store", "bookshop": "store", "toyshop": "store",
    "shield": "", "fig": "fruit", "pomegranate": "fruit", "jackfruit": "fruit",
    "custard apple": "fruit", "harmonica": "", "jersey": "shirt", "iPod": "phone",
    "pay-phone": "phone", "water jug": "pot", "go-kart": "car", "Model T": "car",
    "triumphal arch": "building", "viaduct": "bridge", "planetarium": "building",
    "dome": "building",
}  # fmt: skip


def caption_words(caption: str) -> list[str]:
    """Split a caption into lower-case words, apostrophes and hyphens kept."""
    # "Looks at the camera" is about the photographer: no camera is to be seen.
    return re.findall(r"[a-z][a-z'-]*", caption.lower().replace("the camera", ""))


@dataclass(frozen=True)
class Nouns:
    """The vocabulary.

    Attributes:
        names: the nouns, in the order of the network's outputs.
        spellings: every understood spelling, plurals too, to the places of the nouns it means.
        implied: for each noun, the places of the nouns that it implies.
    """

    names: tuple[str, ...]
    spellings: dict[str, tuple[int, ...]]
    implied: tuple[tuple[int, ...], ...]

    def index(self, name: str) -> int:
        """Return the place of a noun; ValueError if it is none of ours."""
        return self.names.index(name)

    def mentioned(self, caption: str) -> set[int]:
        """Return the places of all nouns that a caption names, implied ones included."""
        words = caption_words(caption)
        phrases = words + [f"{one} {two}" for one, two in pairwise(words)]
        found = {place for phrase in phrases for place in self.spellings.get(phrase, ())}
        return found | {more for place in found for more in self.implied[place]}

    def of_imagenet(self, number: int, label: str) -> int | None:
        """Return the place of the noun for an ImageNet class, or None if we have none.

        Args:
            number: the class's place among the 1,000.
            label: its synonyms, separated by commas.
        """
        other = _IMAGENET_OTHER.get(label.split(",", maxsplit=1)[0])
        if other is not None:
            return self.index(other) if other else None
        for first, last, noun in _IMAGENET_SPANS:
            if first <= number <= last:
                return self.index(noun)
        for synonym in label.lower().split(","):
            words = synonym.split()
            for phrase in (" ".join(words), words[-1]):
                if phrase in self.spellings:
                    return self.spellings[phrase][0]
        return None


def load_nouns() -> Nouns:
    """Read the nouns from `semantics_words.txt`."""
    rows = [_parse(line) for line in _WORDS_FILE.read_text().splitlines() if _says_noun(line)]
    names = tuple(name for name, _, _ in rows)
    spellings: dict[str, tuple[int, ...]] = {}
    for place, (name, others, _) in enumerate(rows):
        for spelling in [form for word in (name, *others) for form in _forms(word)]:
            known = spellings.get(spelling, ())
            if place not in known:
                # The noun's own name comes first, other nouns' further spellings after it.
                spellings[spelling] = (
                    (place, *known) if spelling in _forms(name) else (*known, place)
                )
    implied = tuple(tuple(names.index(more) for more in further) for _, _, further in rows)
    return Nouns(names, spellings, implied)


def _says_noun(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def _parse(line: str) -> tuple[str, list[str], list[str]]:
    name, _, rest = line.partition("=")
    others, _, implied = rest.partition(":")
    return name.strip(), others.split(), implied.split()


def _forms(word: str) -> tuple[str, ...]:
    """Return a word and its regular plural."""
    if word.endswith(("s", "x", "ch", "sh")):
        return word, word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word, word[:-1] + "ies"
    if word.endswith("f"):
        return word, word + "s", word[:-1] + "ves"
    return word, word + "s"
