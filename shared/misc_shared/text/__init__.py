"""Text coder: item names, details and caption, lossless, in about as many bytes as they have words."""

from misc_shared.text.coder import TextCoder

__all__ = ["TextCoder"]
