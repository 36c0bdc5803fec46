"""Makes a backend from its name on the command line, and wraps what is slow."""

from __future__ import annotations

import os
from dataclasses import dataclass

from misc_sender.semantics.backend import NoSemantics, SemanticsBackend
from misc_sender.semantics.latest import LatestSemantics
from misc_sender.semantics.openai_options import DEFAULT_URL, OpenAIOptions
from misc_sender.semantics.placing import NoMaps, Placed
from misc_sender.semantics.sidecar import FileSemantics
from misc_sender.semantics.steady import SteadySemantics
from misc_shared.errors import ConfigError
from misc_shared.packs import Component, load_pack

__all__ = ["BACKENDS", "MAPS", "SemanticsOptions", "make_backend", "make_describer"]

BACKENDS = ("nano", "file", "none", "openai", "transformers")
"""Names that `make_backend` knows, the default first."""

MAPS = ("own", "clip", "none")
"""Who may place the items: the backend itself, CLIP or nobody."""

_SLOW = frozenset({"openai", "transformers"})
_MOVING_EVERY = 30.0  # seconds; with the default spending limit, an hour's requests last an hour


@dataclass(frozen=True, kw_only=True)
class SemanticsOptions:
    """Who says what is in the pictures, and who places it.

    Attributes:
        name: one of `BACKENDS`.
        maps: one of `MAPS`.
        every: least seconds between two questions to a slow backend; None for 0 where each picture
            stands alone, and 30 where things move.
        wait: seconds that a picture may wait for a slow backend; None for no wait where things
            move, and as long as it takes elsewhere.
        openai: which server "openai" asks; None for what the environment says.
        model: hub name or folder for "transformers"; None for its default.
        clip_model: hub name or folder for the maps "clip"; None for its default.
        map_grid: cells across and down each map of "clip".
    """

    name: str = "nano"
    maps: str = "own"
    every: float | None = None
    wait: float | None = None
    openai: OpenAIOptions | None = None
    model: str | None = None
    clip_model: str | None = None
    map_grid: int = 16

    @property
    def slow(self) -> bool:
        """Whether a picture takes so long that it has to be described in the background."""
        return self.name in _SLOW or self.maps == "clip"


def make_describer(
    options: SemanticsOptions, *, component: Component | None, moving: bool
) -> SemanticsBackend:
    """Make what a stream needs; a slow backend comes as `LatestSemantics`.

    Args:
        options: who says what is in the pictures.
        component: the pack component that "nano" runs.
        moving: whether the source moves on by itself, so that pictures cannot wait.

    Raises:
        ConfigError: an option makes no sense.
        MissingExtraError: a package is missing that the backend needs.
        PackError: a model is missing or damaged.
    """
    if options.maps not in MAPS:
        raise ConfigError(f"no maps {options.maps!r}; expected one of {', '.join(MAPS)}")
    for seconds in (options.every, options.wait):
        if seconds is not None and not 0 <= seconds <= 1e6:  # noqa: PLR2004 - or it overflows
            raise ConfigError(f"{seconds} seconds make no sense for semantics; give 0 or more")
        if seconds is not None and not options.slow:
            raise ConfigError(
                f"semantics {options.name!r} describes every picture at once; --semantics-every "
                "and --semantics-wait are for openai, transformers and --maps clip"
            )
    backend = make_backend(options.name, component=component, options=options)
    if options.maps == "none":
        backend = Placed(backend, NoMaps())
    elif options.maps == "clip":
        # torch loads only when it is wanted.
        from misc_sender.semantics import clip

        maps = clip.ClipMaps(options.clip_model or clip.DEFAULT_MODEL, grid=options.map_grid)
        backend = Placed(backend, maps)
    if not options.slow:
        return SteadySemantics(backend) if options.name == "nano" else backend
    every = _MOVING_EVERY if moving else 0.0
    return LatestSemantics(
        backend,
        every=every if options.every is None else options.every,
        wait=(0.0 if moving else None) if options.wait is None else options.wait,
    )


def make_backend(
    name: str,
    *,
    component: Component | None = None,
    threads: int = 1,
    options: SemanticsOptions | None = None,
) -> SemanticsBackend:
    """Make a semantics backend.

    Args:
        name: one of `BACKENDS`.
        component: the pack component that "nano" runs; None takes the embedded one.
        threads: processor cores that "nano" may use.
        options: which server or model the others ask; None takes the environment's and defaults.

    Raises:
        ConfigError: there is no such backend, or it lacks an option.
        MissingExtraError: a package is missing that it needs.
        PackError: the model that it needs is missing or damaged.
    """
    chosen = options or SemanticsOptions(name=name)
    match name:
        case "none":
            return NoSemantics()
        case "file":
            return FileSemantics()
        case "nano":
            # onnxruntime loads only when it is wanted.
            from misc_sender.semantics.nano import NanoSemantics

            pack = component or load_pack("nano").component("semantics")
            return NanoSemantics(pack, threads=threads)
        case "openai":
            # So does the HTTP client.
            from misc_sender.semantics.openai import OpenAISemantics

            return OpenAISemantics(chosen.openai or _openai_from_environment())
        case "transformers":
            # And so does torch.
            from misc_sender.semantics import vision_language

            return vision_language.VisionLanguageSemantics(
                chosen.model or vision_language.DEFAULT_MODEL
            )
        case _:
            raise ConfigError(
                f"no semantics backend {name!r}; expected one of {', '.join(BACKENDS)}"
            )


def _openai_from_environment() -> OpenAIOptions:
    return OpenAIOptions(
        url=os.environ.get("MISC_OPENAI_URL", DEFAULT_URL),
        model=os.environ.get("MISC_OPENAI_MODEL", ""),
    )
