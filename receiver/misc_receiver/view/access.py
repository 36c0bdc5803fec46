"""Who may look: a token, kept in a file of the user's, and cookies that prove it was known."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import time
from pathlib import Path

from misc_shared.errors import ConfigError
from misc_shared.state_folder import state_folder

__all__ = ["COOKIE", "COOKIE_SECONDS", "ViewToken", "default_token_path", "open_token"]

COOKIE = "misc_view"
COOKIE_SECONDS = 30 * 24 * 3600

_TOKEN_BYTES = 20
_SHORTEST = 16
_LONGEST = 256


class ViewToken:
    """The secret that opens the page.

    Guessing is hopeless at 160 bits, so failures are not counted: a counter could only lock the
    owner out.

    Args:
        secret: the token.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def matches(self, given: str) -> bool:
        """Whether somebody knows it; takes as long for any wrong one."""
        return hmac.compare_digest(
            hashlib.sha256(given.encode(errors="replace")).digest(),
            hashlib.sha256(self._secret).digest(),
        )

    def cookie(self) -> str:
        """What a browser keeps after login: when it ends, and proof that it came from here."""
        ends = str(int(time.time()) + COOKIE_SECONDS)
        return f"{ends}.{self._sign(ends)}"

    def made(self, cookie: str) -> bool:
        """Whether a cookie came from here and has not ended."""
        ends, _, proof = cookie.partition(".")
        if not (ends.isascii() and ends.isdecimal()) or len(ends) > len(str(1 << 63)):
            return False
        same = hmac.compare_digest(proof.encode(errors="replace"), self._sign(ends).encode())
        return same and int(ends) > time.time()

    def in_header(self, authorization: str) -> bool:
        """Whether an Authorization header has it, as bearer or as the password of any user."""
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return self.matches(value.strip())
        if scheme.lower() == "basic":
            try:
                pair = base64.b64decode(value.strip(), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                return False
            return self.matches(pair.partition(":")[2])
        return False

    def _sign(self, ends: str) -> str:
        return hmac.new(self._secret, f"misc view until {ends}".encode(), "sha256").hexdigest()


def default_token_path() -> Path:
    """Where the token is kept unless told otherwise."""
    return state_folder() / "view-token"


def open_token(path: Path) -> tuple[ViewToken, str | None]:
    """Read the token, or create one that only this user can read.

    Returns:
        The token, and its text if it is new: to be printed this once.

    Raises:
        ConfigError: the file cannot be read or written, or holds no token.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _create(path)
    except FileExistsError:
        return ViewToken(_read(path)), None
    except OSError as error:
        raise ConfigError(f"cannot write the page's token {path}: {error.strerror}") from None


def _create(path: Path) -> tuple[ViewToken, str]:
    secret = secrets.token_urlsafe(_TOKEN_BYTES)
    # Exclusive, and never readable for others, not even for a moment.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret + "\n")
    return ViewToken(secret), secret


def _read(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"others can read the page's token: run chmod 600 {path}")
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the page's token {path}: {error}") from None
    if not _SHORTEST <= len(secret) <= _LONGEST:
        raise ConfigError(
            f"{path} holds a token of {len(secret)} characters, {_SHORTEST} to {_LONGEST} are "
            "needed: delete the file, and another one is made"
        )
    return secret
