"""The text layer: names, details and caption in the fewest bytes of three ways.

The first byte tells the way (protocol.md, Layer payloads: Text):

    0x00..0xf5  n-gram: the range coder never begins with more, for its first symbol says so
    0xf6        some of the fields are as in the base
    0xf7        raw: the fields follow in UTF-8
    0xf8..0xff  brotli: the three low bits are the only ones of brotli's first byte that vary

So the way costs 0.06 bits of n-gram, one byte of raw, and nothing of brotli.
"""

from __future__ import annotations

from typing import Final

import brotli

from misc_shared.coding.symbols import AdaptiveChoice, SymbolCoder, SymbolReader, SymbolWriter
from misc_shared.errors import BitstreamError, ConfigError, LimitError
from misc_shared.packs import Component
from misc_shared.semantics import MAX_ITEMS, MAX_TEXT_CHARACTERS, Item, Semantics
from misc_shared.text.fields import FieldCoder
from misc_shared.text.model import Field, TextModel, load_model

__all__ = ["MODEL_FILE", "TextCoder"]

MODEL_FILE: Final = "ngram.npz"
"""The model's file in the text component of a pack."""

_RAW: Final = 0xF7
_AS_BASE: Final = 0xF6
_BROTLI: Final = 0xF8
_WAYS: Final = (0, _AS_BASE << 8, 1 << 16)
_COUNT_GUESS: Final = (4, 8, 12, 40, 6, 3, 2, 1, 1)  # of 0 to 8 items

# Second byte of a layer that leaves fields out: how many items there are, and whether the caption
# is the base's. The third says which items are.
_ITEMS_MASK: Final = 0x0F
_CAPTION_KEPT: Final = 0x10

# Brotli's first byte for a window of 2^16 and one last block of at most 65,536 bytes (RFC 7932,
# section 9.2): one bit of window, then "last", "not empty", two bits of length of length. We write
# and read no other kind, so no stream can unpack to more than 65,536 bytes.
_BROTLI_HEAD: Final = 0b00010
_BROTLI_WINDOW: Final = 16

# Brotli gets to six bytes of text a byte only where a longer text repeats itself.
_SHORT: Final = 160
_DENSE: Final = 6

# No byte of UTF-8 is 0xff, so it parts the fields.
_PART: Final = b"\xff"
_MOST_BYTES: Final = 4 * MAX_TEXT_CHARACTERS + 2 * MAX_ITEMS


class TextCoder:
    """Turns what is said about a picture into bytes and back, exactly.

    Args:
        component: the pack's "text" component.

    Raises:
        PackError: the component has no usable model.
    """

    def __init__(self, component: Component) -> None:
        self._model = load_model(component.file(MODEL_FILE))

    def encode(self, semantics: Semantics, base: Semantics | None = None) -> bytes:
        """Code names, details and caption; maps have a layer of their own.

        Args:
            semantics: at most `MAX_ITEMS` items and `MAX_TEXT_CHARACTERS` characters in all.
            base: what the receiver knows to be said of another picture; fields that are the same
                are left out.

        Returns:
            The layer's bytes, empty for empty semantics.

        Raises:
            ConfigError: the semantics are larger than that, or hold half a character (a lone
                surrogate), which no receiver could display.
        """
        _check(semantics)
        whole = self._encode_whole(semantics)
        if base is None or semantics == Semantics():
            return whole
        return min(whole, self._encode_rest(semantics, base), key=len)

    def decode(self, data: bytes, base: Semantics | None = None) -> Semantics:
        """Decode a text layer.

        Args:
            data: what `encode` gave.
            base: what is said of the base; needed if `needs_base` says so.

        Returns:
            Semantics whose items have no maps.

        Raises:
            BitstreamError: no coder writes these bytes, or with another base.
            LimitError: the text is larger than a picture's may be.
        """
        first = data[0] if data else 0
        if first < _AS_BASE:
            return self._read(data)
        if first >= _BROTLI:
            return _unpack(_unsqueeze(data))
        if first == _RAW:
            return _unpack(data[1:])
        return self._decode_rest(data, base)

    @staticmethod
    def needs_base(data: bytes) -> bool:
        """Whether a text layer leaves out what the base says."""
        return data[:1] == bytes([_AS_BASE])

    def _encode_whole(self, semantics: Semantics) -> bytes:
        plain = _pack(semantics)
        written = self._write(semantics)
        if len(plain) <= _SHORT and len(written) * _DENSE <= len(plain):
            return written  # and a millisecond is saved
        ways = (written, _squeeze(plain), bytes([_RAW]) + plain)
        return min((way for way in ways if way is not None), key=len)

    def _encode_rest(self, semantics: Semantics, base: Semantics) -> bytes:
        """Code what differs from the base, item by item at the same place, and the caption."""
        pairs = zip(semantics.items, base.items, strict=False)
        kept = [_text_of(one) == _text_of(two) for one, two in pairs]
        kept += [False] * (len(semantics.items) - len(kept))
        caption_kept = semantics.caption == base.caption
        head = bytes([_AS_BASE, len(kept) | _CAPTION_KEPT * caption_kept])
        if kept:
            head += bytes([sum(same << place for place, same in enumerate(kept))])
        items = (item for item, same in zip(semantics.items, kept, strict=True) if not same)
        rest = Semantics(tuple(items), "" if caption_kept else semantics.caption)
        return head + (self._encode_whole(rest) if rest != Semantics() else b"")

    def _decode_rest(self, data: bytes, base: Semantics | None) -> Semantics:
        """Decode what differs from the base and fill in the rest."""
        if base is None:
            raise BitstreamError("text: found fields left out, expected a base that has them")
        second = data[1] if len(data) > 1 else 0xFF
        count, caption_kept = second & _ITEMS_MASK, bool(second & _CAPTION_KEPT)
        mask_end = 2 + (count > 0)
        if second > _ITEMS_MASK | _CAPTION_KEPT or count > MAX_ITEMS or len(data) < mask_end:
            raise BitstreamError(f"text: found second byte {second:#x}, expected 0 to 8 items")
        mask = data[2] if count else 0
        if mask >> min(count, len(base.items)):
            raise BitstreamError("text: found an item left out that the base has not")
        rest = data[mask_end:]
        if self.needs_base(rest):
            raise BitstreamError("text: found fields left out twice")
        said = self.decode(rest) if rest else Semantics()
        if len(said.items) + mask.bit_count() != count or (caption_kept and said.caption):
            raise BitstreamError(f"text: found {len(said.items)} items more than those left out")
        others = iter(said.items)
        items = tuple(
            Item(*_text_of(base.items[place])) if mask >> place & 1 else next(others)
            for place in range(count)
        )
        whole = Semantics(items, base.caption if caption_kept else said.caption)
        if sum(map(len, _fields(whole))) > MAX_TEXT_CHARACTERS:
            raise LimitError(
                f"text: found more than {MAX_TEXT_CHARACTERS} characters with the base"
            )
        return whole

    def _write(self, semantics: Semantics) -> bytes:
        writer = SymbolWriter()
        _code(self._model, writer, semantics)
        return writer.finish()

    def _read(self, data: bytes) -> Semantics:
        reader = SymbolReader(data)
        semantics = _code(self._model, reader)
        reader.end()
        return semantics


def _code(model: TextModel, coder: SymbolCoder, wanted: Semantics | None = None) -> Semantics:
    """Write `wanted`, or read and return semantics, with the n-gram model."""
    coder.code(_WAYS, 0)
    count = AdaptiveChoice(_COUNT_GUESS).code(coder, len(wanted.items) if wanted else 0)
    fields = FieldCoder(model, coder, limit=MAX_TEXT_CHARACTERS)
    items: list[Item] = []
    name = ""
    for place in range(count):
        item = wanted.items[place] if wanted else None
        name = fields.code(Field.NAME, item.name if item else None, after=name)
        detail = fields.code(Field.DETAIL, item.detail if item else None, after=name)
        items.append(Item(name, detail))
    for item in items:
        fields.expect(item.name)
    caption = fields.code(Field.CAPTION, wanted.caption if wanted else None)
    return Semantics(tuple(items), caption)


def _check(semantics: Semantics) -> None:
    """Refuse what the other end would refuse."""
    if len(semantics.items) > MAX_ITEMS:
        raise ConfigError(f"found {len(semantics.items)} items, expected at most {MAX_ITEMS}")
    text = "".join(_fields(semantics))
    if len(text) > MAX_TEXT_CHARACTERS:
        raise ConfigError(
            f"found {len(text)} characters of text, expected at most {MAX_TEXT_CHARACTERS}; "
            "shorten the caption"
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"found half a character in the text ({error.reason})") from error


def _text_of(item: Item) -> tuple[str, str]:
    return item.name, item.detail


def _fields(semantics: Semantics) -> list[str]:
    parts = [part for item in semantics.items for part in (item.name, item.detail)]
    return [semantics.caption, *parts]


def _pack(semantics: Semantics) -> bytes:
    return _PART.join(field.encode() for field in _fields(semantics))


def _unpack(plain: bytes) -> Semantics:
    if len(plain) > _MOST_BYTES:
        raise LimitError(f"text: found {len(plain)} bytes of text, expected at most {_MOST_BYTES}")
    try:
        caption, *parts = (part.decode() for part in plain.split(_PART))
    except UnicodeDecodeError as error:
        raise BitstreamError(f"text: found bytes that are no UTF-8 ({error.reason})") from error
    if len(parts) % 2:
        raise BitstreamError("text: found an item without a detail; the layer is damaged")
    if len(parts) > 2 * MAX_ITEMS:
        raise LimitError(f"text: found {len(parts) // 2} items, expected at most {MAX_ITEMS}")
    length = len(caption) + sum(map(len, parts))
    if length > MAX_TEXT_CHARACTERS:
        raise LimitError(f"text: found {length} characters, expected at most {MAX_TEXT_CHARACTERS}")
    items = (Item(*pair) for pair in zip(parts[::2], parts[1::2], strict=True))
    return Semantics(tuple(items), caption)


def _squeeze(plain: bytes) -> bytes | None:
    """Compress with brotli; None if the stream does not begin as all of ours do."""
    data: bytes = brotli.compress(plain, mode=brotli.MODE_TEXT, quality=11, lgwin=_BROTLI_WINDOW)
    if data[0] & 0b11111 != _BROTLI_HEAD:
        return None
    return bytes([_BROTLI | data[0] >> 5]) + data[1:]


def _unsqueeze(data: bytes) -> bytes:
    try:
        plain: bytes = brotli.decompress(bytes([(data[0] & 0b111) << 5 | _BROTLI_HEAD]) + data[1:])
    except brotli.error as error:
        raise BitstreamError("text: found bytes that brotli does not decode") from error
    return plain
