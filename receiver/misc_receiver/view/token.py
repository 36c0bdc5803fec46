"""The page's token, kept in a file of the user's."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from pathlib import Path

from misc_shared.errors import ConfigError
from misc_shared.secret_files import create_secret, read_secret
from misc_shared.state_folder import state_folder

__all__ = ["ViewToken", "default_token_path", "open_token", "token_in_header"]

_TOKEN_BYTES = 20
_SHORTEST = 16
_LONGEST = 256
_MAX_FILE = 1024


class ViewToken:
    """The secret that opens the page.

    Args:
        secret: the token.

    Attributes:
        secret: see above.
    """

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def matches(self, given: str) -> bool:
        """Whether somebody knows it; takes as long for any wrong one."""
        return hmac.compare_digest(
            hashlib.sha256(given.encode(errors="replace")).digest(),
            hashlib.sha256(self.secret.encode()).digest(),
        )


def token_in_header(authorization: str) -> str | None:
    """The token that an Authorization header has, as bearer or as the password of any user.

    Returns:
        The token, which may be empty; None if the header is of another kind.
    """
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return pair.partition(":")[2]
    return None


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
    create_secret(path, secret + "\n")
    return ViewToken(secret), secret


def _read(path: Path) -> str:
    secret = read_secret(path, name="the page's token", limit=_MAX_FILE).strip()
    if not _SHORTEST <= len(secret) <= _LONGEST:
        raise ConfigError(
            f"{path} holds a token of {len(secret)} characters, {_SHORTEST} to {_LONGEST} are "
            "needed: delete the file, and another one is made"
        )
    return secret
