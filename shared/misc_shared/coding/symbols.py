"""One face for writing and reading symbols, so that each model is written once.

A model calls `coder.code(cumulative, symbol)`. A writer codes the symbol and returns it; a reader
ignores the argument and returns what it decoded. Both thus take the same path through the model,
and can't come to differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from misc_shared.coding import RangeDecoder, RangeEncoder
from misc_shared.errors import BitstreamError

__all__ = ["AdaptiveChoice", "SymbolCoder", "SymbolReader", "SymbolWriter"]

_BITS: Final = 16
_STEP: Final = 24
_MOST: Final = 1 << 14


class SymbolCoder(Protocol):
    """Writes or reads one symbol after another."""

    def code(self, cumulative: Sequence[int], symbol: int) -> int:
        """Write or read a symbol.

        Args:
            cumulative: strictly increasing from 0 to 65536, one more entry than symbols.
            symbol: what to write; a reader ignores it.

        Returns:
            The symbol written or read.
        """
        ...

    def code_of(self, cumulative: Sequence[int], symbol: int) -> int:
        """Write or read a symbol of a table that ends at any total up to 65536."""
        ...

    def code_without(self, cumulative: Sequence[int], gone: int, symbol: int) -> int:
        """Write or read a symbol that is known not to be `gone`, whose share the others get."""
        ...

    def code_choice(self, zero: int, bit: int) -> int:
        """Write or read a bit whose chance to be 0 is `zero` of 65536: `code`, only faster."""
        ...

    def code_bits(self, value: int, count: int) -> int:
        """Write or read `count` even bits."""
        ...


class SymbolWriter:
    """Writes symbols."""

    def __init__(self) -> None:
        self._encoder = RangeEncoder()

    def code(self, cumulative: Sequence[int], symbol: int) -> int:
        """Write a symbol and return it."""
        self._encoder.encode(cumulative[symbol], cumulative[symbol + 1], _BITS)
        return symbol

    def code_of(self, cumulative: Sequence[int], symbol: int) -> int:
        """Write a symbol of a table with another total and return it."""
        self._encoder.encode_of(cumulative[symbol], cumulative[symbol + 1], cumulative[-1])
        return symbol

    def code_without(self, cumulative: Sequence[int], gone: int, symbol: int) -> int:
        """Write a symbol that is not `gone` and return it."""
        cut = cumulative[gone + 1] - cumulative[gone]
        moved = cut if symbol > gone else 0
        low, high = cumulative[symbol] - moved, cumulative[symbol + 1] - moved
        self._encoder.encode_of(low, high, cumulative[-1] - cut)
        return symbol

    def code_choice(self, zero: int, bit: int) -> int:
        """Write a bit and return it."""
        self._encoder.encode_choice(zero, bit)
        return bit

    def code_bits(self, value: int, count: int) -> int:
        """Write even bits and return them."""
        self._encoder.encode_bits(value, count)
        return value

    def finish(self) -> bytes:
        """End the stream and return it."""
        return self._encoder.finish()


class SymbolReader:
    """Reads symbols.

    Args:
        data: what `SymbolWriter.finish` returned.
    """

    def __init__(self, data: bytes) -> None:
        self._decoder = RangeDecoder(data)

    def code(self, cumulative: Sequence[int], symbol: int) -> int:  # noqa: ARG002
        """Read a symbol."""
        return self._decoder.decode(cumulative, _BITS)

    def code_of(self, cumulative: Sequence[int], symbol: int) -> int:  # noqa: ARG002
        """Read a symbol of a table with another total."""
        return self._decoder.decode_of(cumulative)

    def code_without(self, cumulative: Sequence[int], gone: int, symbol: int) -> int:  # noqa: ARG002
        """Read a symbol that is not `gone`."""
        return self._decoder.decode_without(cumulative, gone)

    def code_choice(self, zero: int, bit: int) -> int:  # noqa: ARG002
        """Read a bit."""
        return self._decoder.decode_choice(zero)

    def code_bits(self, value: int, count: int) -> int:  # noqa: ARG002
        """Read even bits."""
        return self._decoder.decode_bits(count)

    def end(self) -> None:
        """Check that the data end where the symbols do.

        Raises:
            BitstreamError: more bytes follow.
        """
        if self._decoder.unread:
            raise BitstreamError(f"found {self._decoder.unread} bytes after the layer's end")


class AdaptiveChoice:
    """A choice among a few, that learns within one message.

    Args:
        counts: how often each was chosen so far, as far as one may guess; each at least 1. Large
            numbers make the guess cheap when right and slow to unlearn.
    """

    def __init__(self, counts: Sequence[int]) -> None:
        self._counts = list(counts)

    def code(self, coder: SymbolCoder, choice: int = 0) -> int:
        """Write or read a choice, learn it, and return it."""
        counts = self._counts
        total = sum(counts)
        spare = (1 << _BITS) - len(counts)
        cumulative = [0]
        running = 0
        for place, count in enumerate(counts, start=1):
            running += count
            cumulative.append(running * spare // total + place)
        choice = coder.code(cumulative, choice)
        if total < _MOST:
            counts[choice] += _STEP
        return choice
