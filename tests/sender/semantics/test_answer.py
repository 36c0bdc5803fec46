"""What a vision model wrote becomes semantics within the contract, or one typed error."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from misc_sender.semantics.answer import PROMPT, SCHEMA, parse_answer
from misc_sender.semantics.wording import fit_caption, fit_items, fit_semantics
from misc_shared.errors import SemanticsError
from misc_shared.semantics import (
    MAX_CAPTION_WORDS,
    MAX_DETAIL_WORDS,
    MAX_ITEMS,
    MAX_NAME_WORDS,
    MAX_TEXT_CHARACTERS,
    Semantics,
)

ITEMS = st.lists(st.fixed_dictionaries({"name": st.text(), "detail": st.text()}))
ANSWERS = st.fixed_dictionaries({"items": ITEMS, "caption": st.text()})


def check(said: Semantics) -> None:
    """Assert that semantics keep the contract and can go out."""
    assert len(said.items) <= MAX_ITEMS
    assert len(said.caption.split()) <= MAX_CAPTION_WORDS
    for item in said.items:
        assert 1 <= len(item.name.split()) <= MAX_NAME_WORDS
        assert len(item.detail.split()) <= MAX_DETAIL_WORDS
    texts = [said.caption, *(text for item in said.items for text in (item.name, item.detail))]
    assert all(text.isprintable() and text.encode() is not None for text in texts)
    assert sum(map(len, texts)) <= MAX_TEXT_CHARACTERS


@given(st.one_of(st.text(), ANSWERS.map(json.dumps), st.binary().map(repr)))
@example('{"items": [{"name": "' + "dog " * 3 + '", "detail": "d"}], "caption": "c"}')
@example('{"items": [], "caption": "\ud800"}')
@example('{"items": ' + '{"items": ' * 2000 + "}")
@example("}{")
@example('{"items": ' + json.dumps([{"name": "a", "detail": ""}] * 65) + ', "caption": ""}')
def test_any_answer_is_semantics_or_a_typed_error(answer: str) -> None:
    """Nothing else gets out, whatever a model writes."""
    try:
        check(parse_answer(answer))
    except SemanticsError:
        return


def test_the_schema_asks_for_what_the_parser_reads() -> None:
    """And the prompt shows the same fields."""
    item = SCHEMA["properties"]["items"]["items"]  # type: ignore[index]
    assert set(SCHEMA["required"]) == {"items", "caption"}
    assert set(item["required"]) == {"name", "detail"}
    example_answer = PROMPT.splitlines()[-1].replace("...", "dog")
    assert parse_answer(example_answer).items[0].name == "dog"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("dog", "dog"),
        (" The  wet\nroad. ", "wet road"),
        ("an apple", "apple"),
        ("Theatre", "Theatre"),
        ("a dog on grass", "dog on grass"),
    ],
)
def test_names_lose_article_and_full_stop(written: str, name: str) -> None:
    """Nothing else of them changes."""
    assert [item.name for item in fit_items([(written, "")])] == [name]


@pytest.mark.parametrize("written", ["", "the", " . ", "dog on green grass"])
def test_what_is_no_short_name_is_dropped(written: str) -> None:
    """With its item."""
    assert fit_items([(written, "brown")]) == ()


def test_a_second_thing_of_one_name_is_dropped() -> None:
    """The receiver tells items by their names."""
    items = fit_items([("dog", "brown"), ("The Dog", "white"), ("cat", "")])
    assert [(item.name, item.detail) for item in items] == [("dog", "brown"), ("cat", "")]


def test_captions_end_at_a_full_stop_that_fits_or_after_fifty_words() -> None:
    """Short ones stay as they are."""
    assert fit_caption("A  dog\nruns.") == "A dog runs."
    assert fit_caption("word " * 48 + "end. Then more words.") == "word " * 48 + "end."
    assert fit_caption("word " * 60) == "word " * 49 + "word"


def test_altogether_too_much_is_refused() -> None:
    """Words may be long, but the text layer has a limit."""
    long = "x" * 30
    items = [(f"{long[:-1]}{number} {long} {long}", f"{long} " * 10) for number in range(8)]
    with pytest.raises(SemanticsError, match="expected at most 4000"):
        fit_semantics(items, f"{long} " * 50)
