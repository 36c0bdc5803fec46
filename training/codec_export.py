"""Turn a codec checkpoint into a pack component: `python -m training.codec_export --help`.

The entropy nets are rounded to integers, the tables are counted on what the exported networks
really produce on training photographs, and ONNX is compared with torch.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from misc_shared.codec.encoder import ImageEncoder
from misc_shared.codec.entropy_model import FRACTIONS, TABLE_BITS, EntropyModel
from misc_shared.codec.integer_net import ACTIVATION_BITS, MEAN_BITS, SCALE_COUNT
from misc_shared.codec.layout import LATENT_CHANNELS, QUALITIES
from misc_shared.packs import Component, write_card
from training.codec_model import Codec, EntropyNet, anchor_weights
from training.data import PhotoStore

LOWEST_LOG_SCALE, LOG_SCALE_STEP = -3.0, 0.16
LONGEST_REACH = 40
# Weight of the logistic prior against the counts, in symbols.
PRIOR_WEIGHT = 200.0
CERTAIN = 0.993
DATA = {
    "photographs": 5073,
    "sets": [
        "imagenet-sample-images",
        "imagen",
        "NIPS 2017 attack set",
        "CID22 training",
        "CLIC 2025 validation crops",
        "houses",
        "clothing",
        "weather",
        "Caltech 101",
        "Wikimedia crops",
    ],
}

Arrays = dict[str, NDArray[np.generic]]


def weight_bits(weight: NDArray[np.float64]) -> int:
    """Most fractional bits, at most 12, with which all weights fit an int16."""
    return min(12, int(np.floor(np.log2(32767 / max(np.abs(weight).max(), 1e-9)))))


def integer_net(net: EntropyNet, layer: int) -> Arrays:
    """Round one entropy net to the arrays that IntegerNet loads."""
    own = LATENT_CHANNELS[layer] + 1
    first, second, last = (
        m.weight.detach().double().numpy() for m in (net.first, net.second, net.last)
    )
    biases = [m.bias.detach().double().numpy() for m in (net.first, net.second, net.last)]
    blend = anchor_weights(torch.linspace(0, 1, QUALITIES)).double() @ net.quality.detach().double()
    channels = LATENT_CHANNELS[layer]
    head, head_bias = last[:, :, 0, 0].copy(), biases[2].copy()
    head[channels:] /= LOG_SCALE_STEP
    head_bias[channels:] = (head_bias[channels:] - LOWEST_LOG_SCALE) / LOG_SCALE_STEP
    b1, b2, b3 = weight_bits(first), weight_bits(second), weight_bits(head)
    at2, at3 = b2 + ACTIVATION_BITS, b3 + ACTIVATION_BITS
    kernel = np.rint(first * 2.0**b1).transpose(2, 3, 0, 1)
    arrays = {
        "own": kernel[..., :own].astype(np.int16),
        "coarser": kernel[..., own:].astype(np.int16),
        "first_bias": np.rint((biases[0] + blend.numpy()) * 2.0**b1).astype(np.int32),
        "second": np.rint(second * 2.0**b2).transpose(2, 3, 0, 1).astype(np.int16),
        "second_bias": np.rint(biases[1] * 2.0**at2)[:, None, None].astype(np.int32),
        "last": np.rint(head * 2.0**b3).astype(np.int16),
        "last_bias": np.rint(head_bias * 2.0**at3)[:, None].astype(np.int32),
        "shifts": np.array([b1 - ACTIVATION_BITS, b2, at3 - MEAN_BITS, at3], np.int8),
    }
    return {f"net{layer}.{name}": value for name, value in arrays.items()}


def logistic_tables(reach: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    """Starting probabilities of every table: a logistic around the fraction, tails escaping."""
    rows = []
    for number in range(FRACTIONS * SCALE_COUNT):
        mean = (number // SCALE_COUNT - FRACTIONS // 2) / FRACTIONS
        scale = np.exp(LOWEST_LOG_SCALE + LOG_SCALE_STEP * (number % SCALE_COUNT))
        edge = int(reach[number % SCALE_COUNT])
        cuts = np.arange(-edge, edge + 2) - 0.5 - mean
        below = 1 / (1 + np.exp(-np.clip(cuts / scale, -50, 50)))
        rows.append(np.diff(np.concatenate([[0.0], below, [1.0]])))
    return rows


def cumulative(probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """Integer cumulative counts over 1 << TABLE_BITS, every symbol at least 1 wide."""
    free = (1 << TABLE_BITS) - len(probabilities)
    widths = 1 + np.floor(probabilities / probabilities.sum() * free).astype(np.int64)
    widths[np.argmax(widths)] += (1 << TABLE_BITS) - widths.sum()
    return np.concatenate([[0], np.cumsum(widths)])


def table_arrays(rows: list[NDArray[np.float64]], reach: NDArray[np.int64]) -> Arrays:
    """Pack tables for entropy.npz; 1 << 16 wraps to 0 in uint16, which the reader knows."""
    tables = np.zeros((len(rows), 2 * LONGEST_REACH + 4), np.uint16)
    certain = np.zeros(len(rows), bool)
    for number, probabilities in enumerate(rows):
        counts = cumulative(probabilities)
        tables[number, : len(counts)] = counts.astype(np.uint16)
        certain[number] = probabilities[len(probabilities) // 2] / probabilities.sum() > CERTAIN
    return {"tables": tables, "reach": reach.astype(np.uint8), "certain": certain}


def half_weights(path: Path) -> None:
    """Store float weights as float16, cast back when the network is opened."""
    model = onnx.load(path)
    casts = []
    for index, tensor in enumerate(list(model.graph.initializer)):
        if tensor.data_type != onnx.TensorProto.FLOAT or np.prod(tensor.dims) < 64:
            continue
        name = tensor.name
        half = numpy_helper.from_array(
            numpy_helper.to_array(tensor).astype(np.float16), name + "_half"
        )
        model.graph.initializer[index].CopyFrom(half)
        casts.append(
            onnx.helper.make_node("Cast", [name + "_half"], [name], to=onnx.TensorProto.FLOAT)
        )
    for node in reversed(casts):
        model.graph.node.insert(0, node)
    forget_origin(model)
    onnx.save(model, path)


def forget_origin(model: onnx.ModelProto) -> None:
    """Drop what the exporter says of where operators came from: paths on this machine."""
    parts = (*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output)
    for part in (model, model.graph, *parts):
        del part.metadata_props[:]


def export_analysis(codec: Codec, path: Path) -> None:
    """Write the analysis network with free spatial size."""
    rows, columns = (torch.export.Dim(name, min=1, max=512) for name in ("rows", "columns"))
    network = torch.onnx.export(
        codec.analysis,
        (torch.rand(1, 3, 192, 256),),
        input_names=["picture"],
        output_names=["latent0", "latent1", "latent2"],
        dynamic_shapes=({2: 64 * rows, 3: 64 * columns},),
        dynamo=True,
        verbose=False,
    )
    network.save(path, external_data=False)
    half_weights(path)


def export_synthesis(codec: Codec, path: Path) -> None:
    """Write the synthesis network with free spatial size."""
    rows, columns = (torch.export.Dim(name, min=1, max=512) for name in ("rows", "columns"))
    latents = [torch.rand(1, c, 3 << i, 4 << i) for i, c in enumerate(LATENT_CHANNELS)]
    shapes = tuple({2: rows * (1 << i), 3: columns * (1 << i)} for i in range(3))
    network = torch.onnx.export(
        codec.synthesis,
        (*latents, torch.rand(1, 3)),
        input_names=["layer0", "layer1", "layer2", "controls"],
        output_names=["picture"],
        dynamic_shapes=(*shapes, None),
        dynamo=True,
        verbose=False,
    )
    network.save(path, external_data=False)
    half_weights(path)


def check_networks(codec: Codec, folder: Path) -> float:
    """Largest difference of ONNX from torch, in deviations, at another size than exported."""
    picture = torch.rand(1, 3, 320, 128)
    with torch.no_grad():
        expected = codec.analysis(picture)
        made = codec.synthesis(*expected, torch.ones(1, 3))
    found = ort.InferenceSession(folder / "analysis.onnx").run(None, {"picture": picture.numpy()})
    inputs = {f"layer{i}": part.numpy() for i, part in enumerate(expected)}
    synthesis = ort.InferenceSession(folder / "synthesis.onnx")
    (again,) = synthesis.run(None, {**inputs, "controls": np.ones((1, 3), np.float32)})
    pairs = [*zip(found, expected, strict=True), (again, made)]
    return max(float(np.abs(a - b.numpy()).max() / b.std()) for a, b in pairs)


def count_tables(
    encoder: ImageEncoder, arrays: Arrays, store: PhotoStore, pictures: int
) -> list[NDArray[np.float64]]:
    """Count symbols on training photographs at random sizes and qualities, on top of the prior."""
    rng = np.random.default_rng(7)
    reach = arrays["reach"].astype(np.int64)
    model = EntropyModel(arrays)
    counts = [np.zeros(2 * int(reach[n % SCALE_COUNT]) + 3) for n in range(FRACTIONS * SCALE_COUNT)]
    for _ in range(pictures):
        picture = store[int(rng.integers(len(store)))]
        quality = int(rng.integers(QUALITIES))
        integers, _ = encoder.quantise(encoder.analyse(picture, int(rng.integers(0, 5))), quality)
        for layer in range(3):
            for steps, table in model.distances(
                integers[layer], integers[:layer], layer=layer, quality=quality
            ):
                edge = reach[table % SCALE_COUNT]
                symbols = np.clip(steps, -edge - 1, edge + 1) + edge + 1
                for number in np.unique(table):
                    mine = symbols[table == number]
                    counts[number] += np.bincount(mine, minlength=len(counts[number]))
    return [
        row + PRIOR_WEIGHT * prior
        for row, prior in zip(counts, logistic_tables(reach), strict=True)
    ]


def entropy_arrays(codec: Codec) -> Arrays:
    """Everything of entropy.npz, with tables from the prior alone and nothing taken as certain."""
    arrays: Arrays = {}
    for layer, net in enumerate(codec.entropy):
        arrays |= integer_net(net, layer)
    weights = anchor_weights(torch.linspace(0, 1, QUALITIES))
    for layer, gain in enumerate(codec.gains(weights)):
        arrays[f"gain{layer}"] = gain.detach()[:, :, 0, 0].numpy().astype(np.float32)
    scales = np.exp(LOWEST_LOG_SCALE + LOG_SCALE_STEP * np.arange(SCALE_COUNT))
    reach = np.clip(np.ceil(6 * scales), 1, LONGEST_REACH).astype(np.int64)
    arrays |= table_arrays(logistic_tables(reach), reach)
    arrays["certain"] = np.zeros(FRACTIONS * SCALE_COUNT, bool)
    return arrays


def export(args: argparse.Namespace) -> None:
    """Write the whole component."""
    state = torch.load(args.work / "codec.pt", weights_only=True, map_location="cpu")
    codec = Codec().eval()
    codec.load_state_dict(state["average"])
    args.out.mkdir(parents=True, exist_ok=True)
    export_synthesis(codec, args.out / "synthesis.onnx")
    if not args.synthesis_only:
        export_analysis(codec, args.out / "analysis.onnx")
        export_entropy(codec, args)
    difference = check_networks(codec, args.out)
    print(f"ONNX differs from torch by at most {difference:.4f} standard deviations")
    _write(args, state, difference)


def export_entropy(codec: Codec, args: argparse.Namespace) -> None:
    """Write the integer nets, gains and tables; the analysis has to be there."""
    arrays = entropy_arrays(codec)
    store = PhotoStore(sorted(args.data.glob("photos-*.tar")), args.work / "photos")
    for _ in range(2 if args.pictures else 0):  # the second time with what the first found certain
        np.savez_compressed(args.out / "entropy.npz", **arrays)
        rows = count_tables(ImageEncoder(_uncarded(args.out)), arrays, store, args.pictures)
        arrays |= table_arrays(rows, arrays["reach"].astype(np.int64))
    np.savez_compressed(args.out / "entropy.npz", **arrays)


def _uncarded(folder: Path) -> Component:
    """The component under construction, before it has hashes."""
    return Component("codec", folder, {"files": {p.name: "" for p in folder.iterdir()}}, b"")


def _write(args: argparse.Namespace, state: dict[str, object], difference: float) -> None:
    metrics = json.loads(args.metrics.read_text()) if args.metrics else {}
    fields = {
        "component": "codec",
        "data": DATA,
        "teachers": [
            "SqueezeNet 1.1 (ImageNet) features as perceptual loss; no weight of it is here"
        ],
        "recipe": "python -m training.codec_recipe"
        + (", training.join" if state.get("joined_step") else ""),
        "steps": state["step"],
        "hours": round(float(str(state["spent"])) / 3600, 2),
        "hardware": args.hardware,
        "metrics": {"onnx_against_torch_in_deviations": round(difference, 5), **metrics},
        "licence": "Apache-2.0",
    }
    if args.history:
        fields["history"] = args.history.read_text().splitlines()
    write_card(args.out, fields=fields)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only the export asks for."""
    parser.add_argument(
        "--pictures", type=int, default=600, help="training pictures to count on; 0 keeps the prior"
    )
    parser.add_argument(
        "--synthesis-only",
        action="store_true",
        help="after the second stage: what is sent, and its tables, stay as they are",
    )
    parser.add_argument(
        "--history", type=Path, help="text for the card, a line each: how this run left the recipe"
    )
    parser.add_argument("--metrics", type=Path, help="JSON of held-out results for the card")
    parser.add_argument("--hardware", default="2 CPU cores, no GPU")


def main() -> None:
    """Parse the command line and export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--work", type=Path, required=True, help="folder of the checkpoint and the photo cache"
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of photos-*.tar")
    parser.add_argument("--out", type=Path, required=True, help="the pack's codec folder")
    add_arguments(parser)
    export(parser.parse_args())


if __name__ == "__main__":
    main()
