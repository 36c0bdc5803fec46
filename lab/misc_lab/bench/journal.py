"""Rows of a run that has not ended, so that a run which was stopped goes on where it was."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from misc_lab.bench.results import Row
from misc_lab.result_files import write_result

__all__ = ["Journal"]


class Journal:
    """A file of lines: what the run measures, then the rows of one picture each.

    Args:
        path: The file; it is begun anew unless it is of the very same run.
        run: What decides the results: settings, pictures, versions; as JSON holds it.

    Attributes:
        rows: Picture -> its rows, as far as an earlier try came.
    """

    def __init__(self, path: Path, run: Mapping[str, Any]) -> None:
        self._path = path
        self.rows: dict[str, list[Row]] = {}
        head = json.dumps(run, sort_keys=True)
        lines = path.read_text().splitlines() if path.is_file() else []
        if lines and lines[0] == head:
            for line in lines[1:]:
                self._take(line)
        kept = [head, *(_line(rows) for rows in self.rows.values())]
        write_result(path, "".join(f"{line}\n" for line in kept))

    def add(self, rows: Sequence[Row]) -> None:
        """Keep the rows of a picture."""
        with self._path.open("a") as file:
            file.write(_line(rows) + "\n")

    def remove(self) -> None:
        """Delete the file: the run has ended and its results are written."""
        self._path.unlink()

    def _take(self, line: str) -> None:
        try:
            rows = [Row(**row) for row in json.loads(line)]
        except (ValueError, TypeError):  # the program was stopped in the middle of a line
            return
        if rows:
            self.rows[rows[0].image] = rows


def _line(rows: Sequence[Row]) -> str:
    return json.dumps([asdict(row) for row in rows])
