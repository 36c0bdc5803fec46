"""Pictures that are kept while the link is away, and sent once it is back and has time."""

from misc_sender.spool.catch_up import RESERVE, CatchUp
from misc_sender.spool.moments import Moment, this_moment
from misc_sender.spool.records import SpooledFrame
from misc_sender.spool.spooling import Spooling
from misc_sender.spool.store import Spool, SpoolLimits, SpoolLosses

__all__ = [
    "RESERVE",
    "CatchUp",
    "Moment",
    "Spool",
    "SpoolLimits",
    "SpoolLosses",
    "SpooledFrame",
    "Spooling",
    "this_moment",
]
