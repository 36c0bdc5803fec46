"""Rows of an earlier run, taken over where they were measured in the same way."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from misc_lab.bench.metrics import OWN
from misc_lab.bench.results import Row
from misc_shared.errors import ConfigError

__all__ = ["Conditions", "Earlier", "conditions_of", "read_earlier"]


class Conditions(msgspec.Struct, frozen=True):
    """What two runs must share for their rows to be compared.

    Attributes:
        pictures: File name -> hash of its bytes.
        budgets: Bits per pixel.
        metrics: Names of `--perceptual` in order, with hashes of files.
    """

    pictures: Mapping[str, str]
    budgets: tuple[float, ...]
    metrics: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is taken over from a file.

    Attributes:
        source: The file's name, for the report.
        rows: Those of the codecs, pictures and budgets that are wanted.
        codecs: Codec -> its version then.
    """

    source: str
    rows: tuple[Row, ...]
    codecs: Mapping[str, str]


def conditions_of(
    pictures: Sequence[Path], *, budgets: Sequence[float], perceptual: Sequence[str]
) -> Conditions:
    """Describe a run."""
    return Conditions(
        pictures={path.name: _hash(path) for path in pictures},
        budgets=tuple(budgets),
        metrics=tuple((Path(name).name, _hash(Path(name))) for name in perceptual),
    )


def read_earlier(path: Path, wanted: Conditions, *, besides: Sequence[str]) -> Earlier:
    """Read the rows of an earlier run.

    Args:
        path: Its rd.json.
        wanted: How this run measures.
        besides: Codecs that this run measures itself.

    Raises:
        ConfigError: It is no such file, or was measured otherwise.
    """
    try:
        content = json.loads(path.read_text())
        then = msgspec.convert(content["settings"]["conditions"], Conditions)
        versions = msgspec.convert(content["settings"]["codec_versions"], dict[str, str])
        rows = [Row(**row) for row in content["rows"]]
    except (OSError, ValueError, KeyError, TypeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{path} holds no earlier results: {error}.") from error
    _check(path, then, wanted)
    lacking = sorted({name for row in rows if row.metrics for name in OWN} - _measured(rows))
    if lacking:
        raise ConfigError(
            f"The results in {path} cannot be taken over: they lack {', '.join(lacking)}; "
            "measure those codecs again."
        )
    kept = tuple(
        row
        for row in rows
        if row.series.split()[0] not in besides
        and row.image in wanted.pictures
        and row.target_bpp in wanted.budgets
    )
    codecs = {row.series.split()[0] for row in kept}
    return Earlier(path.name, kept, {name: versions.get(name, "unknown") for name in codecs})


def _check(path: Path, then: Conditions, wanted: Conditions) -> None:
    changed = [
        name for name, digest in wanted.pictures.items() if then.pictures.get(name) != digest
    ]
    missing = sorted(set(wanted.budgets) - set(then.budgets))
    reason = None
    if changed:
        reason = f"{changed[0]} is not among its pictures, or was another"
    elif missing:
        reason = f"it lacks the budget {missing[0]:g}"
    elif then.metrics != wanted.metrics:
        reason = "its perceptual metrics were others"
    if reason is not None:
        raise ConfigError(f"The results in {path} cannot be taken over: {reason}.")


def _measured(rows: Sequence[Row]) -> set[str]:
    """Metrics that every row has which holds a picture."""
    return set.intersection(set(OWN), *(set(row.metrics) for row in rows if row.metrics))


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""
