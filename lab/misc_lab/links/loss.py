"""Which datagrams a link loses: none, those of a script, or bursts of a Gilbert-Elliott chain."""

import random
from collections.abc import Sequence
from typing import Protocol

from misc_shared.errors import ConfigError

__all__ = ["GilbertElliott", "LossModel", "NoLoss", "ScriptedLoss"]


class LossModel(Protocol):
    """Decides the fate of one datagram after another."""

    def loses_next(self) -> bool:
        """True if the next datagram is lost."""
        ...


class NoLoss:
    """A link that loses nothing."""

    def loses_next(self) -> bool:
        """Always False."""
        return False


class ScriptedLoss:
    """Losses from a list, one entry a datagram; what comes after the list arrives.

    Args:
        pattern: True where a datagram is lost.
        repeat: Begin again at the end of the pattern.
    """

    def __init__(self, pattern: Sequence[bool], *, repeat: bool = False) -> None:
        self._pattern = tuple(pattern)
        self._repeat = repeat
        self._position = 0

    def loses_next(self) -> bool:
        """The pattern's next entry."""
        if self._repeat and self._pattern:
            self._position %= len(self._pattern)
        if self._position >= len(self._pattern):
            return False
        self._position += 1
        return self._pattern[self._position - 1]


class GilbertElliott:
    """Losses in bursts: a two-state chain that loses everything in its bad state.

    In the long run p / (p + r) of the datagrams are lost, in bursts of 1 / r on average
    (Gilbert, "Capacity of a burst-noise channel", 1960).

    Args:
        p: Probability in [0, 1] of going from good to bad, per datagram.
        r: Probability in (0, 1] of going from bad to good, per datagram.
        generator: Seeded source of the draws; one draw a datagram.
    """

    def __init__(self, p: float, r: float, *, generator: random.Random) -> None:
        if not (0 <= p <= 1 and 0 < r <= 1):
            raise ConfigError(
                f"Gilbert-Elliott loss needs 0 <= p <= 1 and 0 < r <= 1; got p={p}, r={r}."
            )
        self._p = p
        self._r = r
        self._generator = generator
        self._bad = False

    def loses_next(self) -> bool:
        """Take one step of the chain; True if it is now in its bad state."""
        draw = self._generator.random()
        self._bad = draw >= self._r if self._bad else draw < self._p
        return self._bad
