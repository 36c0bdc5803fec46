"""One picture through every codec at every budget."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from misc_lab.bench.codec import Codec, CodedFile, Pixels
from misc_lab.bench.metrics import Judge
from misc_lab.bench.results import Row
from misc_lab.bench.unsharp import REFINED, UNSHARP, with_control
from misc_sender.sources.pixels import read_picture

__all__ = ["measure_picture"]


@dataclass(frozen=True, slots=True)
class _Decoded:
    """A coded file's pictures, by series."""

    seconds: float
    pictures: Mapping[str, Pixels]


@dataclass(frozen=True, slots=True)
class _Judged:
    """A coded file with its pictures measured."""

    file: CodedFile
    decode_seconds: float
    series: Mapping[str, Mapping[str, float]]


def measure_picture(
    path: Path, *, codecs: Sequence[Codec], budgets: Sequence[float], judge: Judge
) -> list[Row]:
    """Code a picture by each codec within each budget.

    Args:
        path: The picture.
        codecs: Those to try.
        budgets: Bits per pixel.
        judge: Measures, and chooses among a codec's files.
    """
    image = read_picture(path, max_side=None)
    judge.look_at(image)
    rows: list[Row] = []
    for codec in codecs:
        for target in budgets:
            rows += _rows(path.name, image, codec, target, judge)
    return rows


def _rows(name: str, image: Pixels, codec: Codec, target: float, judge: Judge) -> list[Row]:
    pixels = image.shape[0] * image.shape[1]
    started = time.perf_counter()
    files = list(codec.files(image, max_bytes=int(target * pixels / 8)))
    encode_seconds = time.perf_counter() - started
    best = _best(files, image, codec, judge)
    if best is None:
        return [
            Row(name, series, target, None, None, "", encode_seconds, 0.0, {})
            for series in (*codec.series, *([UNSHARP] if REFINED in codec.series else []))
        ]
    return [
        Row(
            image=name,
            series=series,
            target_bpp=target,
            nbytes=best.file.nbytes,
            bpp=best.file.nbytes * 8 / pixels,
            setting=best.file.setting,
            encode_seconds=encode_seconds,
            decode_seconds=best.decode_seconds,
            metrics=metrics,
        )
        for series, metrics in best.series.items()
    ]


def _best(files: Sequence[CodedFile], image: Pixels, codec: Codec, judge: Judge) -> _Judged | None:
    """Choose by the metric that ranks; measure only the chosen one by all."""
    if len(files) < 2:  # noqa: PLR2004 - nothing to choose
        return _judge(files[0], _decode(files[0], image, codec), judge) if files else None
    decoded = [_decode(file, image, codec) for file in files]
    scores = [judge.score(one.pictures[codec.series[0]]) for one in decoded]
    chosen = scores.index(max(scores))
    return _judge(files[chosen], decoded[chosen], judge)


def _decode(file: CodedFile, image: Pixels, codec: Codec) -> _Decoded:
    height, width = image.shape[:2]
    started = time.perf_counter()
    pictures = codec.decode(file.parts, width=width, height=height)
    seconds = time.perf_counter() - started
    return _Decoded(seconds, with_control(pictures, image))


def _judge(file: CodedFile, decoded: _Decoded, judge: Judge) -> _Judged:
    measured = {series: judge.measure(picture) for series, picture in decoded.pictures.items()}
    return _Judged(file, decoded.seconds, measured)
