"""The files in deploy/: settings that the real programs read, units that systemd takes."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from misc_receiver.cli import app as receive
from misc_receiver.options import ReceiveSettings
from misc_sender.cli import app as send
from misc_sender.options import SendSettings
from misc_shared.settings import settings_in
from misc_shared.settings.file import read_settings

DEPLOY = Path(__file__).parent.parent / "deploy"
PROGRAMS = {"send": (SendSettings, send), "recv": (ReceiveSettings, receive)}
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
# Newer than Debian 12's systemd, which says that it ignores them.
NEWER = {"RestartSteps", "RestartMaxDelaySec"}


@pytest.mark.parametrize(
    "example", sorted((DEPLOY / "config").glob("*.toml")), ids=lambda p: p.name
)
def test_example_settings_are_read_by_the_programs(example: Path, tmp_path: Path) -> None:
    """Every key is an option, and all that is required is there."""
    settings, app = PROGRAMS[example.name[:4]]
    path = tmp_path / example.name
    path.touch(mode=0o600)  # as README.md installs it: it has a password
    path.write_text(example.read_text())
    values = read_settings(path, settings_in(settings))
    assert len(values) >= 5
    printed = CliRunner().invoke(app, ["--config", str(path), "--print-config"])
    assert printed.exit_code == 0, printed.output
    assert "CHANGE-ME" not in printed.output
    assert printed.output.count("# the file") == len(values)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_the_units(unit: Path, tmp_path: Path) -> None:
    """It finds nothing to complain of, but that the program is not installed."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    copy = tmp_path / unit.name
    copy.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text()))
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False
    )
    complaints = [line for line in done.stderr.splitlines() if str(copy) in line]
    assert not [line for line in complaints if not any(key in line for key in NEWER)]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_confined_and_never_give_up(unit: Path) -> None:
    """What they must not lose by an edit."""
    lines = unit.read_text().splitlines()
    for line in (
        "DynamicUser=yes",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=",
        "Restart=always",
        "StartLimitIntervalSec=0",
    ):
        assert line in lines
    program = unit.name.partition("@")[0].partition(".")[0]
    assert f"ExecStart=/opt/misc/bin/{program} --config %d/config" in lines


def test_the_container_file_copies_what_is_there() -> None:
    """And its list of what to send to the builder lets exactly that through."""
    text = (DEPLOY / "container" / "Containerfile").read_text()
    copied = {
        word
        for line in re.findall(r"(?m)^COPY (?!--from)(.+)$", text)
        for word in line.split()[:-1]
    }
    assert all((DEPLOY.parent / name).exists() for name in copied)
    let_through = (DEPLOY / "container" / "Containerfile.dockerignore").read_text()
    assert set(re.findall(r"(?m)^!(.+)$", let_through)) == copied
    assert "torch" not in text.partition("AS build-receiver")[0].partition("AS build-edge")[2]
