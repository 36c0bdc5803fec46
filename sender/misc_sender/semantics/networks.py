"""Runs the two nano networks with onnxruntime."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from misc_sender.semantics.drawing import MAP_SIDE
from misc_shared.errors import PackError
from misc_shared.packs import Component

__all__ = ["CaptionNetwork", "Sight", "SightNetwork"]


@dataclass(frozen=True)
class Sight:
    """What the network sees in one picture, for W nouns.

    Attributes:
        present: float32 [W], probability that the noun is in the picture.
        patches: float32 [W, 20, 20], score (logit) of the noun at each patch.
        summary: float32 [768], pooled features.
        colours: float32 [32, 32, 3], RGB in 0..1, the picture's mean colours.
        familiar: probability that the picture is like those that the captioner learned from.
    """

    present: NDArray[np.float32]
    patches: NDArray[np.float32]
    summary: NDArray[np.float32]
    colours: NDArray[np.float32]
    familiar: float


class SightNetwork:
    """Picture in, noun scores out.

    Args:
        component: the pack component with `sight.onnx`.
        threads: processor cores to use.

    Raises:
        PackError: the model does not load.
    """

    def __init__(self, component: Component, *, threads: int) -> None:
        self._session = _open(component.file("sight.onnx"), threads=threads)
        *_, rows, columns = self._session.get_inputs()[0].shape
        self._size = (columns, rows)

    def __call__(self, image: NDArray[np.uint8]) -> Sight:
        """Look at a picture, uint8 [H, W, 3] RGB, stretched to a square as in training."""
        picture = Image.fromarray(image)
        square = picture.resize(self._size, Image.Resampling.BICUBIC)
        pixels = np.asarray(square, np.float32).transpose(2, 0, 1)[None] / 255
        logits, patches, summary, familiar = self._session.run(None, {"picture": pixels})
        present = _sigmoid(logits[0])
        small = picture.resize((MAP_SIDE, MAP_SIDE), Image.Resampling.BOX, reducing_gap=2.0)
        colours: NDArray[np.float32] = np.asarray(small, np.float32) / np.float32(255)
        known = float(_sigmoid(familiar[0, 0]))
        return Sight(present.astype(np.float32), patches[0], summary[0], colours, known)


class CaptionNetwork:
    """Predicts a caption's next word.

    Args:
        component: the pack component with `caption_start.onnx` and `caption_step.onnx`.
        threads: processor cores to use.

    Raises:
        PackError: a model does not load.
    """

    def __init__(self, component: Component, *, threads: int) -> None:
        self._start = _open(component.file("caption_start.onnx"), threads=threads)
        self._step = _open(component.file("caption_step.onnx"), threads=threads)

    def start(self, sight: Sight) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the context [1, 192] and the first state [1, 320] for a picture."""
        description = np.concatenate([sight.summary, sight.present])[None]
        context, state = self._start.run(None, {"description": description})
        return context, state

    def step(
        self,
        tokens: NDArray[np.int64],
        context: NDArray[np.float32],
        state: NDArray[np.float32],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Advance B captions by one word.

        Args:
            tokens: int64 [B], the word before.
            context: float32 [B, 192].
            state: float32 [B, 320].

        Returns:
            Log probabilities [B, tokens] and the next states [B, 320].
        """
        inputs = {"token": tokens, "context": context, "state": state}
        likelihoods, following = self._step.run(None, inputs)
        return likelihoods, following


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = 1 / (1 + np.exp(-logits.clip(-30, 30)))
    return result


def _open(path: Path, *, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises bare exceptions of its own C++ kinds
        raise PackError(
            f"semantics model {path} does not load ({error}); reinstall the pack"
        ) from error
