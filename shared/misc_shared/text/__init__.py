"""Text coder: item names, details and caption, lossless, a caption in a byte a word."""

from misc_shared.text.coder import TextCoder

__all__ = ["TextCoder"]
