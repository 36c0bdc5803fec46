"""Make a checkpoint of a pack, to train on from what was shipped.

    python -m training.codec_restore --codec PACK/codec --work DIR

Weights come back as they were rounded for the pack: to float16, the entropy nets to int16. There is
no state of an optimiser, so it warms up. `training.codec_recipe` goes on at its stage "revived".
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor

from misc_shared.codec.integer_net import ACTIVATION_BITS
from misc_shared.codec.layout import LATENT_CHANNELS, QUALITIES
from training.codec_export import LOG_SCALE_STEP, LOWEST_LOG_SCALE, Arrays
from training.codec_grow import grow
from training.codec_model import Codec, anchor_weights
from training.loop import save_whole


def network_state(path: Path, prefix: str) -> dict[str, Tensor]:
    """Read the weights of an exported network, named as in torch after `prefix`."""
    state = {}
    for tensor in onnx.load(path).graph.initializer:
        name = tensor.name.removesuffix("_half")
        if name.endswith((".weight", ".bias")):
            values = numpy_helper.to_array(tensor).astype(np.float32)
            state[f"{prefix}.{name}"] = torch.from_numpy(values)
    return state


def entropy_state(arrays: Arrays, layer: int) -> dict[str, Tensor]:
    """Undo `codec_export.integer_net`: floats that round to the same integers."""
    part = {
        name.removeprefix(f"net{layer}."): value.astype(np.float64)
        for name, value in arrays.items()
        if name.startswith(f"net{layer}.")
    }
    b1 = part["shifts"][0] + ACTIVATION_BITS
    b2 = part["shifts"][1]
    b3 = part["shifts"][3] - ACTIVATION_BITS
    first = np.concatenate([part["own"], part["coarser"]], -1).transpose(2, 3, 0, 1) / 2**b1
    second = part["second"].transpose(2, 3, 0, 1) / 2**b2
    last = part["last"] / 2**b3
    last_bias = part["last_bias"][:, 0] / 2 ** (b3 + ACTIVATION_BITS)
    channels = LATENT_CHANNELS[layer]
    last[channels:] *= LOG_SCALE_STEP
    last_bias[channels:] = last_bias[channels:] * LOG_SCALE_STEP + LOWEST_LOG_SCALE
    values = {
        "first.weight": first,
        # The export adds it to the bias of each quality, so it may all stand there.
        "first.bias": np.zeros(len(first)),
        "second.weight": second,
        "second.bias": part["second_bias"][:, 0, 0] / 2 ** (b2 + ACTIVATION_BITS),
        "last.weight": last[:, :, None, None],
        "last.bias": last_bias,
        "quality": at_anchors(part["first_bias"] / 2**b1),
    }
    return {
        f"entropy.{layer}.{name}": torch.from_numpy(value.astype(np.float32))
        for name, value in values.items()
    }


def at_anchors(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the rows [ANCHORS, ...] between which those of all qualities were interpolated."""
    weights = anchor_weights(torch.linspace(0, 1, QUALITIES)).double().numpy()
    found: NDArray[np.float64] = np.linalg.lstsq(weights, rows, rcond=None)[0]
    return found


def restore(folder: Path) -> Codec:
    """Load the codec of a pack's folder into torch.

    Args:
        folder: holds analysis.onnx, synthesis.onnx and entropy.npz.

    Raises:
        RuntimeError: The networks are not of the present shape, nor of one that grows into it.
    """
    with np.load(folder / "entropy.npz") as file:
        arrays: Arrays = dict(file)
    state = network_state(folder / "analysis.onnx", "analysis")
    state |= network_state(folder / "synthesis.onnx", "synthesis")
    for layer in range(len(LATENT_CHANNELS)):
        state |= entropy_state(arrays, layer)
        gains = np.log(arrays[f"gain{layer}"].astype(np.float64))
        state[f"log_gains.{layer}"] = torch.from_numpy(at_anchors(gains).astype(np.float32))
    return grow(state).eval()


def main() -> None:
    """Parse the command line and write the checkpoint."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--codec", type=Path, required=True, help="the pack's codec folder")
    parser.add_argument("--work", type=Path, required=True, help="folder for codec.pt")
    args = parser.parse_args()
    weights = restore(args.codec).state_dict()
    card = json.loads((args.codec / "card.json").read_text())
    args.work.mkdir(parents=True, exist_ok=True)
    state = {"model": weights, "average": weights, "optimiser": {}, "stage": "revived"}
    clock = {"step": card["steps"], "joined_step": card["steps"], "spent": card["hours"] * 3600}
    save_whole(state | clock | {"stage_step": 0, "stage_spent": 0.0}, args.work / "codec.pt")


if __name__ == "__main__":
    main()
