"""The learned, progressive image codec: three layers of integers, exact on every machine."""

from misc_shared.codec.decoder import DecodedImage, ImageDecoder
from misc_shared.codec.delta_encoder import Base
from misc_shared.codec.encoder import EncodedImage, ImageEncoder
from misc_shared.codec.reference import DeltaHeader, Reference, is_delta, joined_layers

__all__ = [
    "Base",
    "DecodedImage",
    "DeltaHeader",
    "EncodedImage",
    "ImageDecoder",
    "ImageEncoder",
    "Reference",
    "is_delta",
    "joined_layers",
]
