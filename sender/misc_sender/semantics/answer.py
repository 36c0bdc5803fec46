"""What a vision model is asked, and what its answer must look like.

The three parts are the paper's (arXiv 2402.16749): names of the items, a detail of each, and a
description of the whole. One request asks for all three, as JSON.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from misc_sender.semantics.wording import fit_semantics
from misc_shared.errors import SemanticsError
from misc_shared.semantics import (
    MAX_CAPTION_WORDS,
    MAX_DETAIL_WORDS,
    MAX_NAME_WORDS,
    Semantics,
)

__all__ = ["PROMPT", "SCHEMA", "parse_answer"]

_ASKED_ITEMS = 3  # as the paper; up to MAX_ITEMS are taken
_MOST_LISTED = 64  # more is no description, and is refused before it is looked at
_MAX_CHARACTERS = 20_000

PROMPT = f"""\
Describe this picture for a link that carries only a few bytes. Use plain, common words; every \
word costs. Say only what is clearly visible.
1. Items: name the {_ASKED_ITEMS} most important things or areas, the most important first, each \
in at most {MAX_NAME_WORDS} words, such as "dog" or "wet road".
2. Detail: for each item, at most {MAX_DETAIL_WORDS} words on its colour, size, material and place.
3. Caption: describe the whole picture in at most {MAX_CAPTION_WORDS} words, better in 15.
Answer with this JSON and nothing else:
{{"items": [{{"name": "...", "detail": "..."}}], "caption": "..."}}"""
"""The paper's three parts, for a model that sees the picture beside them."""

# Length limits stand in the descriptions: several servers refuse maxItems and maxLength in a
# strict schema, and the answer is measured here in any case.
SCHEMA = {
    "type": "object",
    "properties": {
        "items": {
            "type": "array",
            "description": "The most important things or areas, the most important first.",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "description": f"At most {MAX_NAME_WORDS} words."},
                    "detail": {
                        "type": "string",
                        "description": f"At most {MAX_DETAIL_WORDS} words: how it looks and where.",
                    },
                },
                "required": ["name", "detail"],
                "additionalProperties": False,
            },
        },
        "caption": {
            "type": "string",
            "description": f"The whole picture in at most {MAX_CAPTION_WORDS} words.",
        },
    },
    "required": ["items", "caption"],
    "additionalProperties": False,
}
"""JSON schema of the answer, within what strict structured output takes."""


class _AnsweredItem(Struct):
    name: str
    detail: str


class _Answer(Struct):
    items: Annotated[list[_AnsweredItem], Meta(max_length=_MOST_LISTED)]
    caption: str


def parse_answer(text: str) -> Semantics:
    """Read a model's answer and hold it to the contract of `misc_sender.semantics.wording`.

    Words around the JSON object, such as a Markdown fence, are passed over, and so are fields that
    nobody asked for. A missing field or one of another type makes the whole answer nonsense.

    Args:
        text: what the model wrote.

    Returns:
        At most `MAX_ITEMS` items without maps, and a caption; nothing if it says that it sees
        nothing.

    Raises:
        SemanticsError: it is not the JSON that was asked for, or its words are no description.
    """
    if len(text) > _MAX_CHARACTERS:
        raise SemanticsError(
            f"the answer has {len(text)} characters; expected at most {_MAX_CHARACTERS}"
        )
    begin, end = text.find("{"), text.rfind("}")
    if not 0 <= begin < end:
        raise SemanticsError("the answer holds no JSON object")
    try:
        answer = msgspec.json.decode(text[begin : end + 1], type=_Answer)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise SemanticsError(f"the answer is not the JSON that was asked for: {error}") from error
    said = fit_semantics([(item.name, item.detail) for item in answer.items], answer.caption)
    if answer.items and not said.items and not said.caption:
        raise SemanticsError(
            f"none of the {len(answer.items)} items of the answer has a name of at most "
            f"{MAX_NAME_WORDS} words"
        )
    return said
