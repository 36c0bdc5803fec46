"""HEVC, AV1 and VVC as codecs of still pictures: one key frame as a raw elementary stream.

The container is left out, and the matrix (BT.601, full range, 4:2:0) is told to the decoder and
not billed: gifts to them, not to us. Headers that a decoder needs stay in.
"""

import os
import shutil
import subprocess
from abc import abstractmethod
from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, cast

import av
import numpy as np
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from PIL import Image

from misc_lab.bench.rival import Rival
from misc_shared.errors import BitstreamError, ConfigError, MiscError

__all__ = ["Av1", "Hevc", "PyAvCodec", "Vvc", "find_vvc_encoder"]

# SVT-AV1 reads it when it is first used: errors only.
os.environ.setdefault("SVT_LOG", "1")

_ONE = Fraction(1, 1)


class PyAvCodec(Rival):
    """An encoder inside PyAV's wheel, with a decoder from the same place."""

    even = True
    encoder: ClassVar[str]
    decoder: ClassVar[str]

    @classmethod
    def version(cls) -> str:
        """The encoder's name; PyAV does not tell its version, only FFmpeg's."""
        return f"{cls.encoder} of PyAV {av.__version__}, FFmpeg {av.ffmpeg_version_info}"

    @abstractmethod
    def options(self, quality: float) -> dict[str, str]:
        """FFmpeg's options for a quality."""

    def encode(self, picture: Image.Image, quality: float) -> bytes:
        """One key frame, every byte that the encoder gives for it."""
        context = cast(VideoCodecContext, VideoCodecContext.create(self.encoder, "w"))
        context.width, context.height = picture.size
        context.pix_fmt = "yuv420p"
        context.time_base = context.framerate = _ONE
        context.thread_count = 1
        context.options = self.options(quality)
        packets = [*context.encode(_frame(picture)), *context.encode(None)]
        return b"".join(map(bytes, packets))


class Hevc(PyAvCodec):
    """HEVC by x265, preset slow, constant quantiser, without its optional messages."""

    series = ("hevc",)
    encoder = "libx265"
    decoder = "hevc"
    qualities = tuple(range(51, -1, -1))

    def options(self, quality: float) -> dict[str, str]:
        """One thread; wavefronts would cost a few bytes."""
        quiet = "info=0:log-level=error:pools=none:frame-threads=1:wpp=0"
        return {"preset": "slow", "x265-params": f"qp={quality:g}:keyint=1:{quiet}"}

    @staticmethod
    def open(data: bytes) -> Image.Image:
        """Decode by FFmpeg."""
        return _decode(Hevc.decoder, data)


class Av1(PyAvCodec):
    """AV1 by SVT-AV1, preset 2, as a still picture: temporal unit delimiter, header, frame."""

    series = ("av1",)
    encoder = "libsvtav1"
    decoder = "libdav1d"
    qualities = tuple(step / 4 for step in range(280, -1, -1))

    def options(self, quality: float) -> dict[str, str]:
        """Its constant rate factor, in its quarter steps; avif=1 means the still picture header."""
        return {"preset": "2", "svtav1-params": f"crf={quality:g}:avif=1:lp=1"}

    @staticmethod
    def open(data: bytes) -> Image.Image:
        """Decode by dav1d."""
        return _decode(Av1.decoder, data)


class Vvc(Rival):
    """VVC by VVenC, preset medium, without its perceptual quantisation; decoded by FFmpeg.

    No Python package has it: the encoder is `vvencapp`, or an `ffmpeg` with libvvenc, on the PATH.
    """

    series = ("vvc",)
    even = True
    qualities = tuple(range(63, 7, -1))  # finer, VVenC's buffer is too small for tiny pictures

    def __init__(self) -> None:
        super().__init__()
        encoder = find_vvc_encoder()
        if encoder is None:
            raise ConfigError("VVC needs vvencapp, or an ffmpeg with libvvenc, on the PATH.")
        self._encoder = encoder

    @classmethod
    def version(cls) -> str:
        """The program that codes, in its own words."""
        program = find_vvc_encoder()
        if program is None:
            return "absent"
        flag = "--version" if _is_vvencapp(program) else "-version"
        said = subprocess.run([program, flag], capture_output=True, text=True, check=False)
        first = next((line.strip() for line in said.stdout.splitlines() if line.strip()), "")
        return first if _is_vvencapp(program) else f"libvvenc of {first}"

    def encode(self, picture: Image.Image, quality: float) -> bytes:
        """One key frame; through a file, as libvvenc prints to standard output.

        Raises:
            MiscError: The encoder failed.
        """
        planes = b"".join(np.asarray(plane).tobytes() for plane in _planes(picture))
        with TemporaryDirectory() as folder:
            coded = Path(folder) / "picture.266"
            ended = subprocess.run(
                self._command(picture.size, quality, coded),
                input=planes,
                capture_output=True,
                check=False,
            )
            if ended.returncode != 0 or not coded.is_file():
                raise MiscError(f"{self._encoder} failed: {ended.stderr[-300:].decode()}")
            return coded.read_bytes()

    def _command(self, size: tuple[int, int], quality: float, out: Path) -> list[str]:
        shape = f"{size[0]}x{size[1]}"
        if _is_vvencapp(self._encoder):
            source = ["-i", "-", "-s", shape, "-c", "yuv420", "-r", "1"]
            coding = ["--preset", "medium", "-q", f"{quality:g}", "--qpa", "0", "-t", "1"]
            return [self._encoder, *source, *coding, "-v", "0", "-o", str(out)]
        raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", shape, "-framerate", "1"]
        coding = ["-c:v", "libvvenc", "-threads", "1", "-preset", "medium", "-qpa", "0"]
        # Messages for players, which a decoder does not need.
        bare = "verbosity=0:accessunitdelimiter=0:hrdparameterspresent=0"
        finish = ["-qp", f"{quality:g}", "-vvenc-params", bare, "-f", "vvc", str(out)]
        return [self._encoder, "-loglevel", "error", *raw, "-i", "-", *coding, *finish]

    @staticmethod
    def open(data: bytes) -> Image.Image:
        """Decode by FFmpeg's own decoder, from 10 bits."""
        return _decode("vvc", data)


@cache
def find_vvc_encoder() -> str | None:
    """Look for `vvencapp`, or an `ffmpeg` that has libvvenc, on the PATH."""
    own = shutil.which("vvencapp")
    ffmpeg = shutil.which("ffmpeg")
    if own is not None or ffmpeg is None:
        return own
    listed = subprocess.run([ffmpeg, "-v", "quiet", "-encoders"], capture_output=True, check=False)
    return ffmpeg if b"libvvenc" in listed.stdout else None


def _is_vvencapp(program: str) -> bool:
    return Path(program).stem == "vvencapp"


def _planes(picture: Image.Image) -> list[Image.Image]:
    """Luma, and chroma at half the size; BT.601, full range."""
    luma, *chroma = picture.convert("YCbCr").split()
    return [luma, *(plane.reduce(2) for plane in chroma)]


def _frame(picture: Image.Image) -> VideoFrame:
    frame = VideoFrame(*picture.size, "yuv420p")
    for target, plane in zip(frame.planes, _planes(picture), strict=True):
        padded = np.zeros((target.height, target.line_size), np.uint8)
        padded[:, : plane.width] = np.asarray(plane)
        target.update(padded.tobytes())
    frame.pts = 0
    return frame


def _decode(decoder: str, data: bytes) -> Image.Image:
    """Decode the one frame of a stream.

    Raises:
        BitstreamError: There is none.
    """
    context = cast(VideoCodecContext, VideoCodecContext.create(decoder, "r"))
    context.thread_count = 1
    try:
        frames = [*context.decode(av.Packet(data)), *context.decode(None)]
    except FFmpegError as error:
        raise BitstreamError(f"{decoder} found a stream that does not decode: {error}") from error
    if not frames:
        raise BitstreamError(f"{decoder} found {len(data)} bytes without a picture")
    luma, *chroma = _read_planes(frames[0])
    full = (plane.resize(luma.size, Image.Resampling.BICUBIC) for plane in chroma)
    return Image.merge("YCbCr", (luma, *full)).convert("RGB")


def _read_planes(frame: VideoFrame) -> Iterable[Image.Image]:
    ten_bits = frame.format.name == "yuv420p10le"
    if not ten_bits and frame.format.name not in {"yuv420p", "yuvj420p"}:
        raise BitstreamError(f"found a picture of format {frame.format.name}, expected yuv420p")
    for plane in frame.planes:
        stored = np.frombuffer(bytes(plane), np.uint16 if ten_bits else np.uint8)
        rows = stored.astype(np.uint16).reshape(plane.height, -1)[:, : plane.width]
        if ten_bits:
            rows = np.minimum((rows + 2) >> 2, 255)
        yield Image.fromarray(np.ascontiguousarray(rows, np.uint8))
