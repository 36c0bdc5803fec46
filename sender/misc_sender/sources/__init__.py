"""Where pictures come from: cameras, files, folders, videos, samples and a synthetic scene."""

from misc_sender.sources.frame import Frame, Source
from misc_sender.sources.opening import MOVING_FPS, SourceOptions, open_source

__all__ = ["MOVING_FPS", "Frame", "Source", "SourceOptions", "open_source"]
