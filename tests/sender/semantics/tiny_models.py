"""Tiny random models, saved as real ones are: the backends' own loading code reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPTokenizer,
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3Processor,
    PreTrainedTokenizerFast,
)
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

WORDS = ("a", "the", "dog", "cat", "grass", "sky", "brown", "and", "on", ".", ",", "sits")
TEMPLATE = (
    "<bos>{% for message in messages %}User:{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
_NETWORK = {"hidden_size": 64, "intermediate_size": 64, "num_attention_heads": 2}


def save_vision_language(
    folder: Path, *, template: str | None = TEMPLATE, says: Sequence[str] | None = None
) -> Path:
    """Save a model of SmolVLM-256M-Instruct's kind (Idefics3) with some 100,000 random weights.

    Args:
        folder: where.
        template: how it is asked; None for a model that takes no questions.
        says: words, all different, that it answers to every question; None for what the random
            weights make of picture and question.
    """
    tokenizer = _word_tokenizer()
    processor = Idefics3Processor(
        Idefics3ImageProcessorPil(size={"longest_edge": 128}, max_image_size={"longest_edge": 64}),
        tokenizer,
        image_seq_len=16,
        chat_template=template,
    )
    config = Idefics3Config(
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        vision_config={**_NETWORK, "num_hidden_layers": 2, "image_size": 64, "patch_size": 8},
        text_config={
            **_NETWORK,
            "model_type": "llama",
            "num_hidden_layers": 2,
            "num_key_value_heads": 2,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 512,
            "pad_token_id": tokenizer.pad_token_id,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
        },
    )
    torch.manual_seed(0)
    network = Idefics3ForConditionalGeneration(config)
    if says is not None:
        _teach(network, tokenizer.convert_tokens_to_ids(["<unk>", *says, "<end_of_utterance>"]))
    network.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _teach(network: Idefics3ForConditionalGeneration, chain: list[int]) -> None:
    """Make each token of the chain follow from the one before, whatever was asked."""
    text = network.model.text_model
    with torch.no_grad():
        for block in text.layers:  # these leave each token's embedding as it is
            block.self_attn.o_proj.weight.zero_()
            block.mlp.down_proj.weight.zero_()
        text.embed_tokens.weight.copy_(torch.eye(*text.embed_tokens.weight.shape))
        network.lm_head.weight.zero_()
        for token, following in pairwise(chain):
            network.lm_head.weight[following] = text.embed_tokens.weight[token]


def _word_tokenizer() -> PreTrainedTokenizerFast:
    marks = ["<image>", "<fake_token_around_image>", "<global-img>"]
    marks += [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    tokens = ["<pad>", "<bos>", "<end_of_utterance>", "<unk>", *marks, *WORDS]
    vocabulary = {token: place for place, token in enumerate(tokens)}
    words = Tokenizer(models.WordLevel(vocabulary, "<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {"pad": "<pad>", "bos": "<bos>", "eos": "<end_of_utterance>", "unk": "<unk>"}
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        additional_special_tokens=marks,
        **{f"{name}_token": token for name, token in special.items()},
    )


def save_clip(folder: Path) -> Path:
    """Save a CLIP of eight blocks with random weights: two plain ones, six with a second path."""
    letters = "abcdefghijklmnopqrstuvwxyz."
    tokens = [*letters, *(f"{letter}</w>" for letter in letters)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(vocab={token: place for place, token in enumerate(tokens)}, merges=[])
    network = {**_NETWORK, "num_hidden_layers": 8, "num_attention_heads": 4}
    config = CLIPConfig(
        projection_dim=24,
        text_config={
            **network,
            "vocab_size": len(tokens),
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config={**network, "image_size": 64, "patch_size": 8},
    )
    torch.manual_seed(0)
    CLIPModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_as_on_the_hub(folder: Path) -> None:
    """Rewrite a folder's files as the default models have them on the hub, from before version 5.

    Weights of CLIP are a PyTorch file there, and a processor's parts have files of their own.
    """
    processor = folder / "processor_config.json"
    if not processor.exists():
        torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
        return
    settings = json.loads(processor.read_text())
    images = settings.pop("image_processor") | {"image_processor_type": "Idefics3ImageProcessor"}
    processor.write_text(json.dumps(settings))
    (folder / "preprocessor_config.json").write_text(json.dumps(images))
    template = folder / "chat_template.jinja"
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": template.read_text()}))
    template.unlink()
