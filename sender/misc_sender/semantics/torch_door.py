"""The sender's one door to torch and transformers, for the backends `transformers` and `clip`.

Importing this module imports both, which takes seconds and needs the extra ``transformers``. Only
those two backends import from here, and are themselves imported late, so the edge stays without
torch unless it is asked for one of them.
"""

from misc_shared.errors import MissingExtraError

try:
    import huggingface_hub
    import safetensors
    import torch
    import transformers
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "A local vision model",
        package=(error.name or "torch").partition(".")[0],
        extra="transformers",
    ) from error

# Progress bars and advice to developers are no part of what a command says.
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

__all__ = ["huggingface_hub", "safetensors", "torch", "transformers"]
