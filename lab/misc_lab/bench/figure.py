"""What the plots share: an empty figure, and axes without clutter."""

from typing import Any

from misc_shared.errors import MissingExtraError

__all__ = ["new_figure", "tidy"]


def new_figure(width: float, height: float) -> Any:  # noqa: ANN401 - matplotlib stays lazy
    """Make a figure of a size in inches.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("The plot", package="matplotlib", extra="lab") from error
    return Figure(figsize=(width, height), layout="constrained")


def tidy(axes: Any) -> None:  # noqa: ANN401 - matplotlib stays lazy
    """Draw a faint grid, and no box."""
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
