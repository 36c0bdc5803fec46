"""Refinement: detail added to the coarse picture, always marked as invented.

Importing this package imports no torch; `load_refiner` does, for refiners that need it.
"""

from misc_receiver.refine.coarse_only import CoarseOnly
from misc_receiver.refine.interface import Refiner, RefineRequest, RefineStep
from misc_receiver.refine.loading import load_refiner

__all__ = ["CoarseOnly", "RefineRequest", "RefineStep", "Refiner", "load_refiner"]
