"""Words into buckets."""

from misc_receiver.refine.words import PADDING, word_buckets


def test_case_and_punctuation_do_not_count() -> None:
    """The same words are the same numbers."""
    said = word_buckets("A brown Dog, large.", buckets=4096, limit=9)
    assert said == word_buckets("a brown dog large", buckets=4096, limit=9)
    assert len(set(said)) == 4


def test_numbers_stay_the_same_for_ever() -> None:
    """Trained embeddings hang on them."""
    assert word_buckets("dog Straße 犬", buckets=4096, limit=9) == [3266, 2974, 3723]


def test_long_text_is_cut_and_padding_is_never_hit() -> None:
    """A limit bounds what one picture costs."""
    said = word_buckets(" ".join(map(str, range(500))), buckets=16, limit=64)
    assert len(said) == 64
    assert PADDING not in said
    assert max(said) < 16


def test_no_words_no_numbers() -> None:
    """Empty text is allowed."""
    assert word_buckets(" ,. ", buckets=16, limit=4) == []
