"""What is in the picture: backends that name items, place them and write a caption."""

from misc_sender.semantics.backend import NoSemantics, SemanticsBackend
from misc_sender.semantics.choose import BACKENDS, make_backend
from misc_sender.semantics.sidecar import FileSemantics

__all__ = ["BACKENDS", "FileSemantics", "NoSemantics", "SemanticsBackend", "make_backend"]
