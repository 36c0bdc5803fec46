"""Makes a backend from its name on the command line."""

from __future__ import annotations

from misc_sender.semantics.backend import NoSemantics, SemanticsBackend
from misc_sender.semantics.sidecar import FileSemantics
from misc_shared.errors import ConfigError
from misc_shared.packs import Component, load_pack

__all__ = ["BACKENDS", "make_backend"]

BACKENDS = ("nano", "file", "none")
"""Names that `make_backend` knows, the default first."""


def make_backend(
    name: str, *, component: Component | None = None, threads: int = 1
) -> SemanticsBackend:
    """Make a semantics backend.

    Args:
        name: one of `BACKENDS`.
        component: the pack component that "nano" runs; None takes the embedded one.
        threads: processor cores that "nano" may use.

    Raises:
        ConfigError: there is no such backend.
        PackError: the pack that "nano" needs is missing or damaged.
    """
    match name:
        case "none":
            return NoSemantics()
        case "file":
            return FileSemantics()
        case "nano":
            # onnxruntime loads only when it is wanted.
            from misc_sender.semantics.nano import NanoSemantics

            chosen = component or load_pack("nano").component("semantics")
            return NanoSemantics(chosen, threads=threads)
        case _:
            raise ConfigError(
                f"no semantics backend {name!r}; expected one of {', '.join(BACKENDS)}"
            )
