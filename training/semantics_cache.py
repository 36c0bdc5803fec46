"""Decodes the photographs once, and asks the teacher about each once.

Writes to a cache folder outside the repository:

    names.json      the image names, in the order of the others
    pictures.npy    uint8 [N, 168, 168, 3], stretched to a square
    near.npy        int8 [N, 28, 28, 32]: block 6 of a MobileNetV2 (ImageNet) at 224 x 224
    mid.npy         int8 [N, 14, 14, 96]: its block 13
    deep.npy        int8 [N, 7, 7, 320]: its block 17
    whole.npy       int8 [N, 1280]: what its classifier reads

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

__all__ = ["CACHE_SIDE", "TEACHER_SHAPES", "Cache", "build_cache", "open_cache"]

CACHE_SIDE = 168
TEACHER_SHAPES: dict[str, tuple[int, ...]] = {
    "near": (28, 28, 32),
    "mid": (14, 14, 96),
    "deep": (7, 7, 320),
    "whole": (1280,),
}
"""The teacher's features by name, channels last."""

_TENSORS = {
    "near": "expanded_conv_6/add",
    "mid": "expanded_conv_13/add",
    "deep": "expanded_conv_17/project",
    "whole": "top/Reshape",
}
_TEACHER_INPUT = 224
_GROUP = 64


class Cache:
    """The decoded photographs and the teacher's features, memory-mapped.

    Attributes:
        names: image names such as "flickr8k/1000268201_693b08cb0e.webp".
        pictures: uint8 [N, 168, 168, 3].
        teacher: int8 [N, ...] by the names and shapes of `TEACHER_SHAPES`.
    """

    def __init__(self, folder: Path) -> None:
        self.names: list[str] = json.loads((folder / "names.json").read_text())
        self.pictures: NDArray[np.uint8] = np.load(folder / "pictures.npy", mmap_mode="r")
        self.teacher: dict[str, NDArray[np.int8]] = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in TEACHER_SHAPES
        }


def open_cache(data: Path, teachers: Path, folder: Path, *, processes: int) -> Cache:
    """Open the cache, building it first if it is not there."""
    if not (folder / "names.json").exists():
        build_cache(data, teachers, folder, processes=processes)
    return Cache(folder)


def build_cache(data: Path, teachers: Path, folder: Path, *, processes: int) -> None:
    """Decode every photograph in `data` and run the teacher on it (about 20 ms each).

    Args:
        data: folder with the photo tars.
        teachers: folder with `mobilenet_v2_ptq.tflite`.
        folder: where to write; made if absent.
        processes: how many cores to use.
    """
    folder.mkdir(parents=True, exist_ok=True)
    members = [stored for tar in sorted(data.glob("*.tar")) for stored in _images_in(tar)]
    count = len(members)
    pictures = _create(folder / "pictures.npy", np.uint8, (count, CACHE_SIDE, CACHE_SIDE, 3))
    features = {
        name: _create(folder / f"{name}.npy", np.int8, (count, *shape))
        for name, shape in TEACHER_SHAPES.items()
    }
    groups = [members[start : start + _GROUP] for start in range(0, count, _GROUP)]
    model = teachers / "mobilenet_v2_ptq.tflite"
    with multiprocessing.Pool(processes, _start_teacher, (model,)) as pool:
        for index, (squares, answers) in enumerate(pool.imap(_decode_group, groups)):
            chosen = slice(index * _GROUP, index * _GROUP + len(squares))
            pictures[chosen] = squares
            for name, array in features.items():
                array[chosen] = answers[name]
            if index % 16 == 0:
                print(f"cache {chosen.start}/{count}", flush=True)
    for array in (pictures, *features.values()):
        array.flush()
    # Last, so that its presence says that the others are whole.
    (folder / "names.json").write_text(json.dumps([stored.name for stored in members]))


def _create(path: Path, kind: type[np.generic], shape: tuple[int, ...]) -> np.memmap[Any, Any]:
    return np.lib.format.open_memmap(path, "w+", kind, shape)


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


def _start_teacher(model: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter

    content = _with_outputs(model.read_bytes())
    _Teacher.interpreter = Interpreter(model_content=content, num_threads=1)
    _Teacher.interpreter.allocate_tensors()


def _with_outputs(content: bytes) -> bytes:
    """Make the tensors that we learn from outputs, as fused graphs keep no others."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    graph = model.subgraphs[0]
    chosen = []
    for name, wanted in _TENSORS.items():
        size = int(np.prod(TEACHER_SHAPES[name]))
        chosen.append(
            next(
                place
                for place, tensor in enumerate(graph.tensors)
                if wanted in tensor.name.decode() and int(np.prod(tensor.shape)) == size
            )
        )
    graph.outputs = np.array(chosen, np.int32)
    model.signatureDefs = None
    builder = flatbuffers.Builder(1 << 22)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _decode_group(
    members: list[_Stored],
) -> tuple[NDArray[np.uint8], dict[str, NDArray[np.int8]]]:
    squares, answers = [], []
    for stored in members:
        picture = Image.open(io.BytesIO(stored.read())).convert("RGB")
        squares.append(_square(picture, CACHE_SIDE))
        answers.append(_ask_teacher(picture))
    together = {name: np.stack([one[name] for one in answers]) for name in TEACHER_SHAPES}
    return np.stack(squares), together


def _square(picture: Image.Image, side: int) -> NDArray[np.uint8]:
    return np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC))


def _ask_teacher(picture: Image.Image) -> dict[str, NDArray[np.int8]]:
    interpreter = _Teacher.interpreter
    place = interpreter.get_input_details()[0]["index"]
    interpreter.set_tensor(place, _square(picture, _TEACHER_INPUT)[None])
    interpreter.invoke()
    places = [detail["index"] for detail in interpreter.get_output_details()]
    return {
        name: interpreter.get_tensor(place).reshape(shape)
        for place, (name, shape) in zip(places, TEACHER_SHAPES.items(), strict=True)
    }
