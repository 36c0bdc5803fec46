"""Both ends' sessions, with the timing that a link's profile asks for."""

import random
from collections.abc import Mapping

from misc_lab.links import Profile
from misc_shared.session import (
    HelloConfig,
    ReceiverSession,
    ReceiverTiming,
    SenderSession,
    SenderTiming,
)
from misc_shared.wire import MAX_EPOCH

__all__ = ["open_sessions"]

_STARTED = 1_700_000_000.0
"""Unix time at which every simulation begins: a fixed one, so that runs can be compared."""


def open_sessions(
    profile: Profile, *, packs: Mapping[str, bytes], one_way: bool, seed: int, deadline: float
) -> tuple[SenderSession, ReceiverSession]:
    """Open a sender's and a receiver's session for a link.

    Args:
        profile: The link.
        packs: Component name -> digest of the models that both ends hold.
        one_way: Nothing comes back on it.
        seed: Of the epoch.
        deadline: Seconds after which a picture is given up.
    """
    epoch = random.Random(f"{seed}/epoch").randint(0, MAX_EPOCH)
    full_datagram = profile.mtu * 8 / profile.rate
    timing = SenderTiming(
        first_round_trip=max(3.0, 3 * profile.delay + profile.jitter + 3 * full_datagram),
        # Where the duty cycle is the limit, HELLO must not eat it up.
        hello_interval=max(30.0, 20 * full_datagram / profile.duty_cycle),
    )
    sender = SenderSession(
        epoch=epoch,
        mtu=profile.mtu,
        hello=HelloConfig(stream="simulation", packs=packs, started=_STARTED),
        now=0.0,
        one_way=one_way,
        timing=timing,
    )
    receiver = ReceiverSession(
        packs=packs,
        instance=0,
        mtu=profile.mtu,
        one_way=one_way,
        timing=ReceiverTiming(frame_lifetime=deadline),
    )
    return sender, receiver
