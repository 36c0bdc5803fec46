"""What host names mean."""

from misc_shared.hosts import is_loopback


def test_which_hosts_are_this_one() -> None:
    """A name that only resolves to this host may resolve elsewhere tomorrow."""
    assert is_loopback("localhost")
    assert is_loopback("127.1.2.3")
    assert not is_loopback("localhost.example")
    assert is_loopback("::1")
