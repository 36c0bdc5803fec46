"""Count the text coder's tables: `python -m training.text --data DIR`. Takes half a minute.

Counts the captions of Flickr8k but its development images; the nouns that those captions and the
pictures' labels name, as item names; and details in the words that the nano semantics measures.
`--semantics FILE` (a JSON line for each picture: items, each with name and detail, and a caption)
adds what a semantics backend really said of the training pictures.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from misc_sender.semantics.appearance import COLOURS
from misc_shared.packs import Component, write_card
from misc_shared.semantics import Item, Semantics
from misc_shared.text.coder import MODEL_FILE, TextCoder
from misc_shared.text.fields import plan_words
from misc_shared.text.model import END, UNKNOWN, Field
from training.semantics_words import COCO_NOUNS, Nouns, load_nouns
from training.splits import is_development
from training.text_counts import SuccessorCounts, count_orders, pack_tables

_DEFAULT_OUT = Path(__file__).parents[1] / "shared/misc_shared/packs/nano/text"
_WORD_DISCOUNTS = (128, 205, 218)
_SPELLING_DISCOUNTS = (128, 192, 205, 218)
_NAMES = 3
_USUAL = 16  # times that a usual detail counts where an unusual one counts once
_SILENT = 600  # pictures of which no caption is written

_OTHER_COLOURS = ("beige", "cyan", "golden", "maroon", "olive", "silver", "teal", "colorful")
_TONES = ("dark", "light", "bright", "pale")
_SIZES = ("large", "medium", "small")
_PLACES = (
    "center", "left", "right", "top", "bottom",
    "top left", "top right", "bottom left", "bottom right",
)  # fmt: skip
_PUNCTUATION = tuple(".,;:!?'\"()-&/%#$+*=@[]_")

Sequences: TypeAlias = list[tuple[list[str], list[str]]]
"""Pairs of the last word before a text, and the text's own words."""


@dataclass
class Corpus:
    """Words to count, by kind of text."""

    captions: Sequences = field(default_factory=list)
    names: Sequences = field(default_factory=list)
    details: Sequences = field(default_factory=list)

    def add_items(self, items: Iterable[tuple[str, str | None]]) -> None:
        """Add a picture's item names with their details, None for a detail not known."""
        before: list[str] = []
        for name, detail in items:
            words = _words(name)
            self.names.append((before, words))
            if detail is not None:
                self.details.append((words[-1:], _words(detail)))
            before = words[-1:]

    def of(self, kind: Field) -> Sequences:
        """Return the texts of one kind."""
        return {
            Field.NAME: self.names,
            Field.DETAIL: self.details,
            Field.CAPTION: self.captions,
        }[kind]


def main() -> None:
    """Count, and write the pack's text component."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the captions")
    parser.add_argument("--semantics", type=Path, help="what a backend said, as JSON lines")
    parser.add_argument("--out", type=Path, default=_DEFAULT_OUT)
    options = parser.parse_args()

    corpus = _read_corpus(options.data, options.semantics)
    words, rare = _vocabulary(corpus)
    print(f"{len(corpus.captions)} captions, {len(words)} words, {rare} of them seen once")
    arrays = pack_tables(_count(corpus, words, rare))
    arrays["words"] = np.frombuffer("\n".join(words).encode(), np.uint8)
    options.out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(options.out / MODEL_FILE, allow_pickle=False, **arrays)
    metrics = _measure(options.out, options.data)
    print(metrics)
    card = _card(corpus, metrics, measured=options.semantics is not None)
    write_card(options.out, fields=card)


def _count(corpus: Corpus, words: list[str], rare: int) -> Iterator[SuccessorCounts]:
    """Yield the tables in the order of `misc_shared.text.model.TABLES`."""
    ids = {word: place for place, word in enumerate(words, start=UNKNOWN + 1)}
    for kind in Field:
        sequences = (
            ([*(ids[word] for word in before or ())] or [END], [ids[word] for word in text])
            for before, text in corpus.of(kind)
        )
        padded = (([*before, END], text) for before, text in sequences)
        orders = count_orders(padded, bits=16, discounts=_WORD_DISCOUNTS)
        if kind is Field.CAPTION:
            # As many words are new as were seen once (Good 1953).
            orders[0].add((), UNKNOWN, rare)
        yield from orders
    letters = (
        ([END] * 3, [ord(letter) + UNKNOWN + 1 for letter in word]) for word in words
        if word.isascii()
    )  # fmt: skip
    spelling = count_orders(letters, bits=8, discounts=_SPELLING_DISCOUNTS)
    spelling[0].add((), UNKNOWN)
    yield from spelling


def _vocabulary(corpus: Corpus) -> tuple[list[str], int]:
    """Return all words, the most frequent first, and how many of them were seen once."""
    seen = Counter(word for _, text in corpus.captions for word in text)
    rare = sum(count == 1 for count in seen.values())
    seen.update(word for _, text in corpus.names + corpus.details for word in text)
    seen.update(_PUNCTUATION)
    words = sorted(seen, key=lambda word: (-seen[word], word))
    return [word for word in words if word.isascii() and not word.isspace()], rare


def _read_corpus(data: Path, semantics: Path | None) -> Corpus:
    nouns = load_nouns()
    corpus = Corpus()
    for picture in _read_lines(data / "flickr8k-captions.jsonl"):
        texts = [" ".join(caption.split()) for caption in picture["captions"]]
        corpus.captions.extend(([], _words(text)) for text in texts)
        corpus.add_items((name, None) for name in _most_named(texts, nouns))
    for labels in _read_lines(data / "pseudo-labels.jsonl"):
        corpus.add_items((name, None) for name in _labelled(labels, nouns)[:_NAMES])
    corpus.add_items((name, None) for name in nouns.names)
    corpus.captions.extend([([], [])] * _SILENT)
    corpus.details.extend(([], _words(detail)) for detail in _measured_details())
    for picture in _read_lines(semantics) if semantics else ():
        corpus.add_items((item["name"], item["detail"]) for item in picture["items"])
        corpus.captions.append(([], _words(picture["caption"])))
    return corpus


def _read_lines(path: Path, *, held_out: bool = False) -> Iterator[dict[str, Any]]:
    """Yield the JSON lines of the training pictures, or of the development pictures."""
    with path.open(encoding="utf-8") as lines:
        for picture in map(json.loads, lines):
            if is_development(picture["image"]) is held_out:
                yield picture


def _labelled(labels: dict[str, Any], nouns: Nouns) -> list[str]:
    """Return the names of what detectors found, the surest first."""
    names = [COCO_NOUNS.get(box[0]) for box in labels["boxes"]]
    return list(dict.fromkeys(name for name in names if name in nouns.names))


def _measured_details() -> Iterator[str]:
    """Yield details as measuring a colour, a size and a place gives them, the usual ones often."""
    toned = [f"{tone} {colour}" for tone, colour in itertools.product(_TONES, COLOURS)]
    for colour in [*COLOURS * _USUAL, *_OTHER_COLOURS, *toned]:
        for size, place in itertools.product(_SIZES, _PLACES):
            yield f"{colour}, {size}, {place}"
        yield from (f"{colour}, {rest}" for rest in _SIZES + _PLACES)
        yield colour
    yield from [""] * _USUAL


def _words(text: str) -> list[str]:
    return [word.core for word in plan_words(text)[1]]


def _measure(folder: Path, data: Path) -> dict[str, float]:
    """Return mean bytes on the development captions, each checked to come back as it was.

    The items are what the other captions name, with details that have nothing to do with them.
    """
    coder = TextCoder(Component("text", folder, {"files": {MODEL_FILE: ""}}, b""))
    nouns = load_nouns()
    details = itertools.cycle(itertools.product(COLOURS, _SIZES, _PLACES))
    alone: list[Semantics] = []
    whole: list[Semantics] = []
    for place, picture in enumerate(_read_lines(data / "flickr8k-captions.jsonl", held_out=True)):
        texts = [" ".join(_words(" ".join(text.split()))) for text in picture["captions"]]
        caption = texts.pop(place % len(texts)).capitalize() + "."
        names = _most_named(texts, nouns)
        items = tuple(Item(name, ", ".join(next(details))) for name in names)
        alone.append(Semantics(caption=caption))
        whole.append(Semantics(items, caption))
    return {
        "caption_bytes": _mean_bytes(coder, alone),
        "items_and_caption_bytes": _mean_bytes(coder, whole),
    }


def _mean_bytes(coder: TextCoder, texts: list[Semantics]) -> float:
    coded = [coder.encode(text) for text in texts]
    if any(coder.decode(data) != text for data, text in zip(coded, texts, strict=True)):
        raise RuntimeError("a development caption did not come back as it was")
    return round(sum(map(len, coded)) / len(coded), 2)


def _most_named(texts: list[str], nouns: Nouns) -> list[str]:
    """Return the nouns that most captions of a picture name."""
    named = Counter(place for text in texts for place in nouns.mentioned(text))
    best = sorted(named, key=lambda place: (-named[place], place))
    return [nouns.names[place] for place in best[:_NAMES]]


def _card(corpus: Corpus, metrics: dict[str, float], *, measured: bool) -> dict[str, object]:
    said = " and what a semantics backend said of the training pictures" if measured else ""
    return {
        "component": "text",
        "data": f"Flickr8k captions but the development split; labels of the training set{said}",
        "steps": f"counted {len(corpus.captions)} captions, {len(corpus.names)} names, "
        f"{len(corpus.details)} details",
        "metrics": metrics,
        "hardware": "one CPU core, half a minute",
        "licence": "Apache-2.0; counted on non-commercial research data (Flickr8k)",
    }


if __name__ == "__main__":
    main()
