"""What deltas save: a still scene with sensor noise, and a video, beside key frames alone.

All bytes count, framing included. Pictures are decoded in another process from the bytes alone.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from misc_lab.bench.codec import Pixels
from misc_lab.bench.deltas import StillResult, VideoResult
from misc_lab.bench.means import mean_metrics
from misc_lab.bench.metrics import Judge
from misc_lab.bench.plot_delta import plot_deltas
from misc_lab.result_files import write_result
from misc_sender.budget import Budget
from misc_sender.encode import EncodedFrame, FrameEncoder
from misc_sender.references import LinkKind, ReferenceBook
from misc_sender.sources import Frame, SourceOptions, open_source
from misc_shared.errors import ConfigError
from misc_shared.packs import load_pack
from misc_shared.session import FrameId, LayerReceived
from misc_shared.wire import LayerKind

__all__ = ["DeltaSettings", "run_deltas"]

_STILL_FRAMES = 10
_EPOCH = 1
_MTU = 1100

Layers = Mapping[LayerKind, bytes]


@dataclass(frozen=True, kw_only=True)
class DeltaSettings:
    """What to measure.

    Attributes:
        video: a file, or any other source of `misc-send`.
        still: a picture that is seen again and again through a noisy sensor.
        fps: pictures a second taken of the video.
        count: pictures taken at most, or None for all.
        qualities: the codec's, 0 to 31.
        sigma: of the sensor noise, in 8-bit steps.
        pack: name or folder of the model pack.
        out: folder for delta.json and delta.png.
    """

    video: str
    still: str = "sample:astronaut"
    fps: float = 2.0
    count: int | None = None
    qualities: tuple[int, ...] = (8, 16, 24)
    sigma: float = 2.0
    pack: str = "nano"
    out: Path = Path("bench-results")

    def __post_init__(self) -> None:
        if not self.qualities:
            raise ConfigError("Give at least one quality, 0 to 31.")


def run_deltas(
    settings: DeltaSettings, *, on_step: Callable[[str], None]
) -> tuple[list[StillResult], list[VideoResult]]:
    """Measure and write delta.json and delta.png.

    Raises:
        LocalError: a source, the pack, an extra or the folder is at fault.
    """
    frames = _take(settings.video, fps=settings.fps, count=settings.count)
    noisy = _noisy(settings)
    stills, videos = [], []
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        for quality in settings.qualities:
            on_step(f"quality {quality}")
            stills.append(_measure_still(_encode(noisy, quality, settings, None), quality))
            deltas = _encode(frames, quality, settings, None)
            keys = _encode(frames, quality, settings, 1)
            pixels = [frame.pixels for frame in frames]
            measured, key_measured = (
                elsewhere.submit(_judge, [one.layers for one in made], pixels, settings.pack)
                for made in (deltas, keys)
            )
            videos.append(
                VideoResult(
                    quality=quality,
                    pictures=len(frames),
                    keys=sum(not one.delta for one in deltas),
                    key_bytes=float(np.mean([one.wire_bytes for one in keys])),
                    bytes=float(np.mean([one.wire_bytes for one in deltas])),
                    key_metrics=key_measured.result(),
                    metrics=measured.result(),
                    sizes=tuple(one.wire_bytes for one in deltas),
                    key_sizes=tuple(one.wire_bytes for one in keys),
                )
            )
    _write(settings, stills, videos)
    return stills, videos


def _take(source: str, *, fps: float, count: int | None) -> list[Frame]:
    opened = open_source(source, options=SourceOptions(fps=fps))
    try:
        return list(islice(opened.frames(), count))
    finally:
        opened.close()


def _noisy(settings: DeltaSettings) -> list[Frame]:
    """One picture through a sensor with Gaussian noise, again and again."""
    (scene,) = _take(settings.still, fps=1.0, count=1)
    rng = np.random.default_rng(0)
    frames = []
    for number in range(_STILL_FRAMES):
        noise = rng.normal(0, settings.sigma, scene.pixels.shape)
        pixels = (scene.pixels + noise).round().clip(0, 255).astype(np.uint8)
        frames.append(Frame(pixels=pixels, captured_at=float(number)))
    return frames


def _encode(
    frames: Sequence[Frame], quality: int, settings: DeltaSettings, key_every: int | None
) -> list[EncodedFrame]:
    """Encode a recording: each picture against the one before, where that pays."""
    encoder = FrameEncoder(
        load_pack(settings.pack), semantics="none", budget=Budget(quality=quality), mtu=_MTU
    )
    book = ReferenceBook(LinkKind.LOSSLESS, key_every=key_every)
    made = []
    for number, frame in enumerate(frames):
        encoded = encoder.encode(frame, against=book.choose(lambda _: ()))
        book.sent(FrameId(_EPOCH, number), encoded)
        made.append(encoded)
    return made


def _measure_still(made: Sequence[EncodedFrame], quality: int) -> StillResult:
    first, *others = (one.wire_bytes for one in made)
    return StillResult(quality, first, float(np.mean(others)), max(others))


def _judge(stream: Sequence[Layers], originals: Sequence[Pixels], pack: str) -> dict[str, float]:
    """Decode a stream's layers and compare each picture with its original."""
    from misc_receiver.decode import CoarseDecoded, FrameDecoder

    decoder, judge = FrameDecoder(load_pack(pack)), Judge()
    measured = []
    for number, (layers, original) in enumerate(zip(stream, originals, strict=True)):
        frame = FrameId(_EPOCH, number)
        received = [
            LayerReceived(frame, float(number), None, kind, data, len(data))
            for kind, data in sorted(layers.items())
        ]
        (shown,) = (one for one in decoder.decode(received) if isinstance(one, CoarseDecoded))
        judge.look_at(original)
        measured.append(judge.measure(shown.image.pixels))
    return mean_metrics(measured)


def _write(
    settings: DeltaSettings, stills: Sequence[StillResult], videos: Sequence[VideoResult]
) -> None:
    settings.out.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {
        "video": Path(settings.video).name,
        "fps": settings.fps,
        "still": Path(settings.still).name,
        "sigma": settings.sigma,
        "still_scene": [asdict(one) | {"share": round(one.share, 4)} for one in stills],
        "video_scene": [asdict(one) | {"share": round(one.share, 4)} for one in videos],
    }
    write_result(settings.out / "delta.json", json.dumps(report, indent=1) + "\n")
    plot_deltas(videos, settings.out / "delta.png", fps=settings.fps)
