"""Whether a link is up, what it turned away, and what is wrong, for those kinds that know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from misc_shared.transports.base import Transport

__all__ = [
    "Complaining",
    "Fallible",
    "Selective",
    "Wrapping",
    "complaints",
    "is_up",
    "layers_of",
    "turned_away",
]


@runtime_checkable
class Fallible(Protocol):
    """A transport or a listener that loses its broker and finds it again."""

    @property
    def connected(self) -> bool:
        """Whether the broker is there at this moment."""
        ...


@runtime_checkable
class Selective(Protocol):
    """A transport or a listener that does not take every datagram."""

    def turned_away(self) -> Mapping[str, int]:
        """Datagrams that no stream got, by cause."""
        ...


@runtime_checkable
class Complaining(Protocol):
    """A listener that knows what is not as it should be."""

    def complaints(self) -> Sequence[str]:
        """What that is, one sentence each; may be asked in any thread."""
        ...


@runtime_checkable
class Wrapping(Protocol):
    """A transport around another one."""

    @property
    def inner(self) -> Transport:
        """That other one."""
        ...


def layers_of(transport: Transport) -> Iterator[Transport]:
    """The transport, the one in it, and so on."""
    yield transport
    while isinstance(transport, Wrapping):
        transport = transport.inner
        yield transport


def turned_away(link: object) -> Mapping[str, int]:
    """Datagrams that no stream got, by cause; nothing for what takes all."""
    return link.turned_away() if isinstance(link, Selective) else {}


def complaints(link: object) -> Sequence[str]:
    """What is not as it should be with a listener; nothing for those that cannot say."""
    return link.complaints() if isinstance(link, Complaining) else []


def is_up(link: object) -> bool:
    """Whether a transport or listener is up; what cannot be down always is."""
    return link.connected if isinstance(link, Fallible) else True
