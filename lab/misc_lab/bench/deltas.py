"""What a benchmark of delta frames found."""

from dataclasses import dataclass

__all__ = ["StillResult", "VideoResult"]


@dataclass(frozen=True)
class StillResult:
    """Deltas of a still scene.

    Attributes:
        quality: the codec's.
        key_bytes: of the first picture.
        delta_bytes: of the others, on average.
        largest_delta: of the others.
    """

    quality: int
    key_bytes: int
    delta_bytes: float
    largest_delta: int

    @property
    def share(self) -> float:
        """Of a key frame that a delta takes."""
        return self.delta_bytes / self.key_bytes


@dataclass(frozen=True)
class VideoResult:
    """A video with deltas, and as key frames alone.

    Attributes:
        quality: the codec's, the same in both.
        pictures: that were sent.
        keys: of those, with deltas, how many stood alone.
        key_bytes: a picture on average, all of them key frames.
        bytes: a picture on average, with deltas, the key frames included.
        key_metrics: PSNR and MS-SSIM on average, all of them key frames.
        metrics: the same with deltas.
        sizes: bytes of each picture with deltas.
        key_sizes: bytes of each picture as a key frame.
    """

    quality: int
    pictures: int
    keys: int
    key_bytes: float
    bytes: float
    key_metrics: dict[str, float]
    metrics: dict[str, float]
    sizes: tuple[int, ...]
    key_sizes: tuple[int, ...]

    @property
    def share(self) -> float:
        """Of the bytes of key frames alone."""
        return self.bytes / self.key_bytes
