"""Frame ids wrap; their order does not."""

from hypothesis import example, given
from hypothesis import strategies as st

from misc_shared.wire import precedes, unwrap

u16 = st.integers(0, 0xFFFF)


@given(first=u16, step=st.integers(1, 0x7FFF))
@example(first=0xFFFF, step=1)
def test_a_later_id_is_later_across_the_wrap(first: int, step: int) -> None:
    """For every distance below half the numbers, and in one direction only."""
    second = (first + step) & 0xFFFF
    assert precedes(first, second)
    assert not precedes(second, first)


@given(number=u16)
def test_no_id_precedes_itself_or_its_opposite(number: int) -> None:
    """RFC 1982 leaves half the distance undefined."""
    assert not precedes(number, number)
    assert not precedes(number, (number + 0x8000) & 0xFFFF)


@given(near=st.integers(0, 1 << 40), distance=st.integers(-0x7FFF, 0x7FFF))
@example(near=5, distance=-5)
def test_a_wrapped_number_is_found_again(near: int, distance: int) -> None:
    """Anything within half a turn of what is expected."""
    number = near + distance
    if number >= 0:
        assert unwrap(number & 0xFFFF, near=near) == number


def test_no_number_is_negative() -> None:
    """Before the first wrap an id far ahead is the future, there is no past."""
    assert unwrap(0xFFFF, near=3) == 0xFFFF
