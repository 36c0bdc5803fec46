"""Addresses, the token and the sessions that begin with it."""

import stat
from pathlib import Path

import pytest

from misc_receiver.view.address import ViewAddress
from misc_receiver.view.gallery import Gallery
from misc_receiver.view.server import ViewServer
from misc_receiver.view.sessions import SESSION_SECONDS, Sessions
from misc_receiver.view.token import open_token
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
        ViewServer(Gallery(), address=ViewAddress.parse("192.0.2.1:0"), access=None)


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


def test_a_session_ends_when_it_is_told_to(tmp_path: Path) -> None:
    """At the server: whoever has copied the cookie is out too, after a restart as well."""
    path = tmp_path / "token.sessions"
    sessions = Sessions("the-secret-of-this-test", path)
    cookie, other = sessions.open(), sessions.open()
    assert sessions.knows(cookie)
    sessions.end(cookie)
    assert not sessions.knows(cookie)
    again = Sessions("the-secret-of-this-test", path)
    assert not again.knows(cookie)
    assert again.knows(other)
    assert not Sessions("another-secret-altogether", path).knows(other)


def test_receivers_that_share_a_token_share_sessions(tmp_path: Path) -> None:
    """Login at one opens the other, and so does logout; the file opens nothing."""
    path = tmp_path / "token.sessions"
    one, other = (Sessions("the-secret-of-this-test", path) for _ in range(2))
    cookie = one.open()
    assert other.knows(cookie)
    other.end(cookie)
    assert not one.knows(cookie)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert cookie not in path.read_text()


def test_sessions_end_after_a_month() -> None:
    """And with them their place in memory."""
    now = 1e9
    sessions = Sessions("the-secret-of-this-test", clock=lambda: now)
    cookie = sessions.open()
    now += SESSION_SECONDS - 1
    assert sessions.knows(cookie)
    now += 1
    assert not sessions.knows(cookie)


def test_the_oldest_session_makes_room() -> None:
    """However many log in, little is kept."""
    sessions = Sessions("the-secret-of-this-test")
    cookies = [sessions.open() for _ in range(300)]
    assert [sessions.knows(one) for one in (cookies[0], cookies[-1])] == [False, True]


@pytest.mark.parametrize("cookie", ["", ".", "x" * 10_000, "\udcff", "9999999999.00"])
def test_made_up_cookies(cookie: str) -> None:
    """None of them opens anything."""
    assert not Sessions("the-secret-of-this-test").knows(cookie)


def test_sessions_outlive_a_file_that_cannot_be_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They end with the run then, which is said; whoever is in goes on."""
    path = tmp_path / "token.sessions"
    path.write_text("{broken")
    sessions = Sessions("the-secret-of-this-test", path)
    assert not sessions.knows("x")
    assert "cannot read the page's sessions" in caplog.text
    gone = Sessions("the-secret-of-this-test", tmp_path / "no-such-folder" / "token.sessions")
    assert gone.knows(gone.open())
    assert "cannot write the page's sessions" in caplog.text
