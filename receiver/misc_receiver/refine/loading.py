"""Refiners by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from misc_receiver.refine.coarse_only import CoarseOnly
from misc_receiver.refine.interface import Refiner
from misc_receiver.refine.stable_diffusion.settings import SdSettings
from misc_shared.errors import ConfigError, PackError
from misc_shared.packs import Component

if TYPE_CHECKING:
    from misc_receiver.refine.nano import NanoRefiner

__all__ = ["REFINERS", "load_refiner"]

REFINERS = ("nano", "sd", "none")
"""Names that `load_refiner` knows."""

_DEVICES = ("cpu", "cuda")


def load_refiner(
    name: str = "nano",
    *,
    component: Component | None = None,
    device: str = "cpu",
    sd: SdSettings | None = None,
) -> Refiner:
    """Make a refiner ready.

    Args:
        name: one of `REFINERS`.
        component: the pack's refiner; only "nano" needs one.
        device: "cpu" or "cuda".
        sd: what "sd" runs; None takes the defaults.

    Returns:
        A refiner. One that runs a network has it loaded; the first call imports torch, which
        takes seconds.

    Raises:
        ConfigError: the name or the device is unknown, or this machine has no such device.
        MissingExtraError: torch or diffusers is not installed.
        PackError: the component, or what "sd" runs, is absent, or does not fit this version.
    """
    if name not in REFINERS:
        raise ConfigError(f"found refiner {name!r}; use one of {', '.join(REFINERS)}")
    if device not in _DEVICES:
        raise ConfigError(f"found device {device!r}; use one of {', '.join(_DEVICES)}")
    if name == "none":
        return CoarseOnly()
    if name == "sd":
        return _load_sd(sd or SdSettings(), device)
    if component is None:
        raise PackError("the refiner nano needs a pack with a refiner; name one, or use none")
    return _load_nano(component.path, device)


def _load_sd(settings: SdSettings, device: str) -> Refiner:
    from misc_receiver.refine.stable_diffusion.folders import find_models

    find_models(settings)  # what is missing is told before torch is imported
    _check_device(device)
    from misc_receiver.refine.stable_diffusion.loading import load_sd

    return load_sd(settings, device=device)


def _load_nano(folder: Path, device: str) -> NanoRefiner:
    from misc_receiver.refine.nano import NanoRefiner
    from misc_receiver.refine.network import NanoNetwork
    from misc_receiver.torch_door import diffusers, torch

    _check_device(device)
    # bfloat16 has float32's range, so trained weights need no care; CPUs mostly lack it.
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    try:
        network = NanoNetwork.from_pretrained(
            folder,
            torch_dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            low_cpu_mem_usage=False,
        )
        scheduler = diffusers.FlowMatchEulerDiscreteScheduler.from_pretrained(
            folder, local_files_only=True
        )
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise PackError(
            f"the refiner in {folder} does not load ({error}); reinstall the pack"
        ) from error
    return NanoRefiner(network.eval().to(device), scheduler)


def _check_device(device: str) -> None:
    from misc_receiver.torch_door import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            f"no CUDA device is usable: torch {torch.__version__} finds none; install an NVIDIA "
            "driver and a CUDA build of torch, or refine on the CPU, without --gpu"
        )
