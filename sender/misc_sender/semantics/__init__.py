"""What is in the picture: backends that name items, place them and write a caption."""

from misc_sender.semantics.backend import NoSemantics, SemanticsBackend
from misc_sender.semantics.choose import (
    BACKENDS,
    MAPS,
    SemanticsOptions,
    make_backend,
    make_describer,
)
from misc_sender.semantics.latest import LatestSemantics
from misc_sender.semantics.openai_options import DEFAULT_URL, OpenAIOptions
from misc_sender.semantics.sidecar import FileSemantics
from misc_sender.semantics.steady import SteadySemantics

__all__ = [
    "BACKENDS",
    "DEFAULT_URL",
    "MAPS",
    "FileSemantics",
    "LatestSemantics",
    "NoSemantics",
    "OpenAIOptions",
    "SemanticsBackend",
    "SemanticsOptions",
    "SteadySemantics",
    "make_backend",
    "make_describer",
]
