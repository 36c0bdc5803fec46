"""The page's two plots, as SVG that takes its colours from CSS classes."""

import math
from collections.abc import Iterator, Sequence
from html import escape

from misc_lab.compare.chosen import DEADLINES
from misc_lab.compare.summary import CODECS, LABELS, OURS, LinkSummary
from misc_lab.compare.words import duration, rate, score

__all__ = ["CHART_STYLE", "deadline_chart", "legend", "time_chart"]

CHART_STYLE = """
.chart text{font:13px system-ui,sans-serif;fill:var(--ink)}
.chart .dim{fill:var(--dim)}.chart .small{font-size:11.5px}.chart .bold{font-weight:650}
.chart .grid{stroke:var(--line);stroke-width:1}
.chart .reach{stroke:var(--misc);stroke-width:5;stroke-linecap:round;opacity:.32}
.chart .wait{stroke:var(--line);stroke-width:1.5;stroke-dasharray:1 4;stroke-linecap:round}
.misc{fill:var(--misc)}.avif{fill:var(--avif)}.webp{fill:var(--webp)}
.progressive{fill:var(--progressive)}.jpeg{fill:var(--jpeg)}
.chart text.misc{fill:var(--misc)}.chart text.avif{fill:var(--avif)}
.chart text.webp{fill:var(--webp)}.chart text.jpeg{fill:var(--jpeg)}
.chart text.progressive{fill:var(--progressive)}
"""
"""CSS of both plots; the colours themselves are variables of the page."""

_ROW = 29
_TOP = 40
_LEFT, _RIGHT, _WIDTH = 200, 840, 960
_TICKS = ((0.1, "0.1 s"), (1, "1 s"), (10, "10 s"), (60, "1 min"), (600, "10 min"),
          (3600, "1 h"), (36_000, "10 h"))  # fmt: skip
_WORST = 0.4  # MS-SSIM at the left end: below it nobody makes out a scene
_NEXT_TO_NOTHING = 1.05


def time_chart(links: Sequence[LinkSummary]) -> str:
    """When each codec's picture of the scene is there, link by link, on a logarithmic axis."""
    times = [
        second
        for link in links
        for way in link.ways.values()
        for second in (way.first, way.final)
        if second
    ]
    ends = (min(0.1, *times) * 0.9, max(times) * 1.15)
    height = _TOP + _ROW * len(links) + 8
    body = [*_time_axis(ends, height)]
    for index, link in enumerate(links):
        body += _time_row(link, _TOP + _ROW * index + _ROW / 2, ends)
    label = "Seconds until the scene can be seen, by link and codec"
    return _svg(body, height, label)


def _time_axis(ends: tuple[float, float], height: float) -> Iterator[str]:
    for second, name in _TICKS:
        if ends[0] <= second <= ends[1]:
            x = _log_x(second, ends)
            yield _grid_line(x, _TOP - 8, height - 8)
            yield _text(x, _TOP - 16, name, "dim small", anchor="middle")
    yield _text(_WIDTH, _TOP - 16, "MISC sooner by", "dim small", anchor="end")


def _time_row(link: LinkSummary, y: float, ends: tuple[float, float]) -> Iterator[str]:
    ours = link.ways[OURS]
    yield _link_name(link, y)
    if ours.first is None or ours.complete is None:
        return
    last = max((way.first for way in link.ways.values() if way.first), default=ours.first)
    x1, x2, end = (_log_x(second, ends) for second in (ours.first, ours.complete, last))
    if end > x2:
        yield f'<line class="wait" x1="{x2:.1f}" x2="{end:.1f}" y1="{y}" y2="{y}"/>'
    yield f'<line class="reach" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y}" y2="{y}"/>'
    for name in reversed(CODECS):
        way = link.ways.get(name)
        if way is None or way.first is None:
            continue
        mark = 6.5 if name == OURS else 4.5
        title = f"{LABELS[name]} over {link.profile.name}: {duration(way.first)}"
        yield (
            f'<circle class="{name}" cx="{_log_x(way.first, ends):.1f}" cy="{y}" r="{mark}">'
            f"<title>{escape(title)}</title></circle>"
        )
    yield _text(_WIDTH, y + 4.5, _lead(link.lead), _lead_class(link.lead), anchor="end")


def _lead(lead: float) -> str:
    if lead == float("inf"):
        return "no other arrives"
    if lead < 1 / _NEXT_TO_NOTHING:
        return f"later, {1 / lead:.1f} ×"
    return f"{lead:.1f} ×" if lead < 20 else f"{lead:.0f} ×"  # noqa: PLR2004 - enough digits


def _lead_class(lead: float) -> str:
    return "misc bold" if lead > _NEXT_TO_NOTHING else "dim"


def deadline_chart(links: Sequence[LinkSummary]) -> str:
    """The best quality by each deadline, link by link, one panel a deadline."""
    height = _TOP + _ROW * len(links) + 8
    body: list[str] = []
    panel = (_WIDTH - _LEFT) / len(DEADLINES)
    for number, deadline in enumerate(DEADLINES):
        left = _LEFT + number * panel + 8
        body += _deadline_axis(f"{deadline:g}", (left, left + panel - 92), height)
        for index, link in enumerate(links):
            y = _TOP + _ROW * index + _ROW / 2
            body += _deadline_row(link, f"{deadline:g}", y, (left, left + panel - 92))
    body += [_link_name(link, _TOP + _ROW * index + _ROW / 2) for index, link in enumerate(links)]
    return _svg(body, height, "Best MS-SSIM within 1, 5 and 30 seconds, by link and codec")


def _deadline_axis(deadline: str, span: tuple[float, float], height: float) -> Iterator[str]:
    for value in (0.4, 0.6, 0.8, 1.0):
        x = _quality_x(value, span)
        yield _grid_line(x, _TOP - 4, height - 8)
        yield _text(x, _TOP - 9, score(value) if value < 1 else "1", "dim small", anchor="middle")
    yield _text(span[0], 14, f"within {deadline} s", "bold")


def _deadline_row(
    link: LinkSummary, deadline: str, y: float, span: tuple[float, float]
) -> Iterator[str]:
    qualities = link.chosen[deadline]
    for name in reversed(CODECS):
        value = qualities[name]
        if value is not None:
            mark = 6 if name == OURS else 4.2
            title = f"{LABELS[name]} over {link.profile.name} within {deadline} s: {value:.3f}"
            yield (
                f'<circle class="{name}" cx="{_quality_x(value, span):.1f}" cy="{y}" r="{mark}">'
                f"<title>{escape(title)}</title></circle>"
            )
    best = link.best_by(deadline)
    if best is None:
        yield _text(span[0], y + 4, "nothing yet", "dim small")
    else:
        short = "Prog. JPEG" if best == "progressive" else LABELS[best]
        yield _text(span[1] + 11, y + 4, short, f"{best} small bold")


def legend() -> str:
    """Names the colours."""
    entries = "".join(f'<span><i class="dot {name}"></i>{LABELS[name]}</span>' for name in CODECS)
    return f'<p class="legend">{entries}</p>'


def _link_name(link: LinkSummary, y: float) -> str:
    name = escape(link.profile.name)
    speed = escape(rate(link.profile.rate))
    return _text(0, y + 4.5, name, "") + _text(
        _LEFT - 12, y + 4.5, speed, "dim small", anchor="end"
    )


def _log_x(second: float, ends: tuple[float, float]) -> float:
    share = math.log(second / ends[0]) / math.log(ends[1] / ends[0])
    return _LEFT + share * (_RIGHT - _LEFT)


def _quality_x(value: float, span: tuple[float, float]) -> float:
    share = max(0.0, (value - _WORST) / (1 - _WORST))
    return span[0] + share * (span[1] - span[0])


def _grid_line(x: float, top: float, bottom: float) -> str:
    return f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top:g}" y2="{bottom:g}"/>'


def _text(x: float, y: float, text: str, style: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">{text}</text>'


def _svg(body: Sequence[str], height: float, label: str) -> str:
    return (
        f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:g}" '
        f'role="img" aria-label="{escape(label)}">{"".join(body)}</svg>'
    )
