"""Tokens and servers, as a user gives them."""

import stat
from pathlib import Path

import pytest

from misc_receiver.options.webrtc import WebrtcSettings
from misc_shared.errors import ConfigError, MissingExtraError, TransportError
from misc_shared.transports import WebrtcOptions, open_receiver, open_sender
from misc_shared.transports.webrtc.options import (
    IceServer,
    make_token,
    parse_ice_server,
    read_token,
)


def test_a_token_is_drawn_once_and_kept_from_others(tmp_path: Path) -> None:
    """The file is ours alone, holds what was drawn, and is never overwritten."""
    path = tmp_path / "token"
    token = make_token(path)
    assert read_token(path) == token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(TransportError, match="cannot write the token file"):
        make_token(path)
    assert make_token(None) != token


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """At both ends, as the live page does."""
    path = tmp_path / "token"
    make_token(path)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match=f"others can read the token file: run chmod 600 {path}"):
        WebrtcOptions(token_file=path).known_token()


@pytest.mark.parametrize("option", ["tls_certificate", "tls_key"])
def test_a_certificate_that_nothing_shows_is_refused(option: str) -> None:
    """Before anything is opened; the live page has no use for it either."""
    settings = WebrtcSettings(**{option: Path("cert.pem")})
    for origin in ("webrtc+http://localhost", "mqtt://broker/misc/+", "file:x.misc"):
        with pytest.raises(ConfigError, match="--tls-certificate and --tls-key are for"):
            settings.check_for(origin)
    settings.check_for("webrtc+https://localhost")


def test_secrets_are_not_shown() -> None:
    """Options in a log give nothing away."""
    assert "s3cret" not in repr(WebrtcOptions(token="s3cret" * 4))
    assert "s3cret" not in repr(parse_ice_server("turn:me:s3cret@host"))
    with pytest.raises(ConfigError) as caught:
        parse_ice_server("stun:me:s3cret@host")
    assert "s3cret" not in str(caught.value)


def test_servers_are_read() -> None:
    """STUN without credentials, TURN with."""
    assert parse_ice_server("stun:stun.example:3478") == IceServer(url="stun:stun.example:3478")
    turn = parse_ice_server("turn:me:pass@turn.example?transport=tcp")
    assert turn == IceServer(
        url="turn:turn.example?transport=tcp",
        user="me",
        password="pass",  # noqa: S106 - nobody's
    )


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (WebrtcOptions(ice_servers=("http://host",)), "cannot be read"),
        (WebrtcOptions(ice_servers=("turn:host",)), "needs USER:PASSWORD"),
        (WebrtcOptions(ice_address="home"), "no IP address"),
        (WebrtcOptions(token="-"), "no bearer token"),  # noqa: S106 - that is the point
        (WebrtcOptions(token="t" * 20, token_file=Path("t")), "drop one of them"),
        (WebrtcOptions(sessions=0), "at least 1"),
    ],
)
def test_nonsense_is_refused(options: WebrtcOptions, complaint: str) -> None:
    """Before anything is opened."""
    with pytest.raises(ConfigError, match=complaint):
        options.check()


async def test_an_mtu_beyond_the_channel_is_refused() -> None:
    """At most 1,100 bytes; the sentence says so."""
    with pytest.raises(ConfigError, match="at most 1100"):
        await open_sender("webrtc+http://localhost:1", mtu=1200)


async def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without aiortc both ends say which extra brings it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "aiortc" else name)
    for open_end in (open_sender, open_receiver):
        with pytest.raises(MissingExtraError, match=r"misc-streaming\[webrtc\]"):
            await open_end("webrtc+http://localhost:1")
