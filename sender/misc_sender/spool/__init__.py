"""Pictures that are kept while the link is away, and sent once it is back and has time."""

from misc_sender.spool.catch_up import RESERVE, CatchUp
from misc_sender.spool.folder import Spool, SpooledFrame, SpoolLimits
from misc_sender.spool.spooling import Spooling

__all__ = ["RESERVE", "CatchUp", "Spool", "SpoolLimits", "SpooledFrame", "Spooling"]
