"""Simulated links in virtual time: rate or trace, delay, jitter, loss, queue, MTU, duty cycle."""

from misc_lab.links.link import DuplexLink, Fate, Passage, SimulatedLink
from misc_lab.links.loss import GilbertElliott, LossModel, NoLoss, ScriptedLoss
from misc_lab.links.opening import open_link
from misc_lab.links.profiles import PROFILES, Profile, find_profile
from misc_lab.links.schedule import RateSchedule, Schedule
from misc_lab.links.trace import TraceSchedule, read_trace

__all__ = [
    "PROFILES",
    "DuplexLink",
    "Fate",
    "GilbertElliott",
    "LossModel",
    "NoLoss",
    "Passage",
    "Profile",
    "RateSchedule",
    "Schedule",
    "ScriptedLoss",
    "SimulatedLink",
    "TraceSchedule",
    "find_profile",
    "open_link",
    "read_trace",
]
