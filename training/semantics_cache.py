"""Decodes the photographs once, and asks the teacher about each once.

Writes three files to a cache folder outside the repository:

    names.json      the image names, in the order of the other two
    pictures.npy    uint8 [N, 176, 176, 3], stretched to a square
    teacher.npy     int8 [N, 320, 7, 7]: the last bottleneck of a MobileNetV2 (ImageNet)

The teacher's own weights never reach the pack: the network only learns to agree with its features.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["CACHE_SIDE", "TEACHER_CHANNELS", "TEACHER_SIDE", "Cache", "build_cache", "open_cache"]

CACHE_SIDE = 176
TEACHER_CHANNELS = 320
TEACHER_SIDE = 7
_TEACHER_INPUT = 224
_TEACHER_TENSOR = "expanded_conv_17/project"
_GROUP = 64


class Cache:
    """The decoded photographs and the teacher's features, memory-mapped.

    Attributes:
        names: image names such as "flickr8k/1000268201_693b08cb0e.webp".
        pictures: uint8 [N, 176, 176, 3].
        teacher: int8 [N, 320, 7, 7].
    """

    def __init__(self, folder: Path) -> None:
        self.names: list[str] = json.loads((folder / "names.json").read_text())
        self.pictures: NDArray[np.uint8] = np.load(folder / "pictures.npy", mmap_mode="r")
        self.teacher: NDArray[np.int8] = np.load(folder / "teacher.npy", mmap_mode="r")


def open_cache(data: Path, teachers: Path, folder: Path, *, processes: int) -> Cache:
    """Open the cache, building it first if it is not there."""
    if not (folder / "names.json").exists():
        build_cache(data, teachers, folder, processes=processes)
    return Cache(folder)


def build_cache(data: Path, teachers: Path, folder: Path, *, processes: int) -> None:
    """Decode every photograph in `data` and run the teacher on it (about 40 ms each).

    Args:
        data: folder with the photo tars.
        teachers: folder with `mobilenet_v2_ptq.tflite`.
        folder: where to write; made if absent.
        processes: how many cores to use.
    """
    folder.mkdir(parents=True, exist_ok=True)
    members = [stored for tar in sorted(data.glob("*.tar")) for stored in _images_in(tar)]
    count = len(members)
    pictures = np.lib.format.open_memmap(
        folder / "pictures.npy", "w+", np.uint8, (count, CACHE_SIDE, CACHE_SIDE, 3)
    )
    features = np.lib.format.open_memmap(
        folder / "teacher.npy", "w+", np.int8, (count, TEACHER_CHANNELS, TEACHER_SIDE, TEACHER_SIDE)
    )
    groups = [members[start : start + _GROUP] for start in range(0, count, _GROUP)]
    model = str(teachers / "mobilenet_v2_ptq.tflite")
    with multiprocessing.Pool(processes, _start_teacher, (model,)) as pool:
        for index, (squares, answers) in enumerate(pool.imap(_decode_group, groups)):
            start = index * _GROUP
            pictures[start : start + len(squares)] = squares
            features[start : start + len(answers)] = answers
            if index % 16 == 0:
                print(f"cache {start}/{count}", flush=True)
    pictures.flush()
    features.flush()
    # Last, so that its presence says that the other two are whole.
    (folder / "names.json").write_text(json.dumps([stored.name for stored in members]))


@dataclass(frozen=True)
class _Stored:
    """Where a picture's bytes lie, so that no process has to walk through a tar again."""

    tar: Path
    name: str
    offset: int
    size: int

    def read(self) -> bytes:
        with self.tar.open("rb") as stream:
            stream.seek(self.offset)
            return stream.read(self.size)


def _images_in(tar: Path) -> list[_Stored]:
    with tarfile.open(tar) as archive:
        members = [member for member in archive.getmembers() if member.name.endswith(".webp")]
    return [_Stored(tar, member.name, member.offset_data, member.size) for member in members]


class _Teacher:
    """One interpreter per process; interpreters can't be pickled."""

    interpreter: Any = None
    tensor: int = -1


def _start_teacher(model: str) -> None:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    # Tensors inside the graph can be read only without the fused delegate.
    interpreter = Interpreter(
        model,
        num_threads=1,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    named = [d for d in interpreter.get_tensor_details() if _TEACHER_TENSOR in d["name"]]
    shape = [1, TEACHER_SIDE, TEACHER_SIDE, TEACHER_CHANNELS]
    _Teacher.tensor = next(d["index"] for d in named if list(d["shape"]) == shape)
    _Teacher.interpreter = interpreter


def _decode_group(members: list[_Stored]) -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
    squares, answers = [], []
    for stored in members:
        picture = Image.open(io.BytesIO(stored.read())).convert("RGB")
        squares.append(
            np.asarray(picture.resize((CACHE_SIDE, CACHE_SIDE), Image.Resampling.BICUBIC))
        )
        answers.append(_ask_teacher(picture))
    return np.stack(squares), np.stack(answers)


def _ask_teacher(picture: Image.Image) -> NDArray[np.int8]:
    side = (_TEACHER_INPUT, _TEACHER_INPUT)
    square = np.asarray(picture.resize(side, Image.Resampling.BICUBIC))
    _Teacher.interpreter.set_tensor(
        _Teacher.interpreter.get_input_details()[0]["index"], square[None]
    )
    _Teacher.interpreter.invoke()
    features: NDArray[np.int8] = _Teacher.interpreter.get_tensor(_Teacher.tensor)[0]
    return features.transpose(2, 0, 1)
