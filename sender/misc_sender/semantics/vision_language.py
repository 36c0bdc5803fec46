"""Asks a local vision-language model: any image-text-to-text model of transformers.

Models of a few hundred million parameters write no reliable JSON, so the paper's three parts are
three kinds of short question, each answered in plain words: names, then a detail of each, then a
description of the whole.
"""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from misc_sender.semantics.hub import load_local
from misc_sender.semantics.torch_door import torch, transformers
from misc_sender.semantics.wording import fit_items, fit_semantics
from misc_shared.errors import ConfigError, SemanticsError
from misc_shared.semantics import MAX_NAME_WORDS, Semantics

__all__ = ["DEFAULT_MODEL", "VisionLanguageSemantics", "parse_names"]

DEFAULT_MODEL = "HuggingFaceTB/SmolVLM-256M-Instruct"

_ITEMS = 3
_MAX_SIDE = 512  # pixels
_NAMES = (
    f"Name the {_ITEMS} most important things in this picture, the most important first, "
    "with commas between them and nothing else."
)
_DETAIL = "In at most ten words, what does the {name} look like and where is it?"
_CAPTION = "Describe this picture in one sentence."
_NAMES_TOKENS, _DETAIL_TOKENS, _CAPTION_TOKENS = 32, 24, 80

_BETWEEN = re.compile(r",|;|\n|\band\b")
_NUMBER = re.compile(r"^\W*(?:\d+\W+)?")


class VisionLanguageSemantics:
    """Describes pictures with a model on this machine; it gives no maps.

    Args:
        model: a hub name whose files are in the hub's cache, or a folder.

    Raises:
        PackError: the model's files are missing.
        ConfigError: the model is not one that answers questions about a picture.
    """

    def __init__(self, model: str = DEFAULT_MODEL) -> None:
        kind = "an image-text-to-text model"
        self._name = model
        network = load_local(
            transformers.AutoModelForImageTextToText.from_pretrained, model, kind=kind
        )
        self._processor = load_local(transformers.AutoProcessor.from_pretrained, model, kind=kind)
        if getattr(self._processor, "chat_template", None) is None:
            raise ConfigError(
                f"model {model} has no chat template, so it takes no questions; "
                "name one that was trained on instructions"
            )
        self._see_the_whole()
        on_gpu = torch.cuda.is_available()
        self._device = torch.device("cuda" if on_gpu else "cpu")
        self._dtype = torch.bfloat16 if on_gpu else torch.float32
        self._network = network.to(device=self._device, dtype=self._dtype).eval()
        self._closed = threading.Event()

    def describe(self, image: NDArray[np.uint8], *, path: Path | None = None) -> Semantics:  # noqa: ARG002
        """Ask the paper's three parts; seconds on a processor. The same picture, the same words.

        Args:
            image: uint8 [H, W, 3], RGB; at most 512 pixels a side of it are looked at.
            path: not used.

        Raises:
            SemanticsError: the model's words are no description.
        """
        picture = Image.fromarray(image)
        picture.thumbnail((_MAX_SIDE, _MAX_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
        names = parse_names(self._answer(picture, _NAMES, tokens=_NAMES_TOKENS))
        if not names:
            raise SemanticsError(
                f"{self._name} named nothing in at most {MAX_NAME_WORDS} words each"
            )
        details = [
            self._answer(picture, _DETAIL.format(name=name), tokens=_DETAIL_TOKENS)
            for name in names
        ]
        caption = self._answer(picture, _CAPTION, tokens=_CAPTION_TOKENS)
        return fit_semantics(zip(names, details, strict=True), caption)

    def close(self) -> None:
        """End an answer that is being written, after the word that is being thought of."""
        self._closed.set()

    def _see_the_whole(self) -> None:
        """Have SmolVLM's kind of model see one view of 512 pixels, not that and 16 close-ups."""
        views = getattr(self._processor, "image_processor", None)
        if views is not None and hasattr(views, "do_image_splitting"):
            views.do_image_splitting = False

    def _answer(self, picture: Image.Image, question: str, *, tokens: int) -> str:
        asked = [{"type": "image", "image": picture}, {"type": "text", "text": question}]
        inputs = self._processor.apply_chat_template(
            [{"role": "user", "content": asked}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        ).to(self._device, dtype=self._dtype)
        with torch.inference_mode():
            written = self._network.generate(
                **inputs,
                max_new_tokens=tokens,
                do_sample=False,
                stopping_criteria=[self._is_closed],
            )
        if self._closed.is_set():
            raise SemanticsError("stopped before the model had answered")
        new = written[:, inputs["input_ids"].shape[1] :]
        answer: str = self._processor.batch_decode(new, skip_special_tokens=True)[0]
        return answer

    def _is_closed(self, input_ids: Any, _scores: Any, **_: Any) -> Any:  # noqa: ANN401
        return torch.full((input_ids.shape[0],), self._closed.is_set(), device=input_ids.device)


def parse_names(answer: str) -> list[str]:
    """Read a list such as "1. A dog, the grass and sky." as its names.

    Numbers, articles and full stops go; names of more than three words, and names that came
    before, are dropped.

    Returns:
        At most three names, in lower case.

    Raises:
        SemanticsError: the answer is not text.
    """
    parts = (_NUMBER.sub("", part) for part in _BETWEEN.split(answer))
    return [item.name for item in fit_items((part.lower(), "") for part in parts)][:_ITEMS]
