"""Settings from the command line, the environment and a file, on commands of the real kind."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from misc_sender.options import SendSettings
from misc_shared.settings import settings_command, settings_in


@dataclass(frozen=True, kw_only=True)
class Boat:
    """What floats."""

    panel: ClassVar[str] = "Boat"
    name: Annotated[str, typer.Argument()]
    sails: Annotated[int, typer.Option(min=1, help="How many.")] = 2
    rig: Annotated[str, typer.Option("--rigging")] = "sloop"
    fast: Annotated[bool, typer.Option("--fast")] = False


@dataclass(frozen=True, kw_only=True)
class Crew:
    """Who is aboard."""

    panel: ClassVar[str] = "Crew"
    pay: Annotated[float | None, typer.Option(envvar="WAGES")] = None
    roll: Annotated[Path | None, typer.Option()] = None
    hands: Annotated[list[str] | None, typer.Option("--hand")] = None


@dataclass(frozen=True, kw_only=True)
class Voyage:
    """All of it."""

    boat: Boat
    crew: Crew


@dataclass
class Program:
    """A program that sails, and what it was told last."""

    app: typer.Typer
    voyages: list[Voyage]

    def __call__(self, *arguments: object, **environment: str) -> Voyage:
        """Run it well."""
        result = self.run(*arguments, **environment)
        assert result.exit_code == 0, result.output
        return self.voyages[-1]

    def run(self, *arguments: object, **environment: str) -> Result:
        """Run it somehow."""
        return CliRunner().invoke(self.app, list(map(str, arguments)), env=environment)


@pytest.fixture
def sail() -> Program:
    """Make a program."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    voyages: list[Voyage] = []

    @settings_command(app, Voyage, program="sail", variables="SAIL")
    def run(voyage: Voyage) -> None:
        """Sail away."""
        voyages.append(voyage)

    return Program(app, voyages)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Write a file of settings."""

    def to_file(text: str) -> Path:
        path = tmp_path / "sail.toml"
        path.write_text(text)
        return path

    return to_file


def test_defaults(sail: Program) -> None:
    """What nobody sets."""
    voyage = sail("Argo")
    assert voyage == Voyage(boat=Boat(name="Argo"), crew=Crew())


def test_the_command_line_beats_the_environment_and_that_the_file(
    sail: Program, write: Callable[[str], Path]
) -> None:
    """Each of four settings comes from the first place that says it."""
    config = write('name = "Argo"\nsails = 3\nrigging = "yawl"\npay = 7\nroll = "x"\nhand = ["a"]')
    voyage = sail("--sails", 5, "--config", config, SAIL_SAILS="4", SAIL_RIGGING="ketch")
    assert voyage.boat == Boat(name="Argo", sails=5, rig="ketch")
    assert voyage.crew == Crew(pay=7.0, roll=Path("x"), hands=["a"])


def test_the_environment_alone(sail: Program) -> None:
    """Even what is required, flags, and the variable that an option had before."""
    voyage = sail(SAIL_NAME="Argo", SAIL_FAST="1", WAGES="2.5")
    assert voyage == Voyage(boat=Boat(name="Argo", fast=True), crew=Crew(pay=2.5))


def test_the_environment_names_the_file(sail: Program, write: Callable[[str], Path]) -> None:
    """As a service does it."""
    assert sail(SAIL_CONFIG=str(write('name = "Argo"'))).boat.name == "Argo"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("sail = 3", "sail.toml: there is no setting 'sail'; did you mean 'sails'?"),
        ("[boat]\nsails = 3", "sail.toml: there is no setting 'boat'"),
        ('sails = "three"', "sail.toml: sails: Expected `int`, got `str`"),
        ("sails = 0", "sail.toml: sails: Expected `int` >= 1"),
        ("fast = 1", "sail.toml: fast: Expected `bool`, got `int`"),
        ('pay = "much"', "sail.toml: pay: Expected `float"),
        ("hand = [1]", "sail.toml: hand: Expected `str`, got `int`"),
        ("sails = ", "sail.toml is no TOML"),
    ],
)
def test_what_a_file_cannot_say(
    sail: Program, write: Callable[[str], Path], text: str, complaint: str
) -> None:
    """One sentence that names the file and the key, and exit code 2."""
    result = sail.run("Argo", "--config", write(text))
    assert result.exit_code == 2
    assert result.stderr.startswith("sail: ")
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_file_that_is_not_there(sail: Program, tmp_path: Path) -> None:
    """Likewise."""
    result = sail.run("Argo", "--config", tmp_path / "none.toml")
    assert result.exit_code == 2
    assert "none.toml: No such file" in result.stderr


def test_a_misspelt_variable(sail: Program) -> None:
    """It would be ignored in silence."""
    result = sail.run("Argo", SAIL_SIALS="3")
    assert result.exit_code == 2
    assert "SAIL_SIALS, which sets nothing" in result.stderr


def test_a_wrong_variable(sail: Program) -> None:
    """The sentence names the variable."""
    result = sail.run("Argo", SAIL_SAILS="three")
    assert result.exit_code == 2
    assert "the environment's SAIL_SAILS: Expected `int`, got `str`" in result.stderr


def test_help_has_a_heading_for_each_group(sail: Program) -> None:
    """In the order of the groups."""
    text = sail.run("--help").stdout
    assert (
        text.index("Boat:") < text.index("--rigging") < text.index("Crew:") < text.index("--hand")
    )


def test_version_is_that_of_the_package(sail: Program) -> None:
    """It is printed in place of doing anything, and without the arguments that a voyage needs."""
    result = sail.run("--version")
    assert result.exit_code == 0
    assert result.output.split()[-1] == version("misc-streaming")
    assert not sail.voyages


def test_print_config_is_a_file_again(sail: Program, write: Callable[[str], Path]) -> None:
    """What it prints gives the same settings, and a password is not in it."""
    arguments = ["mqtt://me:se@cret@host", "--sails", 4, "--hand", "a", "--hand", 'b"']
    result = sail.run("--print-config", *arguments, SAIL_FAST="1")
    assert "cret" not in result.stdout
    assert "fast = true  # the environment" in result.stdout
    told = sail(*arguments, "--fast")
    again = sail("--config", write(result.stdout))
    assert again.crew == told.crew
    assert again.boat.sails == 4
    assert tomllib.loads(result.stdout)["name"] == "mqtt://me:...@host"


def test_a_name_is_used_once() -> None:
    """Two groups with one name for two things would overwrite each other."""

    @dataclass(frozen=True)
    class Twice:
        boat: Boat
        again: Boat

    with pytest.raises(TypeError, match=r"Twice has fast, name, rig, sails twice"):
        settings_in(Twice)


def test_every_option_of_the_sender_has_a_heading_and_help() -> None:
    """So that --help explains all."""
    assert all(setting.panel and setting.info.help for setting in settings_in(SendSettings))


def test_passwords_in_a_file_are_kept_from_others(
    sail: Program, write: Callable[[str], Path]
) -> None:
    """A file that others can read may have none; the sentence has the command that mends it."""
    path = write('name = "mqtt://me:secret@host"')
    path.chmod(0o644)
    result = sail.run("--config", path)
    assert result.exit_code == 2
    assert f"run chmod 600 {path}" in result.output
    path.chmod(0o600)
    assert sail("--config", path).boat.name == "mqtt://me:secret@host"
    path = write('# name = "mqtt://me:secret@host"\nname = "mqtt://host"')
    path.chmod(0o644)
    assert sail("--config", path).boat.name == "mqtt://host"
