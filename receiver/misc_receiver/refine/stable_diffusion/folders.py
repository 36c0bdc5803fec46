"""Where the models of Stable Diffusion lie on this machine. Needs no torch, and tells at once."""

from __future__ import annotations

from pathlib import Path

from misc_receiver.refine.stable_diffusion.settings import SdSettings
from misc_shared.errors import MissingExtraError, PackError

__all__ = ["find_models"]

_COPIES = ("*.ckpt", "*.bin", "*fp16*", "*non_ema*", "v1-5*", "safety_checker/*")
_PARTS = ("model", "controlnet", "lora", "preview")


def find_models(settings: SdSettings) -> dict[str, Path]:
    """Find the folder or file of each model that is wanted.

    Returns:
        Part -> folder, or file of an adapter.

    Raises:
        MissingExtraError: the hub's client is not installed.
        PackError: one is not on this machine; the message has the command that fetches it.
    """
    wanted = {part: getattr(settings, part) for part in _PARTS}
    return {part: _find(name, option=f"--sd-{part}") for part, name in wanted.items() if name}


def _find(name: str, *, option: str) -> Path:
    if Path(name).exists():
        return Path(name)
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise PackError(f"there is no {name}; give {option} a folder, or a name on the hub")
    try:
        import huggingface_hub
    except ImportError as error:
        raise MissingExtraError("Refiner sd", package="huggingface_hub", extra="sd") from error
    try:
        found = huggingface_hub.snapshot_download(name, local_files_only=True)
    except (OSError, ValueError):
        raise PackError(_missing(name, option)) from None
    return Path(found)


def _missing(name: str, option: str) -> str:
    mending = f"run: hf download {name}"
    if option == "--sd-model":  # the hub also keeps single-file and half-precision copies of it
        mending += "".join(f" --exclude '{copies}'" for copies in _COPIES)
    instead = ", or leave it out with none" if option in {"--sd-lora", "--sd-preview"} else ""
    return f"the model {name} of {option} is not on this machine; {mending}{instead}"
