"""Who gets the worker next."""

from collections import Counter
from collections.abc import Mapping

from misc_receiver.turns import FairTurns


def _serve(turns: FairTurns[str], costs: Mapping[str, float], seconds: float) -> Counter[str]:
    """Let all that have costs want the worker all the time; give the time that each got."""
    spent: Counter[str] = Counter()
    while sum(spent.values()) < seconds:
        key = turns.next(costs)
        assert key is not None
        turns.charge(key, costs[key])
        spent[key] += costs[key]
    return spent


def test_time_is_shared_evenly_whatever_a_turn_takes() -> None:
    """One with turns of a second gets no more than one with turns of 10 ms."""
    spent = _serve(FairTurns(), {"small": 0.01, "medium": 0.1, "huge": 1.0}, seconds=60.0)
    assert max(spent.values()) - min(spent.values()) <= 1.0 + 1e-9


def test_nobody_waits_longer_than_one_turn_of_each_other() -> None:
    """A flood delays a newcomer by the turn under way, and no more."""
    turns: FairTurns[str] = FairTurns()
    _serve(turns, {"flood": 0.5}, seconds=100.0)
    assert turns.next(["flood", "newcomer"]) == "newcomer"


def test_many_with_huge_work_do_not_all_go_first() -> None:
    """Beside 64 whose turns take five seconds each, one with small work waits for one of them."""
    turns: FairTurns[str] = FairTurns()
    costs = {f"giant-{number}": 5.0 for number in range(64)}
    waited = longest = 0.0
    for _ in range(200):
        key = turns.next(["camera", *costs], expected=lambda one: costs.get(one, 0.01))
        assert key is not None
        cost = costs.get(key, 0.01)
        turns.charge(key, cost)
        waited = 0.0 if key == "camera" else waited + cost
        longest = max(longest, waited)
        if key == "camera":  # its next picture comes after a while
            giant = turns.next(costs, expected=costs.__getitem__)
            assert giant is not None
            turns.charge(giant, 5.0)
            waited = 5.0
    assert longest <= 10.0


def test_rest_earns_no_credit() -> None:
    """Whoever was away does not hold the worker afterwards for all that it did not use."""
    turns: FairTurns[str] = FairTurns()
    _serve(turns, {"busy": 1.0, "early": 1.0}, seconds=10.0)
    _serve(turns, {"busy": 1.0}, seconds=100.0)
    spent = _serve(turns, {"busy": 1.0, "early": 1.0}, seconds=20.0)
    assert abs(spent["busy"] - spent["early"]) <= 2.0


def test_nobody_and_those_who_left() -> None:
    """Nothing to do is None; who left is forgotten, and may come back as new."""
    turns: FairTurns[str] = FairTurns()
    assert turns.next([]) is None
    assert turns.next(["a"]) == "a"
    turns.drop("a")
    turns.charge("a", 1.0)
    assert turns.next(["a"]) == "a"
