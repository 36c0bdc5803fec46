"""The tables for the README and for docs, in Markdown."""

from collections.abc import Sequence

from misc_lab.compare.chosen import DEADLINES
from misc_lab.compare.summary import CODECS, LABELS, OURS, LinkSummary
from misc_lab.compare.words import duration, rate, score

__all__ = ["markdown_tables"]


def markdown_tables(links: Sequence[LinkSummary]) -> str:
    """When the scene can be seen, then the best picture by each deadline."""
    return f"{_times(links)}\n\n{_chosen(links)}\n"


def _times(links: Sequence[LinkSummary]) -> str:
    others = [name for name in CODECS if name != OURS]
    head = ["Link", "MISC: first picture", "coarse, complete", *(LABELS[name] for name in others)]
    rows = []
    for link in links:
        firsts = {name: link.ways[name].first for name in CODECS if name in link.ways}
        soonest = min((one for one in firsts.values() if one is not None), default=None)
        cells = {name: _bold(duration(firsts.get(name)), firsts.get(name) == soonest)
                 for name in CODECS}  # fmt: skip
        whole = duration(link.ways[OURS].complete)
        rows.append([_title(link), cells[OURS], whole, *(cells[name] for name in others)])
    return _table(head, rows)


def _chosen(links: Sequence[LinkSummary]) -> str:
    head = ["Link", *(f"within {deadline:g} s" for deadline in DEADLINES)]
    rows = [[_title(link), *(_winner(link, f"{one:g}") for one in DEADLINES)] for link in links]
    return _table(head, rows)


def _winner(link: LinkSummary, deadline: str) -> str:
    """The best codec, then ours if it is another."""
    best = link.best_by(deadline)
    if best is None:
        return "–"
    qualities = link.chosen[deadline]
    told = f"{LABELS[best]} {score(qualities[best])}"
    if best == OURS:
        others = {name: qualities[name] for name in CODECS if name != OURS and qualities[name]}
        second = max(others, key=lambda name: others[name] or 0.0, default=None)
        return f"**{told}**" + (f", {LABELS[second]} {score(others[second])}" if second else "")
    return f"{told}, MISC {score(qualities[OURS])}"


def _title(link: LinkSummary) -> str:
    return f"{link.profile.name}, {rate(link.profile.rate)}"


def _bold(text: str, best: bool) -> str:  # noqa: FBT001 - a private helper of one line
    return f"**{text}**" if best and text != "–" else text


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
