"""A refiner at one size and batch in a process of its own, timed: answers one question.

python -m misc_lab.bench.refiner_timing < QUESTION > ANSWER, both JSON
"""

import time
from statistics import median

import msgspec

from misc_lab.bench.timed_process import TimingQuestion, answer_one, peak_memory, repeat
from misc_receiver.memory import keep_memory
from misc_receiver.refine import Refiner, RefineRequest, load_refiner
from misc_shared.codec import ImageDecoder, ImageEncoder
from misc_shared.packs import load_pack

__all__ = ["RefinerAnswer", "RefinerQuestion", "main"]

_FEWEST_RUNS = 2


class RefinerQuestion(TimingQuestion, frozen=True, kw_only=True):
    """What to time.

    Attributes:
        batch: Pictures refined together.
        steps: Of diffusion.
        device: "cpu" or "cuda".
        bpp: Budget of the pictures.
    """

    batch: int
    steps: int
    device: str
    bpp: float = 0.024


class RefinerAnswer(msgspec.Struct, frozen=True):
    """How long it took.

    Attributes:
        seconds: Of each run.
        preview_seconds: Until the first step could be shown, the median.
        peak_bytes: The most resident memory that the process ever had.
        gpu_peak_bytes: The same on the GPU; None without one.
        flop: Floating-point operations of the networks for one picture.
        gpu: Its name; empty without one.
    """

    seconds: tuple[float, ...]
    preview_seconds: float
    peak_bytes: int
    gpu_peak_bytes: int | None
    flop: float
    gpu: str


def main() -> None:
    """Answer the one question."""
    answer_one(RefinerQuestion, _answer)


def _answer(question: RefinerQuestion) -> RefinerAnswer:
    import torch

    if question.device == "cpu":
        keep_memory()
    if question.threads:
        torch.set_num_threads(question.threads)
    pack = load_pack(question.pack)
    refiner = load_refiner(component=pack.component("refiner"), device=question.device)
    requests = [_request(question)] * question.batch
    on_gpu = question.device == "cuda"
    flop = _count(refiner, requests[:1], question.steps)
    _time(refiner, requests, question.steps)  # the first run also fills caches
    times = repeat(lambda: _time(refiner, requests, question.steps), question, fewest=_FEWEST_RUNS)
    return RefinerAnswer(
        seconds=tuple(last for _, last in times),
        preview_seconds=median(first for first, _ in times),
        peak_bytes=peak_memory(),
        gpu_peak_bytes=int(torch.cuda.max_memory_allocated()) if on_gpu else None,
        flop=flop,
        gpu=str(torch.cuda.get_device_name()) if on_gpu else "",
    )


def _request(question: RefinerQuestion) -> RefineRequest:
    """Code and decode the picture as a camera's would be."""
    codec = load_pack(question.pack).component("codec")
    max_bytes = int(question.bpp * question.width * question.height / 8)
    encoded = ImageEncoder(codec).encode(question.scaled_picture(), max_bytes=max_bytes)
    decoded = ImageDecoder(codec).decode(encoded.layers)
    return RefineRequest.of(decoded)


def _time(refiner: Refiner, requests: list[RefineRequest], steps: int) -> tuple[float, float]:
    """Seconds until the first preview and until all is done; pictures are in memory by then."""
    began = time.perf_counter()
    moments = [
        time.perf_counter() - began
        for _ in refiner.refine_batch(requests, steps=steps, seeds=range(len(requests)))
    ]
    return moments[0], moments[-1]


def _count(refiner: Refiner, requests: list[RefineRequest], steps: int) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with counter:
        list(refiner.refine_batch(requests, steps=steps, seeds=[0]))
    return float(counter.get_total_flops())


if __name__ == "__main__":
    main()
