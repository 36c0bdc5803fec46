"""The state machines of protocol.md are those of the code."""

import enum
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from misc_shared.errors import ProtocolError
from misc_shared.session.states import (
    INTRODUCTION,
    LIFE,
    PIECE,
    Introduction,
    Life,
    LifeTrigger,
    Piece,
    PieceTrigger,
    advance,
)

_TEXT = (Path(__file__).parents[3] / "protocol.md").read_text(encoding="utf-8")
_TABLES: dict[str, Mapping[tuple[Any, Any], enum.Enum]] = {
    "Piece": PIECE,
    "Life": LIFE,
    "Introduction": INTRODUCTION,
}


def drawn(name: str) -> set[tuple[str, str, str]]:
    """The transitions that protocol.md draws, as (state, trigger, next state)."""
    (body,) = re.findall(rf"^```transitions {name}\n(.*?)^```$", _TEXT, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"^(\w+) --(\w+)--> (\w+)$", body, re.MULTILINE))


@pytest.mark.parametrize("name", _TABLES)
def test_every_transition_is_drawn_and_no_other(name: str) -> None:
    """Text and table agree."""
    table = {
        (state.name, trigger.name, following.name)
        for (state, trigger), following in _TABLES[name].items()
    }
    assert drawn(name) == table


@pytest.mark.parametrize(
    ("table", "first"),
    [(PIECE, Piece.HELD), (LIFE, Life.OPEN), (INTRODUCTION, Introduction.PENDING)],
)
def test_every_state_can_be_reached(table: Mapping[tuple[Any, Any], Any], first: enum.Enum) -> None:
    """No state is dead text."""
    reached = {first}
    for _ in table:
        reached |= {following for (state, _), following in table.items() if state in reached}
    assert reached == set(type(first))


def test_a_move_that_is_not_drawn_is_refused() -> None:
    """The error names the state and what cannot follow it."""
    with pytest.raises(ProtocolError, match=r"LOSE .* cannot follow QUEUED"):
        advance(PIECE, Piece.QUEUED, PieceTrigger.LOSE)
    with pytest.raises(ProtocolError, match=r"SAY_BYE .* cannot follow OPEN"):
        advance(LIFE, Life.OPEN, LifeTrigger.SAY_BYE)
