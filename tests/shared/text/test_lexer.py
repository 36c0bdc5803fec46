"""Splitting text into words and putting it together again."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from misc_shared.text.lexer import Case, Word, expects_space, join_words, split_words


@given(st.text(alphabet=st.characters(codec="utf-8")) | st.text(alphabet="aB é.,'- \n1"))
@example("")
@example(" ")
@example("a  b ")
@example(" It's O'Neil-X, 2,000 (ok)\n\tnew")
@example("ÉCOLE ßtraße İI")
@example("-' '-")
def test_joining_gives_the_text_back(text: str) -> None:
    """Whatever the text."""
    assert join_words(split_words(text)) == text


def test_common_text_follows_from_its_words() -> None:
    """Spaces are where one expects them, so that they cost next to nothing."""
    words = list(split_words("a dog, wet (and old), isn't there: 2 cats"))
    spaced = [expects_space(before.core, word.core) for before, word in pairwise(words)]
    assert [word.spaced for word in words[1:]] == spaced
    assert not expects_space("", words[0].core)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("dog", Word("dog")),
        ("Dog", Word("dog", Case.CAPITAL)),
        ("A", Word("a", Case.CAPITAL)),
        ("NASA", Word("nasa", Case.UPPER)),
        ("McKay", Word("McKay")),
        ("T-Shirt's", Word("T-Shirt's")),
        ("École", Word("École")),
    ],
)
def test_case_is_kept_apart_where_it_is_usual(text: str, word: Word) -> None:
    """So that "Dog" is the dog that the vocabulary knows."""
    assert list(split_words(text)) == [word]
