"""A comparison from settings to findings, pictures over worker processes."""

import functools
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from misc_lab.bench.pool import map_pictures
from misc_lab.compare.findings import PictureFindings
from misc_lab.compare.job import NamedPicture, compare_picture
from misc_lab.compare.settings import CompareSettings
from misc_sender.sources import SourceOptions, open_source
from misc_shared.errors import ConfigError
from misc_shared.packs import load_pack

__all__ = ["run_comparison"]

_MOST = 32
"""Pictures; a folder with more of them makes no better page."""


def run_comparison(
    settings: CompareSettings, *, on_picture: Callable[[int, int], None]
) -> list[PictureFindings]:
    """Compare every picture.

    Args:
        settings: What to compare.
        on_picture: Told the number of pictures done and in all, after each.

    Returns:
        One entry a picture, in the order of the sources.

    Raises:
        LocalError: A source, the pack or a library is not there, or a picture is too small.
    """
    load_pack(settings.pack)
    pictures = list(_pictures(settings.sources))
    on_picture(0, len(pictures))
    found: dict[str, PictureFindings] = {}
    for findings in _compare_all(pictures, settings):
        found[findings.name] = findings
        on_picture(len(found), len(pictures))
    return [found[picture.name] for picture in pictures]


def _compare_all(
    pictures: Sequence[NamedPicture], settings: CompareSettings
) -> Iterator[PictureFindings]:
    workers = min(settings.workers, len(pictures))
    work = functools.partial(compare_picture, settings=settings)
    if workers == 1:
        return map(work, pictures)
    return map_pictures(work, pictures, workers=workers)


def _pictures(sources: Sequence[str]) -> Iterator[NamedPicture]:
    """The sources' pictures, each under a name of its own."""
    names: dict[str, int] = {}
    for name in sources:
        source = open_source(name, options=SourceOptions())
        most = _MOST if source.still else 1
        try:
            frames = list(islice(source.frames(), most))
        finally:
            source.close()
        for frame in frames:
            title = source.name if frame.path is None else frame.path.stem
            names[title] = names.get(title, 0) + 1
            yield NamedPicture(title if names[title] == 1 else f"{title} ({names[title]})", frame)
    if not names:
        raise ConfigError("The sources have no picture.")
