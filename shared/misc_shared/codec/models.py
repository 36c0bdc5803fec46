"""The codec's files in a pack, opened: ONNX networks, gains and the entropy model."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from misc_shared.codec.entropy_model import EntropyModel
from misc_shared.errors import PackError
from misc_shared.packs import Component

if TYPE_CHECKING:
    import onnxruntime as ort

__all__ = ["Gains", "open_entropy", "open_network"]

_M_MMAP_THRESHOLD: Final = -3  # of mallopt(3)
_LARGE: Final = 4 << 20

Gains = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def open_network(path: Path, *, threads: int) -> ort.InferenceSession:
    """Open an ONNX network on the CPU.

    Args:
        path: The .onnx file.
        threads: For the work inside one operator; 0 takes every core.

    Raises:
        PackError: ONNX Runtime refuses the file.
    """
    _return_large_blocks()
    # Here, because integers can be read from layers without it.
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Arena growth keeps the largest picture's memory for ever: an edge device has none to spare.
    options.enable_cpu_mem_arena = False
    # A thread that spins for its next operator takes the core from NumPy, which has the other half
    # of the work: on two cores 512x384 pixels took 108 ms to encode and 113 to decode instead of 66
    # and 80. Between pictures it would warm the device for nothing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        message = f"{path} does not open as an ONNX network: {error}; restore the pack"
        raise PackError(message) from error


@cache
def _return_large_blocks() -> None:
    """Have the C library give the memory of freed large blocks back at once, where it is glibc.

    It would raise the size from which it does so to that of the largest block ever freed. A large
    picture then leaves twice of what it needed behind, and the next one comes on top.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)


def open_entropy(component: Component) -> tuple[EntropyModel, Gains]:
    """Read entropy.npz: the entropy model, and the gains [32, C] of each layer by quality."""
    with np.load(component.file("entropy.npz")) as stored:
        arrays = {name: stored[name] for name in stored.files}
    gains = tuple(arrays[f"gain{layer}"].astype(np.float32) for layer in range(3))
    return EntropyModel(arrays), (gains[0], gains[1], gains[2])
