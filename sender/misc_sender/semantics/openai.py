"""Asks an OpenAI-compatible vision server: OpenAI itself, vLLM, llama.cpp, Ollama and others."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray
from PIL import Image

from misc_sender.semantics.answer import PROMPT, SCHEMA, parse_answer
from misc_sender.semantics.chat import ChatClient, RefusedError
from misc_sender.semantics.openai_options import OpenAIOptions
from misc_shared.errors import LocalError, SemanticsError
from misc_shared.semantics import Semantics

__all__ = ["OpenAISemantics"]

_MAX_SIDE = 512  # pixels; what OpenAI's servers see of a picture in low detail
_JPEG_QUALITY = 85
_MAX_ANSWER_TOKENS = 600
_NOT_UNDERSTOOD = frozenset({400, 422})

# Structured output first; servers that lack it are asked for JSON by the prompt alone.
_FORMS: tuple[dict[str, Any], ...] = (
    {
        "max_completion_tokens": _MAX_ANSWER_TOKENS,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "description", "strict": True, "schema": SCHEMA},
        },
    },
    {},
)


class _Message(Struct):
    content: str | None = None


class _Choice(Struct):
    message: _Message


class _Usage(Struct):
    total_tokens: Annotated[int, Meta(ge=0)]


class _Completion(Struct):
    choices: Annotated[list[_Choice], Meta(min_length=1, max_length=16)]
    usage: _Usage | None = None


class OpenAISemantics:
    """Describes pictures with a model behind an OpenAI-compatible server; it gives no maps.

    Until the first good answer, a server that cannot be reached or refuses the request is an error
    of this side, which ends the program with advice. After it, the same only costs the words of
    that picture.

    Args:
        options: which server and model.
        client: what talks to it; None makes one.
    """

    def __init__(self, options: OpenAIOptions, *, client: ChatClient | None = None) -> None:
        self._options = options
        self._client = client or ChatClient(options)
        self._form = 0
        self._worked = False

    def describe(self, image: NDArray[np.uint8], *, path: Path | None = None) -> Semantics:  # noqa: ARG002
        """Ask the model for the paper's three parts; takes as long as the server does.

        Args:
            image: uint8 [H, W, 3], RGB; at most 512 pixels a side of it are uploaded, as JPEG.
            path: not used.

        Raises:
            LocalError: the server was never reached, or refuses what is asked of it.
            SemanticsError: no answer this time, or none that can be used.
        """
        try:
            said = self._ask(_as_data_url(image))
        except LocalError as error:
            if self._worked:
                raise SemanticsError(str(error)) from error
            raise
        self._worked = True
        return said

    def close(self) -> None:
        """Stop waiting for the server."""
        self._client.close()

    def _ask(self, picture: str) -> Semantics:
        try:
            answer, expense = self._client.post(self._request(picture))
        except RefusedError as error:
            if error.status not in _NOT_UNDERSTOOD or self._form == len(_FORMS) - 1:
                raise
            self._form += 1
            return self._ask(picture)
        try:
            completion = msgspec.json.decode(answer, type=_Completion)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise SemanticsError(
                f"{self._options.shown} answered no chat completion: {error}"
            ) from error
        if completion.usage is not None:
            expense.correct(completion.usage.total_tokens)
        content = completion.choices[0].message.content
        if content is None:
            raise SemanticsError(f"{self._options.model} declined to describe the picture")
        return parse_answer(content)

    def _request(self, picture: str) -> bytes:
        content = [
            {"type": "text", "text": PROMPT},
            {"type": "image_url", "image_url": {"url": picture}},
        ]
        request = {
            "model": self._options.model,
            "messages": [{"role": "user", "content": content}],
            **_FORMS[self._form],
        }
        return msgspec.json.encode(request)


def _as_data_url(image: NDArray[np.uint8]) -> str:
    """Shrink a picture, uint8 [H, W, 3], and wrap it as JPEG in a data URL."""
    picture = Image.fromarray(image)
    picture.thumbnail((_MAX_SIDE, _MAX_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
