"""The refiner that adds nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from misc_receiver.refine.interface import Refiner, RefineRequest, RefineStep, check_dials

__all__ = ["CoarseOnly"]


class CoarseOnly(Refiner):
    """Gives the coarse pictures back, at once and as the final step."""

    def refine_batch(
        self,
        requests: Sequence[RefineRequest],
        *,
        steps: int,
        seeds: Sequence[int],  # noqa: ARG002 - the Protocol's; nothing is drawn here
        fidelity: float = 0.0,
    ) -> Iterator[tuple[RefineStep, ...]]:
        """See `Refiner.refine_batch`; there is one step, whatever `steps` says."""
        check_dials(steps=steps, fidelity=fidelity)
        yield tuple(
            RefineStep(request.coarse, step=1, steps=1, final=True, passed_guard=True)
            for request in requests
        )
