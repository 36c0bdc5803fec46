"""The one door to torch and diffusers.

Importing this module imports both, which takes seconds and needs the extra ``receiver``. So only
modules that are themselves imported late, inside a function, import from here; whoever opens the
door without the extra gets one sentence that names it.
"""

from misc_shared.errors import MissingExtraError

try:
    import diffusers
    import torch
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "Refinement", package=(error.name or "torch").partition(".")[0], extra="receiver"
    ) from error

__all__ = ["diffusers", "torch"]
