"""Loads models by hub name or from a folder, and never from the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from misc_sender.semantics.torch_door import huggingface_hub, safetensors
from misc_shared.errors import ConfigError, PackError

__all__ = ["load_local"]

_Model = TypeVar("_Model")


def load_local(load: Callable[..., _Model], name: str, *, kind: str) -> _Model:
    """Load a model that is already on this machine.

    Nothing is downloaded: a camera must not hang on a hub that it cannot reach, nor fetch a
    gigabyte over a link of some kbit/s.

    Args:
        load: a `from_pretrained`.
        name: a hub name such as "openai/clip-vit-base-patch16", whose files are in the hub's cache,
            or a folder as `save_pretrained` writes it.
        kind: what the model has to be, for the message.

    Raises:
        PackError: the model's files are missing or damaged.
        ConfigError: the model is of another kind, or needs another package.
    """
    is_folder = Path(name).is_dir()
    if is_folder and not (Path(name) / "config.json").is_file():
        raise PackError(f"folder {name} holds no model: config.json is missing; name another")
    try:
        with _offline():
            return load(name, local_files_only=True)
    except ImportError as error:
        raise ConfigError(f"model {name} needs another package: {_first_line(error)}") from error
    except safetensors.SafetensorError as error:
        raise PackError(f"model {name} is damaged ({error}); download or save it again") from error
    except OSError as error:
        raise PackError(_missing(name, error, is_folder=is_folder)) from error
    except (KeyError, RuntimeError, TypeError, ValueError, AttributeError) as error:
        # transformers has no error of its own: these are what other architectures, wrong
        # shapes and cut files end in.
        raise ConfigError(f"model {name} does not load as {kind}: {_first_line(error)}") from error


@contextmanager
def _offline() -> Iterator[None]:
    """Keep the hub's client from the network altogether.

    `local_files_only` is about the model's files: where one is missing, the client still fetches
    a list from the hub, only to say in its request who asks.
    """
    before = huggingface_hub.constants.HF_HUB_OFFLINE
    huggingface_hub.constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        huggingface_hub.constants.HF_HUB_OFFLINE = before


def _missing(name: str, error: OSError, *, is_folder: bool) -> str:
    if is_folder:
        reason = _first_line(error).partition(". ")[0]
        return f"folder {name} holds no complete model ({reason}); save it again"
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        return f"there is no folder {name}; give the folder of a model, or its name on the hub"
    return f"model {name} is not on this machine; run: hf download {name}"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(" .") if lines else type(error).__name__
