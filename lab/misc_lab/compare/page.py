"""The comparison as one HTML file: no script, no request, dark and light."""

import base64
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from statistics import median
from typing import Any

from misc_lab.compare.charts import CHART_STYLE, deadline_chart, legend, time_chart
from misc_lab.compare.chosen import DEADLINES
from misc_lab.compare.findings import PictureFindings
from misc_lab.compare.method import method
from misc_lab.compare.settings import CompareSettings
from misc_lab.compare.strips import choice_style, choosers, strips
from misc_lab.compare.summary import CODECS, LABELS, OURS, LinkSummary
from misc_lab.compare.words import byte_count, duration, rate, score

__all__ = ["build_page", "standalone_chart"]

_FIRST_LINKS = ("iridium-dialup", "acoustic", "nb-iot")
"""The link that is shown before anybody chooses: the first of these that is there."""


def build_page(
    settings: CompareSettings, pictures: Sequence[PictureFindings], links: Sequence[LinkSummary]
) -> str:
    """Lay out the whole page."""
    names = [link.profile.name for link in links]
    first = next((names.index(name) for name in _FIRST_LINKS if name in names), 0)
    style = _style() + choice_style(len(pictures), len(links)) + _image_style(pictures)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data:\">"
        f"<title>Pictures over narrow links: MISC beside AVIF, WebP and JPEG</title>"
        f"<style>{style}</style><main>{_opening(links)}"
        f"{_seen(settings, pictures, first)}{_soon(links)}{_by_deadline(links)}"
        f"{_same_bytes(pictures)}{_numbers(links)}{method(settings, pictures)}</main></html>\n"
    )


def standalone_chart(links: Sequence[LinkSummary]) -> str:
    """The plot of times as an SVG file of its own, for a README."""
    svg = time_chart(links)
    head = svg.index(">") + 1
    return f"{svg[:head]}<style>{_variables()}{CHART_STYLE}</style>{svg[head:]}\n"


def _style() -> str:
    sheet = files("misc_lab.compare").joinpath("page.css").read_text(encoding="utf-8")
    return sheet + CHART_STYLE


def _variables() -> str:
    """The colours alone: what the sheet says before its first rule."""
    sheet = files("misc_lab.compare").joinpath("page.css").read_text(encoding="utf-8")
    return sheet[: sheet.index("*{box-sizing")]


def _image_style(pictures: Iterable[PictureFindings]) -> str:
    images = {key: data for picture in pictures for key, data in picture.images.items()}
    return "".join(
        f".i{key}{{background-image:url(data:image/webp;base64,{base64.b64encode(data).decode()})}}"
        for key, data in sorted(images.items())
    )


def _opening(links: Sequence[LinkSummary]) -> str:
    sooner = [link for link in links if link.lead > 1]
    leads = [min(link.lead, 1e6) for link in sooner]
    how = f", {median(leads):.1f} times sooner at the median" if leads else ""
    best = max(sooner, key=lambda link: link.lead, default=None)
    ours, theirs, nothing = _winners(links, "30")
    at_will = (
        "links on which, given 30 s and bytes at will, another codec ends with the better "
        f"picture; MISC on {ours}" + (f", none on {nothing}" if nothing else "")
    )
    facts = [
        ("ours", f"{len(sooner)} of {len(links)}",
         f"links on which MISC shows the scene first{how}"),
        ("theirs", f"{len(links) - len(sooner)} of {len(links)}",
         "links fast enough that a small file is there first"),
        ("ours", _most(best), _most_told(best)),
        ("theirs", f"{theirs} of {len(links)}", at_will),
    ]  # fmt: skip
    cells = "".join(
        f'<div class="{who}"><b>{value}</b><span>{escape(told)}</span></div>'
        for who, value, told in facts
    )
    return (
        "<h1>What a narrow link can show you, and when</h1>"
        '<p class="lead">A camera takes a picture where there is almost no bandwidth. MISC sends '
        "it as words, small maps and a learned bitstream of a few hundred bytes, the most telling "
        "first. Here the same photographs cross the same simulated links, with the same losses "
        f"and repeats, <b>as MISC and as the smallest AVIF, WebP and JPEG that are as good</b>.</p>"
        f'<div class="facts">{cells}</div>'
    )


def _most(link: LinkSummary | None) -> str:
    if link is None:
        return "–"
    return "alone" if link.lead == float("inf") else f"{link.lead:.0f} ×"


def _most_told(link: LinkSummary | None) -> str:
    if link is None:
        return "no link on which MISC is first"
    firsts = [way.first for name, way in link.ways.items() if name != OURS and way.first]
    other = f", {duration(min(firsts))} for the next" if firsts else ""
    return f"at most sooner, on {link.profile.name}: {duration(link.ways[OURS].first)}{other}"


def _winners(links: Sequence[LinkSummary], deadline: str) -> tuple[int, int, int]:
    """Links on which ours, another codec, or nothing shows the best picture by a deadline."""
    best = [link.best_by(deadline) for link in links]
    nothing = best.count(None)
    return best.count(OURS), len(best) - best.count(OURS) - nothing, nothing


def _seen(settings: CompareSettings, pictures: Sequence[PictureFindings], first: int) -> str:
    return (
        "<h2>What you see</h2><p>The receiver’s screen at five moments after the shutter, and in "
        "the end. The number below a picture is its MS-SSIM: 1 is the original, "
        f"{score(settings.quality)} tells what the scene is. Choose a photograph and a link.</p>"
        f'<div class="stage">{choosers(pictures, settings.profiles, first)}'
        f'<div class="scroll">{strips(pictures, settings.profiles)}</div></div>'
    )


def _soon(links: Sequence[LinkSummary]) -> str:
    return (
        "<h2>How long until there is something to see</h2><p>A dot is the first picture of the "
        "whole scene; MISC’s bar runs on until its last detail is there, before it is refined. "
        "Medians over the photographs; the axis is logarithmic.</p>"
        f'<div class="card">{time_chart(links)}{legend()}</div>'
    )


def _by_deadline(links: Sequence[LinkSummary]) -> str:
    verdicts = []
    for deadline in DEADLINES:
        ours, theirs, nothing = _winners(links, f"{deadline:g}")
        verdicts.append(
            f"Within {deadline:g} s MISC is best on {ours}, another on {theirs}"
            + (f", and nothing arrives on {nothing}" if nothing else "")
        )
    return (
        "<h2>Where other codecs are the better choice</h2><p>Let every codec choose how many bytes "
        "it takes, so that its best picture is just in time. Above one or two kilobytes MISC’s "
        "small models have no more to add, and AVIF and WebP go on: <b>if your link carries more "
        "than that before you need the picture, send those.</b> "
        f"{escape('. '.join(verdicts))}. MS-SSIM, means over the photographs.</p>"
        f'<div class="card">{deadline_chart(links)}{legend()}</div>'
    )


def _same_bytes(pictures: Sequence[PictureFindings]) -> str:
    groups = "".join(
        f'<div class="same" style="--shape:{picture.width}/{picture.height}">'
        f"{''.join(_figure(entry, picture) for entry in picture.same_bytes)}</div>"
        for picture in pictures
    )
    return (
        "<h2>The same bytes</h2><p>Each codec’s best picture in no more bytes than MISC takes, "
        "framing included; where not even its smallest file fits, that file. MS-SSIM and HaarPSI "
        f"below; refined pixels are invented.</p>{groups}"
    )


def _figure(entry: dict[str, Any], picture: PictureFindings) -> str:
    title = escape(entry["title"])
    told = f"{picture.width} × {picture.height}"
    if "bytes" in entry:
        over = ' class="over"' if entry["bytes"] > picture.budget else ""
        metrics = entry["metrics"]
        told = (
            f"<span{over}>{byte_count(entry['bytes'])}</span> · "
            f"{score(metrics['ms_ssim'])} · {score(metrics['haarpsi'])}"
        )
    badge = "<em>generated</em>" if "refined" in entry["title"] else ""
    label = f"{picture.name}: {title}"
    return (
        f'<figure><i class="shot i{entry["image"]}" role="img" aria-label="{label}">{badge}</i>'
        f'<figcaption><b>{title}</b><span class="dim">{told}</span></figcaption></figure>'
    )


def _numbers(links: Sequence[LinkSummary]) -> str:
    heads = ["Link", "Rate", "Words", "First picture", "Stated quality", "Coarse, complete",
             "Refined", *(LABELS[name] for name in CODECS if name != OURS)]  # fmt: skip
    rows = []
    for link in links:
        ours = link.ways[OURS]
        times = [ours.caption, ours.first, ours.stated, ours.complete, ours.final]
        others = [link.ways.get(name) for name in CODECS if name != OURS]
        times += [None if way is None else way.first for way in others]
        cells = [escape(link.profile.name), rate(link.profile.rate), *map(duration, times)]
        cells[3] = f"<b>{cells[3]}</b>" if link.lead > 1 else cells[3]
        rows.append("<tr><td>" + "<td>".join(cells))
    head = "<tr><th>" + "<th>".join(heads)
    return (
        "<h2>The numbers</h2><p>Seconds after the shutter, medians over the photographs. "
        "Of other codecs: until the picture of the whole scene, the smallest file as good as "
        "MISC’s coarse picture. compare.json has every photograph, file and moment.</p>"
        f'<div class="card"><table>{head}{"".join(rows)}</table></div>'
    )
