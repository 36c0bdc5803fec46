"""A comparison's files: the page, the numbers, the README's tables and plot."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from misc_lab.compare.computing import FORMAT_COSTS, OUR_COSTS
from misc_lab.compare.findings import PictureFindings, Way
from misc_lab.compare.formats import FORMATS
from misc_lab.compare.job import SAME_BYTES
from misc_lab.compare.page import build_page, standalone_chart
from misc_lab.compare.settings import CompareSettings
from misc_lab.compare.summary import LinkSummary, summarise
from misc_lab.compare.table import markdown_tables
from misc_lab.result_files import write_results

__all__ = ["write_comparison"]


def write_comparison(
    settings: CompareSettings, pictures: Sequence[PictureFindings]
) -> list[LinkSummary]:
    """Write compare.html, compare.json, compare.md and compare.svg; no clock is in any of them.

    Returns:
        The pictures taken together, link by link.

    Raises:
        ConfigError: The folder cannot be written.
    """
    links = summarise(pictures, settings.profiles, same_suffix=SAME_BYTES)
    contents = {
        "compare.html": build_page(settings, pictures, links),
        "compare.json": json.dumps(_report(settings, pictures, links), indent=1) + "\n",
        "compare.md": markdown_tables(links),
        "compare.svg": standalone_chart(links),
    }
    write_results(settings.out, contents)
    return links


def _report(
    settings: CompareSettings, pictures: Sequence[PictureFindings], links: Sequence[LinkSummary]
) -> dict[str, Any]:
    return {
        "settings": {
            "sources": list(settings.sources),
            "seed": settings.seed,
            "max_bytes": settings.max_bytes,
            "quality": settings.quality,
            "semantics": settings.semantics,
            "refine": settings.refine,
            "quick": settings.quick,
            "computing": _computing(settings),
            "versions": {name: codec.version() for name, codec in FORMATS.items()},
        },
        "links": [asdict(link) for link in links],
        "pictures": [_picture(picture) for picture in pictures],
    }


def _computing(settings: CompareSettings) -> dict[str, Any] | None:
    if not settings.computing:
        return None
    return {"misc": asdict(OUR_COSTS)} | {name: asdict(one) for name, one in FORMAT_COSTS.items()}


def _picture(picture: PictureFindings) -> dict[str, Any]:
    return {
        "name": picture.name,
        "width": picture.width,
        "height": picture.height,
        "bytes": picture.budget,
        "caption": picture.caption,
        "useful": picture.useful,
        "same_bytes": [
            {key: value for key, value in entry.items() if key != "image"}
            for entry in picture.same_bytes
        ],
        "ways": {
            link: {name: _way(way) for name, way in ways.items()}
            for link, ways in picture.ways.items()
        },
        "chosen": picture.chosen,
    }


def _way(way: Way) -> dict[str, Any]:
    looks = {moment: look.metrics for moment, look in way.looks.items()}
    return asdict(way) | {"looks": looks}
