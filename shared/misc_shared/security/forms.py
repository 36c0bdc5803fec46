"""The two forms of a sealed datagram, as bytes. protocol.md, Sealed datagrams.

`parse_form` looks at bytes that nobody has vouched for, and reads fixed places only.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "COUNTER_LIMIT",
    "LONG_OVERHEAD",
    "MAX_ECHO",
    "RUN_BYTES",
    "SHORT_OVERHEAD",
    "TAG_BYTES",
    "Echo",
    "Form",
    "LongForm",
    "ShortForm",
    "echo_of",
    "is_plain",
    "long_header",
    "looks_sealed",
    "nonce",
    "parse_form",
    "read_echo",
    "short_header",
]

RUN_BYTES = 12
TAG_BYTES = 16
COUNTER_LIMIT = 1 << 40
"""Datagrams of one run: at a thousand a second, 34 years."""

_LONG, _ASK = 0xC0, 0xC1
_SHORT_HEADER = 2
_COUNTER_BYTES = 5
_TIME_BYTES = 4
_LONG_HEADER = 1 + _COUNTER_BYTES + RUN_BYTES + _TIME_BYTES
_LOW_BITS = 0x7FFF
_ECHOES = {b"\x01": True, b"\x02": False}  # of an answer, of a question
_PLAIN = range(0x90, 0xA0)  # every datagram that is not sealed is a short msgpack array

SHORT_OVERHEAD = _SHORT_HEADER + TAG_BYTES
"""Bytes by which sealing makes a datagram longer: 18."""

LONG_OVERHEAD = _LONG_HEADER + TAG_BYTES
"""The same for a datagram that introduces its sender's run: 38."""

MAX_ECHO = LONG_OVERHEAD + 1 + RUN_BYTES
"""Bytes of the largest datagram that a seal adds of its own accord: 51."""


@dataclass(frozen=True, slots=True)
class ShortForm:
    """Of a run that is known already.

    Attributes:
        low: the lowest 15 bits of the counter.
        header: what is authenticated but not encrypted.
        sealed: tag and ciphertext.
    """

    low: int
    header: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class LongForm:
    """Introduces a run.

    Attributes:
        asks: whether it is a receiver's question, for which no run of the sender need be known.
        counter: which datagram of the run it is.
        run: the run's id.
        dated: Unix seconds at which it was sealed, modulo 2**32.
        header: what is authenticated but not encrypted.
        sealed: tag and ciphertext.
    """

    asks: bool
    counter: int
    run: bytes
    dated: int
    header: bytes
    sealed: bytes


Form = ShortForm | LongForm


@dataclass(frozen=True, slots=True)
class Echo:
    """A sender shows that it has heard a receiver.

    Attributes:
        run: the receiver's.
        answered: whether in an answer, or else in a question.
    """

    run: bytes
    answered: bool


def is_plain(datagram: bytes) -> bool:
    """Whether it begins as a datagram without seal does; no sealed one does."""
    return datagram[:1] != b"" and datagram[0] in _PLAIN


def looks_sealed(datagram: bytes) -> bool:
    """Whether it has one of the forms; almost anything that is long enough and not plain has."""
    return parse_form(datagram) is not None


def parse_form(datagram: bytes) -> Form | None:
    """The outer form of what may be a sealed datagram; None if it is too short or has none."""
    if len(datagram) < SHORT_OVERHEAD:
        return None
    if datagram[0] < 0x80:  # noqa: PLR2004 - bit 7 is clear
        header = datagram[:_SHORT_HEADER]
        return ShortForm(int.from_bytes(header, "big"), header, datagram[_SHORT_HEADER:])
    if datagram[0] not in (_LONG, _ASK) or len(datagram) < LONG_OVERHEAD:
        return None
    run_at = 1 + _COUNTER_BYTES
    time_at = run_at + RUN_BYTES
    return LongForm(
        asks=datagram[0] == _ASK,
        counter=int.from_bytes(datagram[1:run_at], "big"),
        run=datagram[run_at:time_at],
        dated=int.from_bytes(datagram[time_at:_LONG_HEADER], "big"),
        header=datagram[:_LONG_HEADER],
        sealed=datagram[_LONG_HEADER:],
    )


def short_header(counter: int) -> bytes:
    """The two bytes before a short form's tag."""
    return (counter & _LOW_BITS).to_bytes(_SHORT_HEADER, "big")


def long_header(counter: int, *, run: bytes, wall: float, asks: bool = False) -> bytes:
    """The 22 bytes before a long form's tag."""
    dated = int(wall) % (1 << 32)
    return (
        bytes([_ASK if asks else _LONG])
        + counter.to_bytes(_COUNTER_BYTES, "big")
        + run
        + dated.to_bytes(_TIME_BYTES, "big")
    )


def nonce(counter: int) -> bytes:
    """12 bytes that no key should see twice: a run's keys are its own, and it never counts back."""
    return counter.to_bytes(12, "big")


def echo_of(run: bytes, *, answered: bool) -> bytes:
    """What a sender seals to show a receiver that it has heard its run just now.

    Args:
        run: the receiver's.
        answered: whether it was heard in an answer, so that the sender can open short forms of it;
            False for a question, which only proves that the echo is fresh.
    """
    code = next(code for code, meaning in _ECHOES.items() if meaning is answered)
    return code + run


def read_echo(opened: bytes) -> Echo | None:
    """The echo; None if these bytes are none."""
    answered = _ECHOES.get(opened[:1])
    if answered is None or len(opened) != 1 + RUN_BYTES:
        return None
    return Echo(opened[1:], answered=answered)
