"""Means of what was measured on several pictures."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

__all__ = ["group_rows", "mean_metrics"]

_Row = TypeVar("_Row")
_Key = TypeVar("_Key")


def group_rows(rows: Iterable[_Row], key: Callable[[_Row], _Key]) -> dict[_Key, list[_Row]]:
    """Rows by their key, in the order in which keys first appear."""
    groups: dict[_Key, list[_Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def mean_metrics(measured: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of each metric of the first picture; nothing of no pictures."""
    names = measured[0] if measured else ()
    return {name: sum(one[name] for one in measured) / len(measured) for name in names}
