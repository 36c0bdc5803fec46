"""The text layer, whole: bytes for semantics and semantics for bytes."""

import random

import brotli
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from misc_shared.errors import BitstreamError, ConfigError, LimitError, RemoteError
from misc_shared.semantics import MAX_ITEMS, MAX_TEXT_CHARACTERS, Item, Semantics
from misc_shared.text import TextCoder

DOG = Semantics(
    (
        Item("dog", "brown, large, center"),
        Item("grass", "green, large, bottom"),
        Item("ball", "red, small, bottom left"),
    ),
    "A brown dog runs through the grass with a ball in its mouth.",
)

# After the example that the paper's code ships: three items, their details, a description.
HELMET = Semantics(
    (
        Item("Astronaut Helmet", "A white astronaut helmet with reflections."),
        Item("Blue Hair", "Flowing blue hair with lighter blue highlights."),
        Item("Orange Paint Splatter", "Bright splatter effects surrounding the helmet."),
    ),
    "The most striking object is the white astronaut helmet in the center, reflecting light and "
    "shades of blue from the surrounding environment. The person's blue hair cascades outwards, "
    "gently floating around the face area. The composition emphasizes a sense of creativity.",
)

_TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=60)
_PIECES = ["a", "dog,", "Dog.", "DOG", "grass", "zyx", "12", "é", "-", "'", "\n", ""]
_WORDS = st.lists(st.sampled_from(_PIECES))
_FIELD = _TEXT | _WORDS.map(" ".join)
_SEMANTICS = st.builds(
    Semantics,
    st.lists(st.builds(Item, _FIELD, _FIELD), max_size=MAX_ITEMS).map(tuple),
    _FIELD,
)


def packed(semantics: Semantics) -> bytes:
    """All the text, as a general compressor would be given it."""
    fields = [
        semantics.caption,
        *(text for item in semantics.items for text in (item.name, item.detail)),
    ]
    return "\n".join(fields).encode()


@given(_SEMANTICS)
@example(Semantics())
@example(Semantics((Item(""),)))
@example(Semantics((Item("\ud7ff\0", "\U0010ffff"),) * MAX_ITEMS, " \n "))
@example(Semantics(caption="zyxxyz zyxxyz " * 250))
@example(Semantics(caption="Ein Hund läuft. " * 200))
@example(Semantics(caption="".join(map(chr, range(0x4E00, 0x4E00 + 3000)))))
@example(HELMET)
def test_any_text_comes_back(coder: TextCoder, semantics: Semantics) -> None:
    """Lossless, and by each of the ways: the smallest is taken, so all of them are met."""
    data = coder.encode(semantics)
    assert coder.decode(data) == semantics
    assert len(data) <= len(packed(semantics)) + 1


def test_maps_stay_out_of_the_text(coder: TextCoder) -> None:
    """They have a layer of their own."""
    with_map = Semantics((Item("dog", "brown", np.ones((8, 8), np.bool_)),))
    assert coder.decode(coder.encode(with_map)) == Semantics((Item("dog", "brown"),))


def test_no_text_takes_no_bytes(coder: TextCoder) -> None:
    """And no bytes are no text."""
    assert coder.encode(Semantics()) == b""
    assert coder.decode(b"") == Semantics()


@pytest.mark.parametrize(
    ("semantics", "most"),
    [
        (DOG, 16),
        (Semantics(caption=DOG.caption), 12),
        (Semantics(caption="a man in a red shirt is climbing a rock"), 12),
        (Semantics(caption="Two children play in the snow"), 12),
        (HELMET, 155),
    ],
)
def test_common_text_is_small(coder: TextCoder, semantics: Semantics, most: int) -> None:
    """About a byte a word for captions; the recipe's card has the mean over many."""
    assert len(coder.encode(semantics)) <= most


def test_a_caption_that_names_the_items_costs_less(coder: TextCoder) -> None:
    """The names were said already."""
    names = len(coder.encode(Semantics(DOG.items)))
    caption = len(coder.encode(Semantics(caption=DOG.caption)))
    assert len(coder.encode(DOG)) < names + caption - 1


@pytest.mark.parametrize(
    "text",
    [
        "Der Hund läuft über die Straße und bellt den Briefträger an. " * 3,
        "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt",
        "xq" * 300,
        "Привет, мир",
        HELMET.caption,
    ],
)
def test_never_larger_than_brotli(coder: TextCoder, text: str) -> None:
    """The way is told within brotli's first byte."""
    plain = text.encode()
    smallest = min(len(brotli.compress(plain, lgwin=window)) for window in (10, 16, 22))
    assert len(coder.encode(Semantics(caption=text))) <= smallest


def test_ways_are_told_by_the_first_byte(coder: TextCoder) -> None:
    """protocol.md, Layer payloads: Text."""
    assert coder.encode(DOG)[0] < 0xF6
    assert coder.encode(Semantics(caption="中文"))[0] == 0xF7
    assert coder.encode(Semantics(caption="xq" * 300))[0] >= 0xF8


@pytest.mark.parametrize(
    ("semantics", "message"),
    [
        (Semantics((Item("dog"),) * (MAX_ITEMS + 1)), "9 items"),
        (Semantics(caption="a" * (MAX_TEXT_CHARACTERS + 1)), "shorten"),
        (Semantics((Item("\ud800"),)), "half a character"),
    ],
)
def test_what_the_other_end_would_refuse_is_not_sent(
    coder: TextCoder, semantics: Semantics, message: str
) -> None:
    """Our own fault, so a local error."""
    with pytest.raises(ConfigError, match=message):
        coder.encode(semantics)


def test_longest_text_is_sent_and_read(coder: TextCoder) -> None:
    """The limit itself is allowed at both ends, by every way."""
    shuffled = random.Random(1)
    for alphabet in (["dog", " "], "ab", "".join(map(chr, range(0x4E00, 0x6000)))):
        text = "".join(shuffled.choices(alphabet, k=MAX_TEXT_CHARACTERS))[:MAX_TEXT_CHARACTERS]
        assert coder.decode(coder.encode(Semantics(caption=text))).caption == text


def brotli_layer(plain: bytes) -> bytes:
    """A layer in the brotli way, whatever its content."""
    data = brotli.compress(plain, lgwin=16)
    assert data[0] & 0b11111 == 0b00010
    return bytes([0xF8 | data[0] >> 5]) + data[1:]


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (b"\xf6", BitstreamError, "expected a base"),
        (b"\xf7\xc3", BitstreamError, "UTF-8"),
        (b"\xf7a\xffb", BitstreamError, "without a detail"),
        (b"\xf7" + b"\xff" * 2 * (MAX_ITEMS + 1), LimitError, "9 items"),
        (b"\xf7" + b"a" * (MAX_TEXT_CHARACTERS + 1), LimitError, "4001 characters"),
        (b"\xf7" + b"a" * 100_000, LimitError, "100000 bytes"),
        (b"\xf8\xff\xff\xff", BitstreamError, "brotli"),
        (brotli_layer(b"a" * 60_000), LimitError, "60000 bytes"),
        (brotli_layer(b"a" * 50) + b"a", BitstreamError, "brotli"),
    ],
)
def test_wrong_bytes_are_refused(
    coder: TextCoder, data: bytes, error: type[RemoteError], message: str
) -> None:
    """With the reason."""
    with pytest.raises(error, match=message):
        coder.decode(data)


def test_trailing_bytes_are_refused(coder: TextCoder) -> None:
    """Beyond the four that a range decoder looks ahead."""
    with pytest.raises(BitstreamError, match="after the layer's end"):
        coder.decode(coder.encode(DOG) + b"\1" * 8)


def test_every_beginning_decodes_or_is_refused(coder: TextCoder) -> None:
    """A cut layer yields some text or a typed error, byte by byte."""
    data = coder.encode(HELMET)
    for end in range(len(data)):
        try:
            semantics = coder.decode(data[:end])
        except RemoteError:
            continue
        assert len(packed(semantics).decode()) <= MAX_TEXT_CHARACTERS + 2 * MAX_ITEMS


BASE = Semantics(
    (Item("dog", "brown, large, center"), Item("grass", "green, large, bottom"), Item("ball")),
    "A brown dog runs through the grass.",
)
OTHER_DOG = Item("dog", "brown, large, left")


@pytest.mark.parametrize(
    ("said", "most"),
    [
        (BASE, 3),
        (Semantics((OTHER_DOG, *BASE.items[1:]), BASE.caption), 6),
        (Semantics(BASE.items, "A dog sleeps."), 7),
        (Semantics(BASE.items[:2], BASE.caption), 3),
        (Semantics((*BASE.items, Item("cat")), BASE.caption), 7),
        (Semantics((), BASE.caption), 2),
        (Semantics(BASE.items, ""), 3),
    ],
)
def test_only_what_changed_is_coded(coder: TextCoder, said: Semantics, most: int) -> None:
    """Items at their places and the caption, each for itself."""
    data = coder.encode(said, BASE)
    assert coder.needs_base(data)
    assert len(data) <= most < len(coder.encode(said))
    assert coder.decode(data, BASE) == said


@given(said=_SEMANTICS, base=_SEMANTICS)
def test_any_change_of_text_survives(coder: TextCoder, said: Semantics, base: Semantics) -> None:
    """Whatever was said before."""
    data = coder.encode(said, base)
    assert len(data) <= len(coder.encode(said))
    if data:
        assert coder.decode(data, base) == said


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xf6", "second byte 0xff"),
        (b"\xf6\x29\x00", "second byte 0x29"),
        (b"\xf6\x13", "second byte 0x13"),
        (b"\xf6\x14\x08", "the base has not"),
        (b"\xf6\x13\x03", "0 items more"),
        (b"\xf6\x13\x07\xf6", "left out twice"),
    ],
)
def test_wrong_leaving_out_is_refused(coder: TextCoder, data: bytes, message: str) -> None:
    """With the reason."""
    with pytest.raises(BitstreamError, match=message):
        coder.decode(data, BASE)
