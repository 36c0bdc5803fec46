"""Keys as a user meets them: keygen, sealed recordings, a sealed stream over a broker."""

import json
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import Broker
from typer.testing import CliRunner

from misc_receiver.cli import app as receiving
from misc_sender.cli import app as sending
from misc_sender.cli import keygen_app

pytestmark = pytest.mark.timeout(600)


class Program:
    """The commands, in this process: starting one takes longer than all that it does here."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def __call__(self, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run one to its end; what it logs counts as standard error, as it would be."""
        self._caplog.clear()
        words = [str(argument) for argument in arguments]
        app = receiving if program == "misc-recv" else sending
        if words[0] == "keygen":
            app, words = keygen_app, words[1:]
        result = CliRunner().invoke(app, words)
        said = result.stderr + self._caplog.text
        return subprocess.CompletedProcess(words, result.exit_code, result.stdout, said)


@pytest.fixture
def run(caplog: pytest.LogCaptureFixture) -> Program:
    """Give what runs a program."""
    return Program(caplog)


def reports(
    done: subprocess.CompletedProcess[str], *, status: int = 0
) -> dict[str, dict[str, Any]]:
    """The last report of each kind."""
    assert done.returncode == status, done.stderr
    return {report["event"]: report for report in map(json.loads, done.stdout.splitlines())}


@pytest.fixture
def key(tmp_path: Path, run: Program) -> Path:
    """Give a new key file."""
    path = tmp_path / "camera.key"
    done = run("misc-send", "keygen", path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"fingerprint [0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}$", done.stdout.strip())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path


def secret_of(key: Path) -> str:
    """What must never be shown."""
    return key.read_text().splitlines()[-1].split(".")[1]


def record(run: Program, tmp_path: Path, *options: object) -> dict[str, dict[str, Any]]:
    """Send a picture into photo.misc."""
    words = ("sample:astronaut", "--to", f"file:{tmp_path}/photo.misc", "--max-side", 128)
    return reports(run("misc-send", *words, "--semantics", "none", "--stream", "camera", *options))


def receive(run: Program, tmp_path: Path, *options: object) -> subprocess.CompletedProcess[str]:
    """Receive from photo.misc."""
    return run("misc-recv", "--from", f"file:{tmp_path}/photo.misc", "--no-refine", *options)


def test_a_sealed_recording_keeps_its_budget_and_its_secret(
    run: Program, tmp_path: Path, key: Path
) -> None:
    """All bytes count, the seal's too, and both ends count the same; nothing shows the key."""
    sent = record(run, tmp_path, "--key", key, "--bytes", 600)
    assert sent["end"]["bytes"] <= 600
    done = receive(run, tmp_path, "--key", key, "--out", tmp_path)
    received = reports(done)
    assert received["end"]["bytes"] == sent["end"]["bytes"]
    assert "rejected" not in received["end"]
    assert Path(received["picture"]["file"]).exists()
    recorded = (tmp_path / "photo.misc").read_bytes()
    for shown in (json.dumps(sent), done.stdout, done.stderr, recorded.decode("latin-1")):
        assert secret_of(key) not in shown


def test_without_the_right_key_there_is_no_picture_but_a_sentence(
    run: Program, tmp_path: Path, key: Path
) -> None:
    """No key, another key, a key where the sender has none: our fault twice, then the sender's."""
    other = tmp_path / "other.key"
    run("misc-send", "keygen", other)
    record(run, tmp_path, "--key", key, "--bytes", 600)
    for options, sentence in (
        ((), "sealed: give --key FILE"),
        (("--key", other), "seems to have another key"),
    ):
        done = receive(run, tmp_path, *options)
        assert "picture" not in reports(done, status=2)
        assert sentence in done.stderr
        assert secret_of(other) not in done.stderr
    record(run, tmp_path, "--bytes", 600, "--overwrite")
    done = receive(run, tmp_path, "--key", key)
    assert "picture" not in reports(done, status=1)
    assert "seems to have no key" in done.stderr
    assert reports(done, status=1)["end"]["rejected"]["plain"] > 0


def test_what_cannot_be_is_told_before_anything_starts(
    run: Program, tmp_path: Path, key: Path
) -> None:
    """One sentence, exit code 2, and nothing written."""
    url = f"file:{tmp_path}/never.misc"
    named = tmp_path / "named.key"
    run("misc-send", "keygen", named, "--stream", "porch")
    for arguments, sentence in (
        (("keygen", key), "is there already: a key is never overwritten"),
        (("keygen", tmp_path / "x.key", "--stream", "a/b"), "is no stream name"),
        (("pattern", "--to", url, "--key", tmp_path / "none"), "cannot read the key file"),
        (("pattern", "--to", url, "--key", named), "--key holds no key of the stream"),
        (("pattern", "--to", url, "--key", key, "--mtu", 40), "too small with a key"),
    ):
        done = run("misc-send", *arguments)
        assert (done.returncode, sentence in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "never.misc").exists()
    record(run, tmp_path, "--bytes", 600)
    done = receive(run, tmp_path, "--allow", "porch,garden")
    assert done.returncode == 2
    assert "'camera' is not among those of --allow: garden, porch" in done.stderr


def test_a_sealed_picture_over_a_broker(run: Program, key: Path, broker: Broker) -> None:
    """Live, with acknowledgements: the sender learns that it was delivered."""
    start = "from misc_receiver.cli import app; app()"
    listening = [sys.executable, "-c", start, "--from", broker.url, "--key", str(key), "--once"]
    with subprocess.Popen(
        [*listening, "--no-refine"], stdout=subprocess.PIPE, text=True
    ) as receiver:
        assert receiver.stdout is not None
        while json.loads(receiver.stdout.readline())["event"] != "started":
            pass
        options = ("--max-side", 128, "--bytes", 600, "--semantics", "none", "--key", key)
        sent = reports(run("misc-send", "sample:astronaut", "--to", broker.url, *options))
        heard = [json.loads(line) for line in receiver.stdout]
    assert sent["done"]["outcome"] == "delivered"
    assert any(report["event"] == "picture" for report in heard)
    assert not any(report.get("rejected") for report in heard)


def test_keygen_is_a_word_of_misc_send(tmp_path: Path) -> None:
    """In a process of its own, as its entry point has it."""
    start = "import sys; sys.argv = ['misc-send', 'keygen', sys.argv[1]]; "
    start += "from misc_sender.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", start, str(tmp_path / "a.key")],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert "a new key, fingerprint" in done.stdout
    assert (tmp_path / "a.key").exists()
