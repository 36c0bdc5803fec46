"""A thousand of each of four attacks on a stream of real pictures; `tests.fuzz_seal` does more."""

from tests.fuzz_seal import ATTACKS, run


def test_attacks_are_rejected_and_counted_and_change_no_picture() -> None:
    """Nothing but the genuine datagrams is parsed; each attack has its cause."""
    result = run(each=1000, pictures=2)
    assert result["attacks"] == dict.fromkeys(ATTACKS, 1000)
    counters = result["counters"]
    assert isinstance(counters, dict)
    # A cut or altered one does not verify, or is too short; a replayed one does and is known.
    assert counters["replayed"] == 1000
    assert counters["forged"] > 1500
    assert counters["plain"] + counters["short"] > 100
    assert 0 < int(str(result["parsed_by_the_session"])) <= int(str(result["genuine_datagrams"]))
