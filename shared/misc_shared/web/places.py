"""A limited number of places, shared fairly among the addresses that ask for one."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

__all__ = ["FairPlaces", "PlacesTakenError", "address_group"]

_Holder = TypeVar("_Holder")

_LAST = 1 << 30
"""The rank of a holder that only fairness takes the place from."""


class PlacesTakenError(Exception):
    """Nobody can be asked to make room."""


class FairPlaces(Generic[_Holder]):
    """Who holds a place. Each entry takes time in proportion to the places only when all are taken.

    Nobody can shut others out by taking all places: where an address asks that has fewer places
    than another, the other gives one up.

    Args:
        total: places in all, at least 1.
        per_address: places of one address, at least 1.
        rank: how easily a holder gives its place up, lowest first; None for not at all, except to
            an address that has fewer places.
    """

    def __init__(
        self, *, total: int, per_address: int, rank: Callable[[_Holder], int | None]
    ) -> None:
        self._total = total
        self._per_address = per_address
        self._rank = rank
        self._holders: dict[_Holder, str] = {}  # the oldest first
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._holders)

    def __iter__(self) -> Iterator[_Holder]:
        return iter(list(self._holders))

    def enter(self, holder: _Holder, address: str) -> _Holder | None:
        """Take a place.

        Args:
            holder: who takes it.
            address: see `address_group`.

        Returns:
            The holder that has lost its place, which the caller has to end; None if there was room.

        Raises:
            PlacesTakenError: there is no room.
        """
        loser = self._loser(address)
        if loser is not None:
            self.leave(loser)
        self._holders[holder] = address
        self._counts[address] += 1
        return loser

    def leave(self, holder: _Holder) -> None:
        """Give a place back; nothing happens if it is lost already."""
        address = self._holders.pop(holder, None)
        if address is not None:
            self._counts[address] -= 1
            if not self._counts[address]:
                del self._counts[address]

    def _loser(self, address: str) -> _Holder | None:
        crowded = self._counts[address] >= self._per_address
        if not crowded and len(self._holders) < self._total:
            return None
        best: tuple[tuple[int, int], _Holder] | None = None
        for holder, its in self._holders.items():
            if crowded and its != address:
                continue
            cost = self._cost(holder, its, address)
            if cost is not None and (best is None or cost < best[0]):
                best = cost, holder
        if best is None:
            raise PlacesTakenError
        return best[1]

    def _cost(self, holder: _Holder, its: str, newcomer: str) -> tuple[int, int] | None:
        """What taking this holder's place costs; the oldest of the same cost is found first."""
        rank = self._rank(holder)
        if rank is None:
            # One place more than the newcomer will have: else two addresses would take turns.
            if self._counts[its] <= self._counts[newcomer] + 1:
                return None
            rank = _LAST
        return rank, -self._counts[its]


def address_group(address: str) -> str:
    """The part of an IP address that one user has alone: all of IPv4, the /64 network of IPv6.

    Args:
        address: an IP address, or anything else, which stands for itself.
    """
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
