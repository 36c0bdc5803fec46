"""What the owner of a session can set, with defaults for links of 1 to 200 kbit/s."""

from collections.abc import Mapping
from dataclasses import dataclass

from misc_shared.errors import ConfigError
from misc_shared.wire import DIGEST_BYTES, MAX_NAME, MAX_PACKS

__all__ = [
    "HelloConfig",
    "ReceiverLimits",
    "ReceiverTiming",
    "SenderLimits",
    "SenderTiming",
    "check_packs",
]


def check_packs(packs: Mapping[str, bytes]) -> None:
    """Refuse names and digests that no HELLO can carry.

    Raises:
        ConfigError: there are too many packs, a name is too long or a digest has another size.
    """
    if len(packs) > MAX_PACKS:
        raise ConfigError(f"{len(packs)} packs do not fit a HELLO: name at most {MAX_PACKS}")
    for name, digest in packs.items():
        if not 0 < len(name) <= MAX_NAME or len(digest) != DIGEST_BYTES:
            raise ConfigError(
                f"pack {name!r} has a digest of {len(digest)} bytes: expected a name of 1 to "
                f"{MAX_NAME} characters and {DIGEST_BYTES} bytes"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloConfig:
    """How a sender introduces itself.

    Attributes:
        stream: The stream's name.
        packs: Component name -> 8-byte digest, for each model without which layers do not decode.
        started: Unix time at the session's start.
        first: Send HELLO before the first frame, as recordings want it. Otherwise it follows the
            first BASE, which needs it not: on a slow link its bytes would delay the picture.
    """

    stream: str
    packs: Mapping[str, bytes]
    started: float
    first: bool = False

    def __post_init__(self) -> None:
        check_packs(self.packs)
        if len(self.stream) > MAX_NAME:
            raise ConfigError(
                f"the stream's name has {len(self.stream)} characters: use at most {MAX_NAME}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderLimits:
    """Bounds of a sender's memory.

    Attributes:
        frames: Frames that may wait or be in flight; a newer one pushes the oldest out.
        total_bytes: Their payload bytes together; likewise.
        layer_bytes: The largest layer; HELLO announces it.
    """

    frames: int = 8
    layer_bytes: int = 1 << 20
    total_bytes: int = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderTiming:
    """When a sender repeats; all in seconds.

    Attributes:
        first_round_trip: Assumed until one is measured.
        hello_interval: One-way: HELLO again after this long.
        base_repeats: One-way: how often each BASE goes out again (a count).
        repeat_gap: One-way: time between a BASE and its repeat, to outlast a burst of losses.
        refresh_interval: A second request for a refresh within this time is not passed on.
        refusal_interval: Nor is a second refusal within this time.
    """

    first_round_trip: float = 3.0
    hello_interval: float = 30.0
    base_repeats: int = 1
    repeat_gap: float = 1.0
    refresh_interval: float = 2.0
    refusal_interval: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverLimits:
    """Bounds of a receiver's memory.

    Attributes:
        frames: Frames remembered; a newer one pushes the oldest out.
        layer_bytes: The largest layer.
        total_bytes: Payload bytes of all unfinished layers together.
        runs: Runs of senders followed at a time.
    """

    frames: int = 16
    layer_bytes: int = 1 << 20
    total_bytes: int = 4 << 20
    runs: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverTiming:
    """When a receiver answers and gives up; all in seconds.

    Attributes:
        ack_delay: Longest wait for more to acknowledge together.
        ack_interval: Shortest time between two acknowledgements.
        hello_patience: Data without a HELLO for this long makes it ask for one, again and again.
        refresh_interval: Shortest time between two requests for a picture.
        frame_lifetime: A frame of which nothing new came for this long has expired.
        stale_after: No datagram for this long makes the stream stale.
        stranger_interval: Shortest time between two answers to runs that have shown nothing yet.
        refusal_interval: A second refusal within this time is not told to the owner.
        rival_after: Nothing new of a run for this long lets one of the same number begin anew.
    """

    ack_delay: float = 0.2
    ack_interval: float = 0.25
    hello_patience: float = 2.0
    refresh_interval: float = 2.0
    frame_lifetime: float = 60.0
    stale_after: float = 10.0
    stranger_interval: float = 0.25
    refusal_interval: float = 10.0
    rival_after: float = 5.0


DEFAULT_SENDER_LIMITS = SenderLimits()
DEFAULT_SENDER_TIMING = SenderTiming()
DEFAULT_RECEIVER_LIMITS = ReceiverLimits()
DEFAULT_RECEIVER_TIMING = ReceiverTiming()
