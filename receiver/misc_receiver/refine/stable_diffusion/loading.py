"""Loads Stable Diffusion and what belongs to it from this machine, never from the network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from misc_receiver.refine.stable_diffusion.folders import find_models
from misc_receiver.refine.stable_diffusion.refiner import SdModels, SdRefiner
from misc_receiver.refine.stable_diffusion.settings import SdSettings
from misc_receiver.torch_door import diffusers, torch
from misc_shared.errors import ConfigError, MissingExtraError, PackError

__all__ = ["load_sd"]

_LORA_FILE = "pytorch_lora_weights.safetensors"
_HEAD = 1 << 16
"""Bytes of each weight file that its fingerprint covers: its names, shapes and first weights."""


def load_sd(settings: SdSettings, *, device: str) -> SdRefiner:
    """Load the models.

    Args:
        settings: their names or folders, and how they run.
        device: "cpu" or "cuda", which has half precision.

    Returns:
        The refiner.

    Raises:
        ConfigError: the settings do not fit the device, or the models each other.
        MissingExtraError: a package that the adapter or offloading needs is not installed.
        PackError: weights are not on this machine, or damaged.
    """
    if settings.memory == "offload" and device == "cpu":
        raise ConfigError("memory mode offload moves models to a GPU and back: add --gpu")
    folders = find_models(settings)
    dtype = torch.float16 if device == "cuda" else torch.float32
    with _offline():
        pipeline, lcm = _load_pipeline(settings, folders, dtype)
        tiny = None
        if "preview" in folders:
            tiny = _load(diffusers.AutoencoderTiny, folders["preview"], dtype=dtype)
    _place(pipeline, settings, device)
    names = [
        f"{getattr(settings, part)}@{_fingerprint(folder)}" for part, folder in folders.items()
    ]
    tiny = None if tiny is None else tiny.eval().to(device)
    return SdRefiner(SdModels(pipeline, tiny, lcm, ", ".join(names)), settings)


def _load_pipeline(
    settings: SdSettings, folders: dict[str, Path], dtype: torch.dtype
) -> tuple[Any, bool]:
    controlnet = _load(diffusers.ControlNetModel, folders["controlnet"], dtype=dtype)
    pipeline = _load(
        diffusers.StableDiffusionControlNetPipeline,
        folders["model"],
        controlnet=controlnet,
        dtype=dtype,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    theirs, ours = pipeline.unet.config, controlnet.config
    if theirs.cross_attention_dim != ours.cross_attention_dim:
        raise ConfigError(
            f"the ControlNet {settings.controlnet} reads text of {ours.cross_attention_dim} "
            f"channels, the model {settings.model} has {theirs.cross_attention_dim}: use a tile "
            "ControlNet made for that model"
        )
    lcm = isinstance(pipeline.scheduler, diffusers.LCMScheduler)
    if "lora" in folders:
        _add_lora(pipeline, folders["lora"])
        lcm = True
    return pipeline, lcm


def _add_lora(pipeline: Any, found: Path) -> None:  # noqa: ANN401 - diffusers ships no types
    try:
        import peft  # noqa: F401 - what diffusers loads adapters with
    except ImportError as error:
        raise MissingExtraError("An LCM adapter", package="peft", extra="sd") from error
    folder, file = (found.parent, found.name) if found.is_file() else (found, _LORA_FILE)

    def adapt(path: Path, **options: Any) -> None:  # noqa: ANN401 - passed on
        pipeline.load_lora_weights(path, weight_name=file, **options)
        pipeline.fuse_lora()
        pipeline.unload_lora_weights()

    _run(adapt, folder)


def _place(pipeline: Any, settings: SdSettings, device: str) -> None:  # noqa: ANN401 - diffusers ships no types
    pipeline.set_progress_bar_config(disable=True)
    pipeline.vae.enable_tiling()  # of pictures beyond the size that it was trained on
    if settings.memory != "plain":
        pipeline.enable_attention_slicing()
    if settings.memory == "offload":
        try:
            pipeline.enable_model_cpu_offload(device=device)
        except ImportError as error:
            raise MissingExtraError("Offloading", package="accelerate", extra="sd") from error
    else:
        pipeline.to(device)


def _load(kind: Any, folder: Path, **options: Any) -> Any:  # noqa: ANN401 - diffusers ships no types
    return _run(kind.from_pretrained, folder, local_files_only=True, **options)


def _run(load: Callable[..., Any], folder: Path, **options: Any) -> Any:  # noqa: ANN401 - diffusers ships no types
    """Load; tell in one sentence what does not fit.

    Weights in pickles, as the tile ControlNet has them on the hub, are read by torch's
    `weights_only` reader, which runs no code.
    """
    import safetensors

    try:
        return load(folder, **options)
    except (
        *(AttributeError, KeyError, OSError, RuntimeError, TypeError, ValueError),
        safetensors.SafetensorError,
    ) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise PackError(
            f"the model in {folder} does not load ({lines[0].rstrip(' .')}); "
            "download or save it again"
        ) from error


def _fingerprint(found: Path) -> str:
    """Tell versions apart: the hub's commit, else a hash of sizes and of what files begin with."""
    if found.parent.name == "snapshots":
        return found.name[:12]
    digest = hashlib.sha256()
    files = [found] if found.is_file() else sorted(found.rglob("*"))
    for path in files:
        if path.is_file():
            with path.open("rb") as file:
                digest.update(f"{path.name}:{path.stat().st_size}:".encode() + file.read(_HEAD))
    return digest.hexdigest()[:12]


@contextmanager
def _offline() -> Iterator[None]:
    """Keep the hub's client from the network, whatever is missing, and the libraries quiet."""
    import huggingface_hub
    import transformers

    before = huggingface_hub.constants.HF_HUB_OFFLINE
    huggingface_hub.constants.HF_HUB_OFFLINE = True
    for library in (diffusers, transformers):
        library.utils.logging.disable_progress_bar()
        library.utils.logging.set_verbosity_error()
    try:
        yield
    finally:
        huggingface_hub.constants.HF_HUB_OFFLINE = before
