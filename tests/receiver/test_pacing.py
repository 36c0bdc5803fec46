"""How often and how late live pictures are refined."""

from misc_receiver.pacing import RefinementPace


class Clock:
    """Time that stands until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        """Give the time."""
        return self.now


def test_each_stream_has_its_own_distance() -> None:
    """One that was just refined waits; another may go; so may it, once the time is over."""
    clock = Clock()
    pace = RefinementPace[str](every=10, clock=clock)
    assert pace.wait("porch") == 0
    pace.begin("porch")
    clock.now += 4
    assert (pace.wait("porch"), pace.wait("garden")) == (6, 0)
    clock.now += 6
    assert pace.wait("porch") == 0


def test_what_would_be_late_is_left_out() -> None:
    """Age and the time that refinements take lately count together."""
    clock = Clock()
    pace = RefinementPace[str](within=3, clock=clock)
    assert pace.in_time(98)
    pace.took(2)
    assert pace.in_time(99.5)
    assert not pace.in_time(98)


def test_a_machine_that_was_slow_gets_another_chance() -> None:
    """Nothing is left unrefined for ever because of one slow refinement."""
    pace = RefinementPace[str](within=3, clock=Clock())
    pace.took(8)
    tries = [pace.in_time(100) for _ in range(20)]
    assert not tries[0]
    assert tries[-1]


def test_without_limits_everything_is_in_time() -> None:
    """The defaults hold nothing back."""
    pace = RefinementPace[str](clock=Clock())
    pace.begin("porch")
    pace.took(1e6)
    assert pace.wait("porch") == 0
    assert pace.in_time(-1e9)
