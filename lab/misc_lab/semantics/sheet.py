"""Words located in pictures: `python -m misc_lab.semantics.sheet PICTURE:WORD ... --out FILE`.

Draws where the embedded network finds each word, five pictures a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from misc_lab.demo.panels import Panel, Strip, draw_strip, stack
from misc_lab.result_files import write_picture
from misc_sender.semantics.nano import NanoSemantics
from misc_sender.sources.pixels import read_picture
from misc_shared.errors import ConfigError
from misc_shared.exit_codes import exit_on_error
from misc_shared.packs import load_pack
from misc_shared.semantics import Item

__all__ = ["draw_sheet"]

_COLUMNS = 5


def draw_sheet(asked: Sequence[tuple[Path, str]], network: NanoSemantics) -> Image.Image:
    """Draw each word where the network finds it.

    Args:
        asked: pictures, all of one shape, and a word for each.
        network: what finds them.

    Raises:
        ConfigError: a word is not in the vocabulary.
    """
    panels = []
    for path, word in asked:
        pixels = read_picture(path)
        where = network.locate(pixels, [word])[0]
        if where is None:
            raise ConfigError(f"{word!r} is not in the vocabulary of the network")
        note = f"{where.mean():.0%} of the picture"
        panels.append(Panel(word, note, pixels, items=(Item(word, "", where),)))
    rows = [panels[start : start + _COLUMNS] for start in range(0, len(panels), _COLUMNS)]
    return stack(
        [
            draw_strip(
                Strip(
                    title="Words located" if place == 0 else "",
                    subtitle="by the embedded network, none of them a VOC class"
                    if place == 0
                    else "",
                    panels=row,
                    columns=_COLUMNS,
                )
            )
            for place, row in enumerate(rows)
        ]
    )


def main(
    asked: Annotated[list[str], typer.Argument(help="PICTURE:WORD, each picture of one shape.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("words.png"),
    pack: Annotated[str, typer.Option(help="Model pack: nano, or a folder.")] = "nano",
) -> None:
    """Draw words where they are found."""
    with exit_on_error("misc_lab.semantics.sheet"):
        pairs = [(Path(one.rpartition(":")[0]), one.rpartition(":")[2]) for one in asked]
        network = NanoSemantics(load_pack(pack).component("semantics"))
        write_picture(draw_sheet(pairs, network), out)


if __name__ == "__main__":
    typer.run(main)
