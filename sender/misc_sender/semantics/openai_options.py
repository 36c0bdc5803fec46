"""How to reach an OpenAI-compatible vision server, checked before anything is sent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit, urlunsplit

from misc_shared.errors import ConfigError
from misc_shared.hosts import is_loopback

__all__ = ["DEFAULT_URL", "OpenAIOptions", "key_from"]

DEFAULT_URL = "https://api.openai.com/v1"
_MAX_KEY = 4096


def key_from(environment: Mapping[str, str]) -> str:
    """Return the key to use: MISC_OPENAI_KEY, where it is set even if empty, or OPENAI_API_KEY."""
    return environment.get("MISC_OPENAI_KEY", environment.get("OPENAI_API_KEY", "")).strip()


@dataclass(frozen=True, kw_only=True)
class OpenAIOptions:
    """Which server and model to ask, and what that may cost.

    Attributes:
        url: the API's root, without "/chat/completions".
        model: the model's name as the server knows it.
        key: sent as a bearer token; empty sends none. It is not part of the repr.
        timeout: seconds that the server has to connect and to answer, for each try.
        requests_per_hour: the most requests in any hour, retries counted; None for no limit.
        tokens_per_hour: after this many tokens in an hour, no more requests; None for no limit.

    Raises:
        ConfigError: a value makes no sense, or the key would travel in the clear.
    """

    url: str = DEFAULT_URL
    model: str = ""
    key: str = field(default_factory=lambda: key_from(os.environ), repr=False)
    timeout: float = 30.0
    requests_per_hour: int | None = 120
    tokens_per_hour: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot work, before a model or a camera is opened."""
        parts = _checked_url(self.url)
        if not self.model:
            raise ConfigError(
                "no vision model is named; give one that the server has with --openai-model or "
                "MISC_OPENAI_MODEL"
            )
        if not 0 < self.timeout <= 600:  # noqa: PLR2004 - ten minutes
            raise ConfigError(f"a timeout of {self.timeout} s makes no sense; give 1 to 600")
        for limit in (self.requests_per_hour, self.tokens_per_hour):
            if limit is not None and limit < 1:
                raise ConfigError(f"an hourly limit of {limit} makes no sense; give at least 1")
        self._check_key(parts)

    def _check_key(self, parts: SplitResult) -> None:
        # An illegal header would end up, with the key in it, in the error of the HTTP library.
        if len(self.key) > _MAX_KEY or not all("!" <= letter <= "~" for letter in self.key):
            raise ConfigError(
                "the key in MISC_OPENAI_KEY or OPENAI_API_KEY is not printable ASCII; set it again"
            )
        if not self.key and self.url == DEFAULT_URL:
            raise ConfigError(
                f"{DEFAULT_URL} needs a key; set OPENAI_API_KEY or MISC_OPENAI_KEY, or name "
                "another server with --openai-url"
            )
        if self.key and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise ConfigError(
                f"the key would go to {parts.hostname} in the clear; give an https URL with "
                "--openai-url, or set MISC_OPENAI_KEY to nothing for a server without keys"
            )

    @property
    def endpoint(self) -> str:
        """Where requests go; a query, as some gateways want one, stays at the end."""
        parts = urlsplit(self.url)
        path = parts.path.rstrip("/") + "/chat/completions"
        return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))

    @property
    def shown(self) -> str:
        """The URL for messages: without its query, which may hold a secret."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def _checked_url(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    # Not the URL itself: whoever wrote a password into it would find it in the log.
    if usable and (parts.username is not None or parts.password is not None):
        raise ConfigError(
            "the URL of the vision server holds a user name; give the key in MISC_OPENAI_KEY"
        )
    if not usable or not url.isprintable() or " " in url:
        raise ConfigError(
            f"{url!r} is no URL of a vision server; expected one such as {DEFAULT_URL} "
            "in --openai-url or MISC_OPENAI_URL"
        )
    return parts
