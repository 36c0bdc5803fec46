"""From a profile, or a trace, to two simulated links."""

import random
from collections.abc import Sequence

from misc_lab.links.link import DuplexLink, SimulatedLink
from misc_lab.links.loss import GilbertElliott, LossModel, NoLoss
from misc_lab.links.profiles import Profile
from misc_lab.links.schedule import RateSchedule, Schedule
from misc_lab.links.trace import TraceSchedule

__all__ = ["open_link"]


def open_link(
    profile: Profile,
    *,
    seed: int,
    loss: LossModel | None = None,
    trace: Sequence[int] | None = None,
    charge_overhead: bool = False,
) -> DuplexLink:
    """Build both directions of a link.

    Args:
        profile: Rates, delay, jitter, loss, MTU, queue and duty cycle.
        seed: Of everything random; the two directions draw independently.
        loss: Replaces the profile's loss in the up direction, for scripted tests.
        trace: Delivery opportunities in milliseconds that replace the up-link's rate.
        charge_overhead: Let the transport's own bytes take time on the link.
    """
    up_schedule: Schedule = RateSchedule(profile.rate, duty_cycle=profile.duty_cycle)
    if trace is not None:
        up_schedule = TraceSchedule(trace)
    up = _one_way(
        profile, up_schedule, label=f"{seed}/{profile.name}/up", loss=loss, charge=charge_overhead
    )
    if profile.down_rate == 0:
        return DuplexLink(up, None)
    down_schedule = RateSchedule(profile.down_rate)
    down = _one_way(
        profile,
        down_schedule,
        label=f"{seed}/{profile.name}/down",
        loss=None,
        charge=charge_overhead,
    )
    return DuplexLink(up, down)


def _one_way(
    profile: Profile, schedule: Schedule, *, label: str, loss: LossModel | None, charge: bool
) -> SimulatedLink:
    return SimulatedLink(
        schedule=schedule,
        loss=loss if loss is not None else _loss_of(profile, label),
        delay=profile.delay,
        jitter=profile.jitter,
        reorders=profile.reorders,
        mtu=profile.mtu,
        queue_bytes=profile.queue_bytes,
        overhead=profile.transport_overhead if charge else 0,
        generator=random.Random(f"{label}/jitter"),
    )


def _loss_of(profile: Profile, label: str) -> LossModel:
    if profile.loss is None:
        return NoLoss()
    generator = random.Random(f"{label}/loss")
    return GilbertElliott(profile.loss.p, profile.loss.r, generator=generator)
