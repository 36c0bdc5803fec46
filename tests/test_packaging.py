"""What is installed: the wheel's contents, lazy imports, import contracts and exact versions."""

import resource
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
ROOMS = ("lab/misc_lab", "receiver/misc_receiver", "sender/misc_sender", "shared/misc_shared")
COMMANDS = ("misc_sender.cli", "misc_receiver.cli", "misc_lab.cli_sim", "misc_lab.cli_bench")
HEAVY = ("accelerate", "diffusers", "matplotlib", "skimage", "torch", "transformers")


def run(*arguments: str | Path, **options: Path) -> str:
    """Run a command, fail with what it said if it fails, and give its standard output."""
    done = subprocess.run(arguments, check=False, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Build the wheel as an installer would and list what is in it."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_wheel_holds_every_module_and_every_file_of_the_packs(wheel_names: set[str]) -> None:
    """A user who installs the wheel lacks nothing that the working tree has."""
    rooms = [ROOT / room for room in ROOMS]
    expected = {
        path.relative_to(room.parent).as_posix()
        for room in rooms
        for path in room.rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }

    assert expected <= wheel_names
    assert any(name.startswith("misc_shared/packs/") for name in expected)


def test_wheel_holds_nothing_else(wheel_names: set[str]) -> None:
    """Tests, recipes and caches stay out of users' site-packages."""
    tops = {name.split("/")[0] for name in wheel_names}

    assert tops == {room.split("/")[1] for room in ROOMS} | {"misc_streaming-0.1.0.dist-info"}
    assert not [name for name in wheel_names if "__pycache__" in name]


@pytest.mark.parametrize("module", COMMANDS)
def test_help_needs_nothing_heavy(module: str) -> None:
    """Help loads no torch and no plotting, so that it answers at once."""
    program = (
        "import contextlib, io, sys\n"
        f"from {module} import app\n"
        "shown = io.StringIO()\n"
        "with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):\n"
        "    app(['--help'])\n"
        "assert 'Usage' in shown.getvalue()\n"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules))\n"
    )

    assert run(sys.executable, "-c", program).split() == []


@pytest.mark.parametrize("command", ["misc-send", "misc-recv"])
def test_help_answers_in_half_a_second_of_work(command: str) -> None:
    """Processor time, because a busy machine says nothing about the program."""
    script = Path(sysconfig.get_path("scripts")) / command
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(script, "--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    assert after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime < 0.6


def test_import_contracts_hold() -> None:
    """Rooms import one way, the edge never reaches torch, the session does no I/O."""
    lint_imports = Path(sysconfig.get_path("scripts")) / "lint-imports"

    assert "0 broken" in run(lint_imports, "--no-cache", cwd=ROOT)


def requirements_of(name: str) -> set[str]:
    """Give the names that an installed distribution needs on this platform; none if absent."""
    try:
        lines = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return set()
    needed = [Requirement(line) for line in lines]
    return {
        canonicalize_name(each.name)
        for each in needed
        if each.marker is None or each.marker.evaluate({"extra": ""})
    }


def test_constraints_name_one_version_of_every_dependency() -> None:
    """Whatever an extra brings, directly or through others, has its exact version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    direct = [*project["dependencies"], *(line for extra in extras for line in extra)]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]

    seen: set[str] = set()
    waiting = {canonicalize_name(Requirement(line).name) for line in direct} - {project["name"]}
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= requirements_of(name) - seen

    assert seen - {"pip"} <= {pin.name for pin in pins}
    assert {operator.operator for pin in pins for operator in pin.specifier} == {"=="}
