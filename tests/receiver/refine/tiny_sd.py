"""A tiny random Stable Diffusion with ControlNet, adapter and preview model, saved as real ones."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    ControlNetModel,
    DDIMScheduler,
    StableDiffusionControlNetPipeline,
    UNet2DConditionModel,
)
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from misc_receiver.refine.stable_diffusion.settings import SdSettings

__all__ = ["save_sd"]

_CHANNELS = (16, 32)
_TEXT = 16


def save_sd(folder: Path) -> SdSettings:
    """Write every model into a folder of its own; give the settings that name them."""
    torch.manual_seed(5)
    controlnet = _controlnet()
    pipeline = StableDiffusionControlNetPipeline(
        vae=_autoencoder(),
        text_encoder=_text_encoder(),
        tokenizer=_tokenizer(),
        unet=_unet(),
        controlnet=controlnet,
        scheduler=DDIMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder / "model")
    controlnet.save_pretrained(folder / "controlnet")
    AutoencoderTiny(
        encoder_block_out_channels=(8, 8),
        decoder_block_out_channels=(8, 8),
        num_encoder_blocks=(1, 1),
        num_decoder_blocks=(1, 1),
    ).save_pretrained(folder / "preview")
    _save_lora(pipeline, folder / "lora")
    return SdSettings(
        model=str(folder / "model"),
        controlnet=str(folder / "controlnet"),
        lora=str(folder / "lora"),
        preview=str(folder / "preview"),
    )


def _unet() -> UNet2DConditionModel:
    model = UNet2DConditionModel(
        block_out_channels=_CHANNELS,
        layers_per_block=1,
        sample_size=16,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=_TEXT,
        attention_head_dim=8,
        norm_num_groups=8,
    )
    for name, weights in model.named_parameters():
        if "attn2" in name:
            weights.data.mul_(6)  # words would hardly count in random networks
    return model


def _controlnet() -> ControlNetModel:
    model = ControlNetModel(
        block_out_channels=_CHANNELS,
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        cross_attention_dim=_TEXT,
        attention_head_dim=8,
        norm_num_groups=8,
        conditioning_embedding_out_channels=(16, 32),
    )
    for layer in (*model.controlnet_down_blocks, model.controlnet_mid_block):
        torch.nn.init.normal_(layer.weight, std=0.1)  # zeros, until it is trained
    return model


def _autoencoder() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(16, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=64,
    )


def _text_encoder() -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            hidden_size=_TEXT,
            intermediate_size=32,
            num_attention_heads=2,
            num_hidden_layers=2,
            vocab_size=600,
            bos_token_id=512,
            eos_token_id=513,
            pad_token_id=513,
        )
    )


def _tokenizer() -> CLIPTokenizer:
    """Spell every word: CLIP's alphabet of bytes, alone and as the end of a word."""
    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(f"{one}</w>" for one in letters), "<|startoftext|>", "<|endoftext|>"]
    vocab = {token: place for place, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocab, merges=[], model_max_length=77)


def _save_lora(pipeline: StableDiffusionControlNetPipeline, folder: Path) -> None:
    from diffusers.utils import convert_state_dict_to_diffusers
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    pipeline.unet.add_adapter(
        LoraConfig(r=2, target_modules=["to_q", "to_v"], init_lora_weights=False)
    )
    weights = convert_state_dict_to_diffusers(get_peft_model_state_dict(pipeline.unet))
    pipeline.save_lora_weights(folder, unet_lora_layers=weights)
