"""What a user may say about WebRTC, checked before anything is opened."""

from __future__ import annotations

import ipaddress
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from misc_shared.errors import ConfigError, TransportError
from misc_shared.secret_files import create_secret, read_secret

__all__ = [
    "DEFAULT_WEBRTC",
    "IceServer",
    "WebrtcOptions",
    "make_token",
    "parse_ice_server",
    "read_token",
]

_SERVER = re.compile(
    r"(?P<scheme>stuns?|turns?):(?:(?P<user>[^:@/]+):(?P<password>[^@/]+)@)?"
    r"(?P<host>[A-Za-z0-9.-]+)(?P<port>:[0-9]{1,5})?(?P<transport>\?transport=(?:udp|tcp))?"
)
_MAX_FILE = 1024
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{16,256}")
"""A bearer token: RFC 6750, 2.1, and long enough that nobody guesses it."""


@dataclass(frozen=True, kw_only=True)
class IceServer:
    """A STUN or TURN server.

    Attributes:
        url: as of RFC 7064 or 7065, without credentials.
        user: who we say we are at a TURN server, or None.
        password: the proof of it, or None; never shown.
    """

    url: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class WebrtcOptions:
    """How WebRTC connections are made.

    Attributes:
        token_file: holds the bearer token of the signalling; a receiver creates it where it is
            missing. None takes the token below.
        token: the bearer token itself, or None for none, which only this host may do without.
        ice_servers: stun:HOST[:PORT], turn:USER:PASSWORD@HOST[:PORT][?transport=tcp] and so on.
            None by default: nobody else is asked.
        ice_address: the address that media goes by, or None: the sender's that leads to the
            receiver, the receiver's that it listens on.
        certificate: what a receiver shows on webrtc+https, a PEM file; or None.
        private_key: the key of it, a PEM file; or None if it is in the same file.
        sessions: streams that a receiver takes at a time.
    """

    token_file: Path | None = None
    token: str | None = field(default=None, repr=False)
    ice_servers: tuple[str, ...] = ()
    ice_address: str | None = None
    certificate: Path | None = None
    private_key: Path | None = None
    sessions: int = 64

    def check(self) -> None:
        """Refuse what makes no sense.

        Raises:
            ConfigError: a server, an address or a token is malformed, or two say the token.
        """
        for text in self.ice_servers:
            parse_ice_server(text)
        if self.ice_address is not None:
            try:
                ipaddress.ip_address(self.ice_address)
            except ValueError:
                raise ConfigError(f"--ice-address {self.ice_address!r} is no IP address") from None
        if self.token is not None and self.token_file is not None:
            raise ConfigError("the WebRTC token comes from a file and by itself: drop one of them")
        if self.token is not None:
            _check_token(self.token, "the WebRTC token")
        if self.sessions < 1:
            raise ConfigError(f"{self.sessions} sessions: take at least 1")

    def refuse_tls(self, url: str) -> None:
        """Refuse a certificate where nothing would show it.

        Args:
            url: where streams come from.

        Raises:
            ConfigError: there is one, or its key.
        """
        if self.certificate is not None or self.private_key is not None:
            raise ConfigError(
                f"--tls-certificate and --tls-key are for webrtc+https:// and {url} has no use for "
                "them: drop them or change the URL; the live page has no TLS, so put a server that "
                "has before it"
            )

    def known_token(self) -> str | None:
        """The token, from wherever it comes; None if none was given.

        Raises:
            ConfigError: it is malformed, or its file cannot be read or is not kept from others.
        """
        return read_token(self.token_file) if self.token_file is not None else self.token


DEFAULT_WEBRTC = WebrtcOptions()


def parse_ice_server(text: str) -> IceServer:
    """Read an `--ice-server`.

    Raises:
        ConfigError: it is no STUN or TURN server, or a TURN server without credentials.
    """
    match = _SERVER.fullmatch(text)
    shown = re.sub(r":[^:@]*@", ":...@", text)  # the password stays out of messages
    if match is None:
        raise ConfigError(
            f"--ice-server {shown!r} cannot be read: expected stun:HOST[:PORT] or "
            "turn:USER:PASSWORD@HOST[:PORT]"
        )
    turn = match["scheme"].startswith("turn")
    if turn != (match["user"] is not None):
        raise ConfigError(
            f"--ice-server {shown!r}: a TURN server needs USER:PASSWORD@, a STUN server takes none"
        )
    url = f"{match['scheme']}:{match['host']}{match['port'] or ''}{match['transport'] or ''}"
    return IceServer(url=url, user=match["user"], password=match["password"])


def read_token(path: Path) -> str:
    """The bearer token in a file.

    Raises:
        ConfigError: the file cannot be read, others can read it too, or it holds no token.
    """
    text = read_secret(path, name="the token file", limit=_MAX_FILE).strip()
    _check_token(text, f"the token in {path}")
    return text


def make_token(path: Path | None) -> str:
    """Draw a token, and keep it in a file that only we may read, if one is named.

    Raises:
        TransportError: the file cannot be written.
    """
    token = secrets.token_urlsafe(32)
    if path is not None:
        try:
            create_secret(path, token + "\n")
        except OSError as error:
            raise TransportError(f"cannot write the token file {path}: {error}") from None
    return token


def _check_token(token: str, name: str) -> None:
    if not _TOKEN.fullmatch(token):
        raise ConfigError(
            f"{name} is no bearer token: expected 16 to 256 letters, digits or -._~+/="
        )
