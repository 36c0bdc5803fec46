"""Entropy coding in integers: what the image, text and map coders share."""

from misc_shared.coding.range_coder import AdaptiveBit, RangeDecoder, RangeEncoder

__all__ = ["AdaptiveBit", "RangeDecoder", "RangeEncoder"]
