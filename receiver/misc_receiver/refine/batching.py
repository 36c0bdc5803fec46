"""Requests of any sizes, a batch a size, all in step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from misc_receiver.refine.guard import Verdict
from misc_receiver.refine.interface import RefineRequest, RefineStep

__all__ = ["Walk", "in_step"]

Walk = Callable[[Sequence[RefineRequest], Sequence[int]], Iterator[tuple[int, Sequence[Verdict]]]]
"""From requests of one size and their seeds to the number of a step and its guarded pictures."""


def in_step(
    requests: Sequence[RefineRequest], seeds: Sequence[int], *, steps: int, walk: Walk
) -> Iterator[tuple[RefineStep, ...]]:
    """Let every size take its steps side by side, so that all previews come together.

    Args:
        requests: of any sizes.
        seeds: one a request.
        steps: how many there are.
        walk: begins a batch; every batch gives the same numbers of steps, rising to `steps`.

    Yields:
        One step a request, in the order of the requests.
    """
    sizes: dict[tuple[int, ...], list[int]] = {}
    for place, request in enumerate(requests):
        sizes.setdefault(request.coarse.shape, []).append(place)
    groups = list(sizes.values())
    walks = [
        walk([requests[place] for place in group], [seeds[place] for place in group])
        for group in groups
    ]
    for moments in zip(*walks, strict=True):
        found: dict[int, RefineStep] = {}
        for group, (number, verdicts) in zip(groups, moments, strict=True):
            for place, verdict in zip(group, verdicts, strict=True):
                found[place] = RefineStep(
                    verdict.pixels, number, steps, number == steps, verdict.passed
                )
        yield tuple(found[place] for place in range(len(requests)))
