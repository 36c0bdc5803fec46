"""Escape sequences of others never reach a terminal or a log."""

import io
import json
import logging
import subprocess
import sys

import pytest
from rich.table import Table

from misc_shared.errors import ProtocolError
from misc_shared.exit_codes import exit_on_error
from misc_shared.harmless import escaped_json, harmless
from misc_shared.reports import JsonLines, Report
from misc_shared.terminal_text import Console, printable

EVIL = "\x1b]0;owned\x07\x9b31m\x08\r\x7f\u202egnp.exe\ud800 日本 é"


class Named(Report, tag="named", frozen=True, kw_only=True):
    """Something with a name from outside."""

    name: str


def _is_harmless(said: str) -> bool:
    return all(one.isprintable() or one == "\n" for one in said)


def test_what_has_a_shape_stays() -> None:
    """Letters of all scripts, blanks and line ends; nothing else."""
    assert harmless("日本\u3000é\u00a0!\n\tx") == "日本\u3000é\u00a0!\n\tx"
    assert _is_harmless(harmless(EVIL))
    assert harmless(EVIL).endswith("日本 é")


@pytest.mark.parametrize("terminal", [True, False])
def test_a_console_draws_its_own_escape_sequences_only(terminal: bool) -> None:  # noqa: FBT001
    """In lines, in tables and in markup that nobody made harmless."""
    drawn = io.StringIO()
    console = Console(file=drawn, width=80)
    console._force_terminal = terminal  # noqa: SLF001 - rich's own switch for tests
    table = Table(title=EVIL)
    table.add_column(EVIL)
    table.add_row(EVIL)
    console.print(table)
    console.print(EVIL, markup=False)
    console.print(f"[bold]{printable(EVIL)}[/bold]")
    said = drawn.getvalue()
    assert "owned" in said
    for bad in ("\x1b]", "\x9b", "\x07", "\x08", "\x7f", "\u202e"):
        assert bad not in said


def _say_all() -> None:
    print(EVIL)  # noqa: T201 - what is tested
    logging.getLogger("misc_shared.x").warning("the broker says %s", f"{EVIL}\nmisc: all well")
    raise ProtocolError(EVIL)


def test_errors_logs_and_prints_of_a_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever way it takes to the terminal; and no message of a log becomes two lines."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    with pytest.raises(SystemExit), exit_on_error("misc-send"):
        _say_all()
    said = capsys.readouterr()
    assert _is_harmless(said.out)
    assert _is_harmless(said.err)
    assert said.err.count("\n") == 2
    assert "\nmisc: all well" not in said.err


def test_json_says_all_of_it_and_is_printable() -> None:
    """A program reads the very text; a terminal that shows it is safe."""
    stream = io.StringIO()
    name = EVIL.replace("\ud800", "\U000e0001")
    JsonLines(stream).report(Named(name=name))
    line = stream.getvalue()
    assert _is_harmless(line)
    assert json.loads(line)["name"] == name
    assert escaped_json('{"a":"é"}') == '{"a":"é"}'


def test_a_file_name_with_escape_sequences() -> None:
    """The real program, and what its user sees."""
    start = "import sys; sys.argv[0] = 'misc-send'; from misc_sender.cli import app; app()"
    done = subprocess.run(
        [sys.executable, "-c", start, "\x1b[31mx\x07.png", "--to", "file:x.misc"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "there is no source" in done.stderr
    assert _is_harmless(done.stderr)
