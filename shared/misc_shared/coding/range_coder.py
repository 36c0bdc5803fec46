"""A byte-wise range coder with carry (Martin 1979, in the 32-bit form of LZMA's `rc`).

Why our own: a frame of 164 bytes holds up to five separately decodable streams. A coder that
writes whole 32-bit words loses two to four bytes on each; this one ends every stream at the
shortest byte string that still decodes, because the decoder reads zeros past the end.

All state is integers, so the same symbols give the same bytes on every machine.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

from misc_shared.errors import BitstreamError

__all__ = ["MAX_TOTAL_BITS", "AdaptiveBit", "RangeDecoder", "RangeEncoder"]

MAX_TOTAL_BITS: Final = 16
_WHOLE: Final = 1 << MAX_TOTAL_BITS
_OUTSIDE: Final = "range coder: found a code outside every symbol's interval; the layer is damaged"
_TOP: Final = 1 << 24
_MASK: Final = 0xFFFFFFFF
# From here on a carry could still run into the bytes held back.
_CARRY_ZONE: Final = 0xFF000000
# Zero bytes a decoder may read past the end before it is clear that the stream was cut or forged.
_MAX_OVERRUN: Final = 1 << 16


class AdaptiveBit:
    """Probability of a binary symbol, learned while coding (LZMA's 11-bit model widened to 12).

    Attributes:
        zero: Probability of a 0 in 1/4096, within 32..4064.
    """

    __slots__ = ("zero",)

    def __init__(self, zero: int = 2048) -> None:
        """Start at `zero` / 4096."""
        self.zero = zero

    def update(self, bit: int) -> None:
        """Move one sixteenth of the way towards `bit`."""
        if bit:
            self.zero -= (self.zero - 32) >> 4
        else:
            self.zero += (4064 - self.zero) >> 4


class RangeEncoder:
    """Codes symbols given as intervals of an integer cumulative distribution."""

    def __init__(self) -> None:
        """Start an empty stream."""
        self._low = 0
        self._range = _MASK
        self._cache = 0
        self._pending = 0
        self._out = bytearray()
        self._started = False

    def encode(self, low: int, high: int, total_bits: int) -> None:
        """Code the symbol that owns [low, high) of 1 << total_bits.

        Args:
            low: Cumulative count below the symbol.
            high: Cumulative count up to and including it; above `low`.
            total_bits: Log2 of the total, at most 16.
        """
        self._narrow(self._range >> total_bits, low, high)

    def encode_all(self, lows: Iterable[int], highs: Iterable[int]) -> None:
        """Code symbols that own [low, high) of 65536 each: `encode`, only faster.

        Args:
            lows: Cumulative counts below the symbols.
            highs: Cumulative counts up to and including them.
        """
        below, span = self._low, self._range
        for low, high in zip(lows, highs, strict=True):
            step = span >> MAX_TOTAL_BITS
            below += step * low
            span = step * (high - low)
            while span < _TOP:
                span <<= 8
                self._low = below
                self._shift()
                below = self._low
        self._low, self._range = below, span

    def encode_choice(self, zero: int, bit: int) -> None:
        """Code one bit whose chance to be 0 is `zero` of 65536, 1 to 65535."""
        step = self._range >> MAX_TOTAL_BITS
        if bit:
            self._low += step * zero
            self._range = step * (_WHOLE - zero)
        else:
            self._range = step * zero
        while self._range < _TOP:
            self._range = (self._range << 8) & _MASK
            self._shift()

    def encode_of(self, low: int, high: int, total: int) -> None:
        """Code the symbol that owns [low, high) of any total up to 65536."""
        self._narrow(self._range // total, low, high)

    def encode_bits(self, value: int, count: int) -> None:
        """Code `count` equally likely bits of `value`, most significant first."""
        while count > 0:
            part = min(count, 8)
            count -= part
            chunk = (value >> count) & ((1 << part) - 1)
            self.encode(chunk, chunk + 1, part)

    def encode_bit(self, model: AdaptiveBit, bit: int) -> None:
        """Code one bit with, and teach, an adaptive model."""
        if bit:
            self.encode(model.zero, 4096, 12)
        else:
            self.encode(0, model.zero, 12)
        model.update(bit)

    def finish(self) -> bytes:
        """End the stream and return it, in as few bytes as decode to the same symbols."""
        # Any value in [low, low + range) decodes alike: take the one with most trailing zeros.
        for kept_bits in range(0, 33, 8):
            unit = 1 << (32 - kept_bits)
            value = (self._low + unit - 1) // unit * unit
            if value < self._low + self._range:
                self._low = value
                break
        for _ in range(5):
            self._shift()
        return bytes(self._out).rstrip(b"\0")

    def _narrow(self, step: int, low: int, high: int) -> None:
        self._low += step * low
        self._range = step * (high - low)
        while self._range < _TOP:
            self._range = (self._range << 8) & _MASK
            self._shift()

    def _shift(self) -> None:
        """Move the top byte out, resolving a carry into the bytes held back."""
        if self._low < _CARRY_ZONE or self._low > _MASK:
            carry = self._low >> 32
            if self._started:
                self._out.append((self._cache + carry) & 0xFF)
            self._started = True
            self._out.extend(bytes([(0xFF + carry) & 0xFF]) * self._pending)
            self._pending = 0
            self._cache = (self._low >> 24) & 0xFF
        else:
            self._pending += 1
        self._low = (self._low << 8) & _MASK


class RangeDecoder:
    """Decodes what RangeEncoder wrote; reads zeros past the end."""

    def __init__(self, data: bytes) -> None:
        """Start at the first byte of `data`."""
        self._data = data
        self._position = 4
        self._range = _MASK
        self._code = int.from_bytes(data[:4].ljust(4, b"\0"), "big")

    def decode(self, cumulative: Sequence[int], total_bits: int) -> int:
        """Decode one symbol.

        Args:
            cumulative: Strictly increasing [0, ..., 1 << total_bits].
            total_bits: Log2 of the total, at most 16.

        Returns:
            The symbol's index in 0..len(cumulative) - 2.

        Raises:
            BitstreamError: The stream cannot have been written with these tables.
        """
        return self._find(cumulative, self._range >> total_bits, 1 << total_bits)

    def decode_run(self, tables: Iterable[Sequence[int]]) -> list[int]:
        """Decode symbols up to the first that is its table's first or last: escapes, mostly.

        Args:
            tables: For each symbol a table as for `decode`, that ends at 65536; of an iterator
                only the tables used are taken.

        Returns:
            The symbols.

        Raises:
            BitstreamError: The stream cannot have been written with these tables.
        """
        code, span = self._code, self._range
        symbols: list[int] = []
        for table in tables:
            step = span >> MAX_TOTAL_BITS
            target = code // step
            if target >= _WHOLE:
                raise BitstreamError(_OUTSIDE)
            symbol = bisect_right(table, target) - 1
            low = table[symbol]
            code -= step * low
            span = step * (table[symbol + 1] - low)
            while span < _TOP:
                span <<= 8
                code = code << 8 | self._next_byte()
            symbols.append(symbol)
            if symbol == 0 or symbol == len(table) - 2:
                break
        self._code, self._range = code, span
        return symbols

    def decode_choice(self, zero: int) -> int:
        """Decode one bit whose chance to be 0 is `zero` of 65536, 1 to 65535.

        Raises:
            BitstreamError: The stream cannot have been written with these chances.
        """
        step = self._range >> MAX_TOTAL_BITS
        bound = step * zero
        if self._code < bound:
            bit = 0
            self._range = bound
        else:
            if self._code >= step << MAX_TOTAL_BITS:
                raise BitstreamError(_OUTSIDE)
            bit = 1
            self._code -= bound
            self._range = step * (_WHOLE - zero)
        while self._range < _TOP:
            self._range = (self._range << 8) & _MASK
            self._code = ((self._code << 8) | self._next_byte()) & _MASK
        return bit

    def decode_of(self, cumulative: Sequence[int]) -> int:
        """Decode one symbol of a table that ends at any total up to 65536.

        Raises:
            BitstreamError: The stream cannot have been written with these tables.
        """
        return self._find(cumulative, self._range // cumulative[-1], cumulative[-1])

    def decode_without(self, cumulative: Sequence[int], gone: int) -> int:
        """Decode one symbol that is known not to be `gone`, whose share is cut out of the table.

        Raises:
            BitstreamError: The stream cannot have been written with these tables.
        """
        begin = cumulative[gone]
        cut = cumulative[gone + 1] - begin
        total = cumulative[-1] - cut
        step = self._range // total
        target = self._code // step
        if target >= total:
            raise BitstreamError(_OUTSIDE)
        symbol = bisect_right(cumulative, target if target < begin else target + cut) - 1
        low = cumulative[symbol]
        self._range = step * (cumulative[symbol + 1] - low)
        self._code -= step * (low if symbol < gone else low - cut)
        while self._range < _TOP:
            self._range = (self._range << 8) & _MASK
            self._code = ((self._code << 8) | self._next_byte()) & _MASK
        return symbol

    def _find(self, cumulative: Sequence[int], step: int, total: int) -> int:
        target = self._code // step
        if target >= total:
            raise BitstreamError(_OUTSIDE)
        symbol = bisect_right(cumulative, target) - 1
        low = cumulative[symbol]
        self._code -= step * low
        self._range = step * (cumulative[symbol + 1] - low)
        while self._range < _TOP:
            self._range = (self._range << 8) & _MASK
            self._code = ((self._code << 8) | self._next_byte()) & _MASK
        return symbol

    def decode_bits(self, count: int) -> int:
        """Decode `count` equally likely bits, most significant first."""
        value = 0
        while count > 0:
            part = min(count, 8)
            count -= part
            value = (value << part) | self.decode(range((1 << part) + 1), part)
        return value

    def decode_bit(self, model: AdaptiveBit) -> int:
        """Decode one bit with, and teach, an adaptive model."""
        bit = self.decode((0, model.zero, 4096), 12)
        model.update(bit)
        return bit

    @property
    def unused(self) -> int:
        """Bytes of the data that no symbol has needed so far."""
        return max(0, len(self._data) - self._position)

    @property
    def unread(self) -> int:
        """Bytes of the data not looked at yet; the decoder looks four bytes ahead."""
        return max(0, len(self._data) - self._position)

    def _next_byte(self) -> int:
        position = self._position
        self._position = position + 1
        if position < len(self._data):
            return self._data[position]
        if position - len(self._data) > _MAX_OVERRUN:
            message = f"range coder: read {_MAX_OVERRUN} bytes past the end; the layer is damaged"
            raise BitstreamError(message)
        return 0
