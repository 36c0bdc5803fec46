"""What `misc-recv` says, as a program of its own, when it cannot refine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from misc_sender.cli import app
from misc_shared.packs import load_pack

# Loading torch on a busy machine takes minutes.
pytestmark = pytest.mark.timeout(600)

RECEIVE = "import sys; sys.argv[0] = 'misc-recv'; from misc_receiver.cli import app; app()"


@pytest.fixture(scope="module")
def recording(small_photo: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a recording of one picture."""
    folder = tmp_path_factory.mktemp("recording")
    Image.fromarray(small_photo).save(folder / "photo.png")
    path = folder / "photo.misc"
    command = [str(folder / "photo.png"), "--to", f"file:{path}", "--semantics", "none"]
    result = CliRunner().invoke(app, [*command, "--bytes", "600"])
    assert result.exit_code == 0, result.output
    return path


def _receive(recording: Path, *options: str, **environment: str) -> str:
    """Give the one line on standard error; the exit code must be that of a local fault."""
    ended = subprocess.run(
        [sys.executable, "-c", RECEIVE, "--from", f"file:{recording}", *options],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    assert ended.returncode == 2, ended.stderr
    (line,) = ended.stderr.splitlines()
    return line


def test_gpu_without_cuda(recording: Path) -> None:
    """The sentence says what is missing and what to do without."""
    said = _receive(recording, "--gpu", CUDA_VISIBLE_DEVICES="")
    assert said.startswith("misc-recv: no CUDA device is usable")
    assert "without --gpu" in said


def test_stable_diffusion_without_weights(recording: Path, tmp_path: Path) -> None:
    """The sentence has the command that fetches them, and nothing was fetched."""
    said = _receive(recording, "--refiner", "sd", HF_HOME=str(tmp_path))
    assert (
        "stable-diffusion-v1-5/stable-diffusion-v1-5 of --sd-model is not on this machine" in said
    )
    assert "hf download stable-diffusion-v1-5/stable-diffusion-v1-5" in said
    assert not list(tmp_path.rglob("*.safetensors"))


@pytest.mark.parametrize(
    "file", ["codec/synthesis.onnx", "refiner/diffusion_pytorch_model.safetensors"]
)
def test_a_corrupted_pack(recording: Path, file: str, tmp_path: Path) -> None:
    """One flipped bit is found, and the file is named."""
    pack = tmp_path / "pack"
    shutil.copytree(load_pack().path, pack)
    data = bytearray((pack / file).read_bytes())
    data[len(data) // 2] ^= 1
    (pack / file).write_bytes(data)
    said = _receive(recording, "--pack", str(pack))
    assert f"{file} is damaged" in said
    assert "restore the pack" in said
