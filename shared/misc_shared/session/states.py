"""The state machines, as data. protocol.md, State machines, draws them.

State is data: a table of transitions and one function, as in h11.
"""

import enum
from collections.abc import Mapping
from typing import TypeVar

from misc_shared.errors import ProtocolError

__all__ = [
    "INTRODUCTION",
    "LIFE",
    "PIECE",
    "Introduction",
    "IntroductionTrigger",
    "Life",
    "LifeTrigger",
    "Piece",
    "PieceTrigger",
    "advance",
]


class Piece(enum.Enum):
    """Where a chunk of the sender is."""

    HELD = "a parity, of no use before its layer's chunks have gone"
    QUEUED = "waits for the link"
    FLYING = "sent, not confirmed"
    DONE = "confirmed, or not to be sent again"


class PieceTrigger(enum.Enum):
    """What can happen to a chunk of the sender."""

    RELEASE = "long enough after what it protects"
    SEND = "handed to the link"
    LOSE = "taken for lost, or due for its repeat"
    SETTLE = "confirmed, or sent as often as it should be"
    REOPEN = "confirmed by another receiver than the one that answers now"


PIECE: Mapping[tuple[Piece, PieceTrigger], Piece] = {
    (Piece.HELD, PieceTrigger.RELEASE): Piece.QUEUED,
    (Piece.HELD, PieceTrigger.SETTLE): Piece.DONE,
    (Piece.QUEUED, PieceTrigger.SEND): Piece.FLYING,
    (Piece.QUEUED, PieceTrigger.SETTLE): Piece.DONE,
    (Piece.FLYING, PieceTrigger.LOSE): Piece.QUEUED,
    (Piece.FLYING, PieceTrigger.SETTLE): Piece.DONE,
    (Piece.DONE, PieceTrigger.SETTLE): Piece.DONE,
    (Piece.DONE, PieceTrigger.REOPEN): Piece.FLYING,
}


class Life(enum.Enum):
    """Where a sender is between its first frame and its end."""

    OPEN = "takes frames"
    CLOSING = "takes no more frames, delivers those it has"
    ENDED = "has said BYE"


class LifeTrigger(enum.Enum):
    """What can happen to a sender."""

    CLOSE = "its owner closes it"
    SAY_BYE = "its last frame is settled"


LIFE: Mapping[tuple[Life, LifeTrigger], Life] = {
    (Life.OPEN, LifeTrigger.CLOSE): Life.CLOSING,
    (Life.CLOSING, LifeTrigger.CLOSE): Life.CLOSING,
    (Life.CLOSING, LifeTrigger.SAY_BYE): Life.ENDED,
    (Life.ENDED, LifeTrigger.CLOSE): Life.ENDED,
}


class Introduction(enum.Enum):
    """What one end knows of the other in one epoch: the sender's and the receiver's view alike."""

    PENDING = "no HELLO yet"
    UNDERWAY = "HELLO sent but not confirmed, or heard but not understood"
    KNOWN = "HELLO confirmed, or heard and agreed to"
    REFUSED = "version or models differ"


class IntroductionTrigger(enum.Enum):
    """What can happen to an introduction."""

    GREET = "HELLO goes out, or comes with a profile that is not known"
    AGREE = "an ACK confirms HELLO, or HELLO agrees with what we hold"
    REFUSE = "HELLO disagrees with what we hold"
    RESTART = "the transport connected anew"


INTRODUCTION: Mapping[tuple[Introduction, IntroductionTrigger], Introduction] = {
    (Introduction.PENDING, IntroductionTrigger.GREET): Introduction.UNDERWAY,
    (Introduction.PENDING, IntroductionTrigger.AGREE): Introduction.KNOWN,
    (Introduction.PENDING, IntroductionTrigger.REFUSE): Introduction.REFUSED,
    (Introduction.PENDING, IntroductionTrigger.RESTART): Introduction.PENDING,
    (Introduction.UNDERWAY, IntroductionTrigger.GREET): Introduction.UNDERWAY,
    (Introduction.UNDERWAY, IntroductionTrigger.AGREE): Introduction.KNOWN,
    (Introduction.UNDERWAY, IntroductionTrigger.REFUSE): Introduction.REFUSED,
    (Introduction.UNDERWAY, IntroductionTrigger.RESTART): Introduction.PENDING,
    (Introduction.KNOWN, IntroductionTrigger.GREET): Introduction.UNDERWAY,
    (Introduction.KNOWN, IntroductionTrigger.AGREE): Introduction.KNOWN,
    (Introduction.KNOWN, IntroductionTrigger.RESTART): Introduction.PENDING,
    (Introduction.REFUSED, IntroductionTrigger.AGREE): Introduction.KNOWN,
    (Introduction.REFUSED, IntroductionTrigger.REFUSE): Introduction.REFUSED,
}

State = TypeVar("State", bound=enum.Enum)
Trigger = TypeVar("Trigger", bound=enum.Enum)


def advance(table: Mapping[tuple[State, Trigger], State], state: State, trigger: Trigger) -> State:
    """The state after `trigger`.

    Raises:
        ProtocolError: the table has no such transition.
    """
    try:
        return table[state, trigger]
    except KeyError:
        raise ProtocolError(
            f"{trigger.name} ({trigger.value}) cannot follow {state.name} ({state.value})"
        ) from None
