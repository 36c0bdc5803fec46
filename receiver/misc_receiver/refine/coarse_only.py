"""The refiner that adds nothing."""

from __future__ import annotations

from collections.abc import Iterator

from misc_receiver.refine.interface import RefineRequest, RefineStep, check_dials

__all__ = ["CoarseOnly"]


class CoarseOnly:
    """Gives the coarse picture back, at once and as the final step."""

    def refine(
        self,
        request: RefineRequest,
        *,
        steps: int,
        seed: int,  # noqa: ARG002 - the Protocol's; nothing is drawn here
        fidelity: float = 0.0,
    ) -> Iterator[RefineStep]:
        """See `Refiner.refine`; there is one step, whatever `steps` says."""
        check_dials(steps=steps, fidelity=fidelity)
        yield RefineStep(request.coarse, step=1, steps=1, final=True, passed_guard=True)
