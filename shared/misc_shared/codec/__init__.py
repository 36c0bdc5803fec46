"""The learned, progressive image codec: three layers of integers, exact on every machine."""

from misc_shared.codec.decoder import DecodedImage, ImageDecoder
from misc_shared.codec.encoder import EncodedImage, ImageEncoder

__all__ = ["DecodedImage", "EncodedImage", "ImageDecoder", "ImageEncoder"]
