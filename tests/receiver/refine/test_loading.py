"""Refiners by name, and what is said when one is not to be had."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.receiver.refine.tiny import make_request, refine, save_component, tiny_network

from misc_receiver.refine import Refiner, load_refiner
from misc_shared.errors import ConfigError, PackError
from misc_shared.packs import Component, Pack, write_card

WITHOUT_TORCH = """
import sys
from pathlib import Path
sys.modules["torch"] = None
from misc_receiver.refine import load_refiner
from misc_shared.errors import MissingExtraError
from misc_shared.packs import Component
try:
    load_refiner("nano", component=Component("refiner", Path("nowhere"), {}, b""))
except MissingExtraError as error:
    print(error)
"""

IMPORT_ONLY = """
import sys
from misc_receiver.refine import load_refiner
load_refiner("none")
print(sorted({"torch", "diffusers"} & set(sys.modules)))
"""


def _python(program: str) -> str:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_importing_the_package_imports_no_torch() -> None:
    """A command line answers --help at once, and "none" works without the extra."""
    assert _python(IMPORT_ONLY) == "[]"


def test_without_torch_one_sentence_names_the_extra() -> None:
    """The command that mends it is in the message."""
    said = _python(WITHOUT_TORCH)
    assert "torch" in said
    assert "pip install 'misc-streaming[receiver]'" in said


def test_none_gives_the_coarse_picture() -> None:
    """One step, final, unchanged."""
    request = make_request(20, 30)
    (step,) = load_refiner("none").refine(request, steps=4, seed=0)
    assert step.final
    assert step.passed_guard
    assert np.array_equal(step.pixels, request.coarse)


def test_weights_are_run_in_single_precision_on_a_cpu(tiny_component: Component) -> None:
    """The pack holds halves, which CPUs compute slowly."""
    refiner = load_refiner("nano", component=tiny_component, device="cpu")
    again = load_refiner("nano", component=tiny_component)
    request = make_request(32, 32)
    assert np.array_equal(refine(refiner, request).pixels, refine(again, request).pixels)
    assert next(iter(refiner._network.parameters())).dtype == torch.float32  # type: ignore[attr-defined] # noqa: SLF001


@pytest.mark.parametrize(
    ("name", "device", "said"), [("gan", "cpu", "'gan'"), ("nano", "tpu", "'tpu'")]
)
def test_unknown_names_are_refused(name: str, device: str, said: str) -> None:
    """The message repeats what was found and lists what there is."""
    with pytest.raises(ConfigError, match=said):
        load_refiner(name, device=device)


def test_a_pack_without_refiner_is_named() -> None:
    """Nano needs weights."""
    with pytest.raises(PackError, match="needs a pack"):
        load_refiner("nano")


def test_no_cuda_is_one_sentence(
    tiny_component: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine without a CUDA device, asking for one says what is missing."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="no CUDA device is usable"):
        load_refiner("nano", component=tiny_component, device="cuda")


@pytest.mark.parametrize(
    "damage",
    [
        ("diffusion_pytorch_model.safetensors", b"no weights"),
        ("config.json", b"{"),
        ("config.json", b'{"_class_name": "NanoNetwork", "block_out_channels": [32, 32]}'),
        ("scheduler_config.json", b"{"),
    ],
)
def test_files_that_do_not_fit_are_a_pack_error(tmp_path: Path, damage: tuple[str, bytes]) -> None:
    """A card may vouch for files that this version can't read."""
    component = save_component(tmp_path / "refiner", tiny_network())
    (component.path / damage[0]).write_bytes(damage[1])
    write_card(
        component.path,
        fields={key: component.card[key] for key in component.card if key != "files"},
    )
    with pytest.raises(PackError, match="does not load"):
        load_refiner("nano", component=Pack(tmp_path).component("refiner"))


def test_the_tiny_refiner_satisfies_the_protocol(tiny_refiner: Refiner) -> None:
    """What is loaded is what the pipeline was promised."""
    assert callable(tiny_refiner.refine)
