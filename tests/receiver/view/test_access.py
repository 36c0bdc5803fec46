"""Addresses and the token."""

import stat
from pathlib import Path

import pytest

from misc_receiver.view.access import ViewToken, open_token
from misc_receiver.view.address import ViewAddress
from misc_receiver.view.gallery import Gallery
from misc_receiver.view.server import ViewServer
from misc_shared.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "host", "port", "local"),
    [
        ("8090", "127.0.0.1", 8090, True),
        ("localhost:1", "localhost", 1, True),
        ("[::1]:8090", "::1", 8090, True),
        ("192.0.2.1:8090", "192.0.2.1", 8090, False),
        ("[::]:8090", "::", 8090, False),
        ("receiver.lan:65535", "receiver.lan", 65535, False),
    ],
)
def test_addresses(text: str, host: str, port: int, *, local: bool) -> None:
    """Without a host, this machine alone."""
    address = ViewAddress.parse(text)
    assert (address.host, address.port, address.local) == (host, port, local)


@pytest.mark.parametrize("text", ["", "x", ":80", "1:2:x", "65536", "host:", "٣", "-1"])
def test_what_is_no_address(text: str) -> None:
    """One sentence."""
    with pytest.raises(ConfigError, match="is no address"):
        ViewAddress.parse(text)


def test_others_need_a_token() -> None:
    """A server that others can reach is not even made without one."""
    with pytest.raises(ConfigError, match="a token is needed"):
        ViewServer(Gallery(), address=ViewAddress.parse("192.0.2.1:0"), token=None)


def test_the_token_is_made_once_and_private(tmp_path: Path) -> None:
    """Printed when it is new, kept for the next run, and nobody else's to read."""
    path = tmp_path / "deep" / "token"
    token, secret = open_token(path)
    assert secret is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert token.matches(secret)
    again, new = open_token(path)
    assert new is None
    assert again.matches(secret)
    assert again.made(token.cookie())
    assert not again.matches(secret[:-1])


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """With the command that mends it."""
    path = tmp_path / "token"
    path.write_text("long-enough-for-a-token\n")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        open_token(path)
    path.chmod(0o600)
    path.write_text("short\n")
    with pytest.raises(ConfigError, match="5 characters"):
        open_token(path)


@pytest.mark.parametrize("cookie", ["", ".", "1.x", "9999999999.00", "x.y", "9" * 40 + ".0"])
def test_made_up_cookies(cookie: str) -> None:
    """None of them opens anything."""
    assert not ViewToken("the-secret-of-this-test").made(cookie)


def test_an_old_cookie_ends() -> None:
    """Its proof holds for its own time only."""
    token = ViewToken("the-secret-of-this-test")
    ends, _, proof = token.cookie().partition(".")
    assert not token.made(f"{int(ends) + 1}.{proof}")
    assert not token.made(f"1.{token._sign('1')}")  # noqa: SLF001 - made here, and over
