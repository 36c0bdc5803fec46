"""Asks a chat server: time-out, retries, spending limit, and a key that stays secret.

Every message of an error goes through `ChatClient._clean`, and so does every answer: a server that
echoes the key gets it into neither the log nor the picture's text.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from misc_sender.semantics.openai_options import OpenAIOptions
from misc_sender.semantics.spending import Expense, HourlyLimit
from misc_shared.errors import (
    ConfigError,
    MiscError,
    MissingExtraError,
    SemanticsError,
    TransportError,
)
from misc_shared.state_folder import state_folder

try:
    import httpx2
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "Semantics from a server", package=error.name or "httpx2", extra="openai"
    ) from error

__all__ = ["ChatClient", "RefusedError"]

_TRIES = 3
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 20.0  # seconds between tries
_LONGEST_SILENCE = 3600.0  # a server that asks for more is asked again after this
_MAX_ANSWER = 256 * 1024
_QUOTED = 200  # characters of a server's message that an error repeats
_STOPPED = "stopped before the server answered"
_PASSING = frozenset({408, 425, 429})  # as every 5xx: the same request may work later


class RefusedError(ConfigError):
    """The server refuses such requests, and will again.

    Attributes:
        status: the HTTP status.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class _Setback:
    """Why a try failed that is worth another; after how many seconds, if the server said."""

    reason: str
    reached: bool
    retry_after: float | None = None


class ChatClient:
    """Talks to one server, one request at a time.

    Args:
        options: which server, with what key, and within what limits.
        clock: seconds that never run backwards.
        draw: uniform random numbers in [0, 1), for the jitter.
    """

    def __init__(
        self,
        options: OpenAIOptions,
        *,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._options = options
        self._clock = clock
        self._draw = draw
        self._limit = HourlyLimit(
            requests=options.requests_per_hour,
            tokens=options.tokens_per_hour,
            account=options.endpoint,
            file=state_folder() / "spending.sqlite",
        )
        self._not_before = clock()
        self._closed = threading.Event()
        self._busy = threading.Lock()
        headers = {"Accept-Encoding": "identity", "Content-Type": "application/json"}
        if options.key:
            headers["Authorization"] = f"Bearer {options.key}"
        # Redirects are not followed: the picture and the key go to the named server only.
        try:
            self._endpoint = httpx2.URL(options.endpoint)
            self._http = httpx2.Client(headers=headers, timeout=options.timeout)
        except (httpx2.InvalidURL, ValueError) as error:
            raise ConfigError(
                f"no client for {options.shown}: {error}; check --openai-url and the proxy settings"
            ) from error

    def post(self, body: bytes) -> tuple[bytes, Expense]:
        """Send a request, again if it fails in passing, and return the answer.

        Returns:
            The answer's body without the key, and the expense to correct by what it says.

        Raises:
            RefusedError: the server refuses the request; another try would not help.
            TransportError: there is no server; nothing answered at all.
            SemanticsError: no answer within the tries, the limits or the wait that was asked for.
        """
        with self._busy:
            for attempt in range(1, _TRIES):
                answer = self._try(body)
                if not isinstance(answer, _Setback):
                    return answer
                wait = self._wait_before(attempt, answer)
                if wait > _LONGEST_WAIT:
                    raise self._failure(answer)
                if self._closed.wait(wait):
                    raise SemanticsError(_STOPPED)
            answer = self._try(body)
        if isinstance(answer, _Setback):
            raise self._failure(answer)
        return answer

    def close(self) -> None:
        """Give up waiting; a request under way ends with its time-out."""
        self._closed.set()
        if self._busy.acquire(blocking=False):
            self._http.close()
            self._limit.close()
            self._busy.release()

    def _check_wait(self) -> None:
        wait = self._not_before - self._clock()
        if wait > 0:
            raise SemanticsError(
                f"{self._options.shown} asked not to be asked for another {wait:.0f} s"
            )

    def _wait_before(self, attempt: int, setback: _Setback) -> float:
        """Exponential back-off with jitter, and never sooner than the server asked for."""
        doubled = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (attempt - 1))
        return float(max(doubled * (0.5 + self._draw() / 2), setback.retry_after or 0.0))

    def _failure(self, setback: _Setback) -> MiscError:
        self._not_before = self._clock() + (setback.retry_after or 0.0)
        kind = SemanticsError if setback.reached else TransportError
        return kind(f"{self._options.shown} {setback.reason}")

    def _try(self, body: bytes) -> tuple[bytes, Expense] | _Setback:
        if self._closed.is_set():
            raise SemanticsError(_STOPPED)
        self._check_wait()
        expense = self._limit.spend()
        give_up = self._clock() + self._options.timeout
        try:
            with self._http.stream("POST", self._endpoint, content=body) as response:
                answer = self._clean(self._read(response, give_up))
                if response.is_success:
                    return answer, expense
                expense.correct(0)  # an error is not billed
                return self._judge(response, answer)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            expense.correct(0)
            return _Setback(f"does not answer ({self._told(error)})", reached=False)
        except httpx2.TimeoutException:
            seconds = f"{self._options.timeout:g} s"
            return _Setback(f"gave no complete answer within {seconds}", reached=True)
        except httpx2.HTTPError as error:
            return _Setback(f"broke off ({self._told(error)})", reached=True)

    def _read(self, response: httpx2.Response, give_up: float) -> bytes:
        """Read a body within the limits of size and time, which a trickle would not touch."""
        encoding = response.headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise SemanticsError(f"{self._options.shown} answered in an encoding not asked for")
        content = bytearray()
        for piece in response.iter_raw():
            content += piece
            if len(content) > _MAX_ANSWER:
                raise SemanticsError(
                    f"{self._options.shown} answered more than the limit of {_MAX_ANSWER} bytes"
                )
            if self._clock() > give_up:
                raise httpx2.ReadTimeout("the answer came too slowly")
        return bytes(content)

    def _judge(self, response: httpx2.Response, answer: bytes) -> _Setback:
        status = response.status_code
        said = " ".join(answer.decode(errors="replace").split())[:_QUOTED]
        printable = "".join(letter if letter.isprintable() else "?" for letter in said)
        reason = f"answered {status}" + (f" ({printable})" if printable else "")
        if status in _PASSING or status >= 500:  # noqa: PLR2004 - HTTP: the server's own fault
            return _Setback(
                reason, reached=True, retry_after=_seconds(response.headers.get("retry-after"))
            )
        raise RefusedError(f"{self._options.shown} {reason}; {_advice(status)}", status=status)

    def _told(self, error: Exception) -> str:
        """What went wrong, in the words of the HTTP library, which may quote a header."""
        return self._clean(str(error).encode()).decode(errors="replace") or type(error).__name__

    def _clean(self, text: bytes) -> bytes:
        return text.replace(self._options.key.encode(), b"***") if self._options.key else text


def _advice(status: int) -> str:
    match status:
        case 401 | 403:
            return "check the key in MISC_OPENAI_KEY or OPENAI_API_KEY"
        case 404:
            return "check --openai-url and --openai-model"
        case _ if 300 <= status < 400:  # noqa: PLR2004 - HTTP: redirects
            return "redirects are not followed, so give the final address with --openai-url"
        case _:
            return "check that --openai-model takes pictures"


def _seconds(retry_after: str | None) -> float | None:
    """Read a Retry-After header: seconds or a date (RFC 9110, section 10.2.3); None if neither."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after[:9]), _LONGEST_SILENCE)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, min((aware - datetime.now(UTC)).total_seconds(), _LONGEST_SILENCE))
