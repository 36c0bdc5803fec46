"""Map coder: one small binary map for each item, lossless, in a few bytes for all."""

from misc_shared.maps.coder import (
    MAX_SIDE,
    MIN_SIDE,
    decode_maps,
    encode_maps,
    maps_need_base,
)

__all__ = ["MAX_SIDE", "MIN_SIDE", "decode_maps", "encode_maps", "maps_need_base"]
