"""URLs of --to and --from."""

from pathlib import Path

import pytest

from misc_shared.errors import ConfigError
from misc_shared.transports import FileAddress, MqttAddress, WebrtcAddress, parse_address


def test_a_bare_host_gets_the_defaults() -> None:
    """mqtt://HOST is enough."""
    address = parse_address("mqtt://broker.example")
    assert address == MqttAddress(
        host="broker.example", port=1883, tls=False, prefix="misc", stream="camera"
    )
    assert address.topic("data") == "misc/camera/data"


def test_everything_given() -> None:
    """User, password, port, prefix and stream come from the URL."""
    address = parse_address("mqtts://me:p%40ss@[::1]:8884/site/7/porch")
    assert address == MqttAddress(
        host="::1",
        port=8884,
        tls=True,
        prefix="site/7",
        stream="porch",
        username="me",
        password="p@ss",  # noqa: S106 - nobody's
    )


def test_the_password_is_never_shown() -> None:
    """An address in a log gives nothing away."""
    assert "p@ss" not in repr(parse_address("mqtt://me:p%40ss@host"))


def test_a_stream_may_come_from_the_option() -> None:
    """--stream names the stream where the URL does not."""
    address = parse_address("mqtt://host", stream="garden")
    assert isinstance(address, MqttAddress)
    assert address.stream == "garden"


def test_webrtc_is_agreed_on_over_http() -> None:
    """The path is WHIP's; without it the name comes from --stream, or from whoever sends."""
    address = parse_address("webrtc+https://[::1]:8443/whip/garden")
    assert address == WebrtcAddress(host="::1", port=8443, tls=True, stream="garden")
    assert address.endpoint("garden") == "https://[::1]:8443/whip/garden"
    assert parse_address("webrtc+http://host", stream="porch") == WebrtcAddress(
        host="host", port=8889, tls=False, stream="porch"
    )
    assert parse_address("webrtc+http://host") == WebrtcAddress(
        host="host", port=8889, tls=False, stream=None
    )


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:photo.misc", "photo.misc"),
        ("file:/data/photo.misc", "/data/photo.misc"),
        ("file:///data/photo.misc", "/data/photo.misc"),
    ],
)
def test_files(url: str, path: str) -> None:
    """A recording may be named by a relative or an absolute path."""
    assert parse_address(url) == FileAddress(path=Path(path), stream=None)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("photo.misc", "no URL"),
        ("carrier-pigeon://coop", "'carrier-pigeon' is no transport"),
        ("webrtc://host", "no transport of this version"),
        ("file:", "names no file"),
        ("file://host/photo.misc", "names no file"),
        ("mqtt://", "names no broker"),
        ("mqtt://[::1", "cannot be read"),
        ("mqtt://host:99999", "port is no number"),
        ("webrtc+http://", "names no receiver"),
        ("webrtc+http://me:secret@host", "bearer token comes from"),
        ("webrtc+https://host/garden", "expected /whip/STREAM"),
        ("webrtc+http://host/whip/a b", "no stream name"),
        ("mqtt://host:0x50", "port is no number"),
        ("mqtt://host/misc/+", "wildcard"),
        ("mqtt://me:p#ss@host", "names no broker|'#'"),
        ("mqtt://host/misc/camera?qos=2", "'\\?' or a '#'"),
        ("mqtt://host/misc/a b", "no stream name"),
    ],
)
def test_what_makes_no_sense_is_refused(url: str, complaint: str) -> None:
    """Each mistake gets its own sentence."""
    with pytest.raises(ConfigError, match=complaint):
        parse_address(url)


def test_two_different_names_are_refused() -> None:
    """The URL and the option may not contradict each other."""
    with pytest.raises(ConfigError, match="'porch' and --stream says 'garden'"):
        parse_address("mqtt://host/misc/porch", stream="garden")


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a" * 65, "line\n", "plus+"])
def test_names_that_could_break_out_are_refused(name: str) -> None:
    """A stream's name becomes a topic and a file name."""
    with pytest.raises(ConfigError, match="no stream name"):
        parse_address("mqtt://host", stream=name)
