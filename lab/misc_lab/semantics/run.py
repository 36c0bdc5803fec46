"""`misc-bench semantics`: everything about one folder, in one run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from misc_lab.semantics.annotations import read_annotations
from misc_lab.semantics.bars import Bar, bars, example_bars, write_results
from misc_lab.semantics.measure import measure
from misc_lab.semantics.naming import Naming
from misc_sender.semantics import make_backend
from misc_sender.semantics.nano import NanoSemantics
from misc_sender.semantics.vocabulary import load_vocabulary
from misc_sender.sources.images import find_pictures
from misc_shared.errors import ConfigError
from misc_shared.packs import load_pack
from misc_shared.text import TextCoder

__all__ = ["SemanticsSettings", "run_semantics"]


@dataclass(frozen=True, kw_only=True)
class SemanticsSettings:
    """What to measure.

    Attributes:
        folder: pictures.
        captions, boxes, masks: annotation files, or None where there are none.
        example: a longer text for the text coder, or None.
        semantics: name of the backend.
        pack: model pack with the text coder, the vocabulary, and what "nano" runs.
        threads: processor cores.
        count: measure only this many pictures; None for all.
        out: folder for semantics.json; made if absent.
    """

    folder: Path
    captions: Path | None
    boxes: Path | None
    masks: Path | None
    example: Path | None
    semantics: str
    pack: str
    threads: int
    count: int | None
    out: Path


def run_semantics(
    settings: SemanticsSettings, *, on_picture: Callable[[int, int], None]
) -> list[Bar]:
    """Measure a folder, write semantics.json, and return the figures with their bars.

    Args:
        settings: what to measure.
        on_picture: told how many pictures are done, and of how many.

    Raises:
        ConfigError: there are no pictures, or annotations do not read.
        PackError: a model is missing or damaged.
    """
    pictures = find_pictures(settings.folder)[: settings.count]
    if not pictures:
        raise ConfigError(f"there are no pictures in {settings.folder}")
    annotations = read_annotations(settings.captions, settings.boxes, settings.masks)
    pack = load_pack(settings.pack)
    component = pack.component("semantics")
    backend = make_backend(settings.semantics, component=component, threads=settings.threads)
    text = TextCoder(pack.component("text"))
    measured = measure(
        pictures,
        backend,
        locator=backend if isinstance(backend, NanoSemantics) else None,
        text=text,
        naming=Naming(load_vocabulary(component.file("vocabulary.json"))),
        annotations=annotations,
        on_picture=on_picture,
    )
    compared = bars(measured)
    if settings.example is not None:
        compared += example_bars(settings.example, text)
    settings.out.mkdir(parents=True, exist_ok=True)
    write_results(measured, compared, settings.out / "semantics.json")
    return compared
