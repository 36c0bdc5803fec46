"""`misc-send` and `misc-recv` as a user runs them: in processes of their own."""

import importlib
import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import msgpack
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.integration.conftest import Broker
from typer.testing import CliRunner

# Each starts several processes, and loading torch on a busy machine takes minutes.
pytestmark = pytest.mark.timeout(600)

PROGRAMS = {"misc-send": "misc_sender.cli", "misc-recv": "misc_receiver.cli"}


def _command(program: str, *arguments: object) -> list[str]:
    start = f"import sys; sys.argv[0] = {program!r}; from {PROGRAMS[program]} import app; app()"
    return [sys.executable, "-c", start, *map(str, arguments)]


def _run(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(program, *arguments), capture_output=True, text=True, timeout=500, check=False
    )


def _reports(program: str, *arguments: object) -> list[dict[str, Any]]:
    done = _run(program, *arguments)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def _only(reports: list[dict[str, Any]], event: str) -> dict[str, Any]:
    (report,) = (report for report in reports if report["event"] == event)
    return report


class Background:
    """A program that runs meanwhile, and what it reports."""

    def __init__(self, program: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            _command(program, *arguments), stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._lines: IO[str] = self._process.stdout

    def reports(self) -> Iterator[dict[str, Any]]:
        """Give its reports as they come."""
        return (json.loads(line) for line in self._lines)

    def wait_for(self, event: str) -> dict[str, Any]:
        """Skip its reports until one of this kind."""
        return next(report for report in self.reports() if report["event"] == event)

    def finish(self) -> list[dict[str, Any]]:
        """Wait until it ends well; give the reports that were not read."""
        rest = list(self.reports())
        assert self._process.wait(timeout=300) == 0
        self._lines.close()
        return rest

    def interrupt(self) -> int:
        """Press Ctrl-C and give the exit code."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(timeout=300)

    def stop(self) -> None:
        """End it in any case."""
        self._process.kill()
        self._process.wait()
        self._lines.close()


@pytest.fixture
def picture(tmp_path: Path, photo: NDArray[np.uint8]) -> Path:
    """Write a photograph of 256x320 pixels."""
    path = tmp_path / "photo.png"
    Image.fromarray(photo[:256, :320]).save(path)
    return path


def test_a_picture_through_a_recording(picture: Path, tmp_path: Path) -> None:
    """Two commands: the coarse picture has the original size, and all bytes fit the budget."""
    recording, out = tmp_path / "photo.misc", tmp_path / "out"
    sent = _reports(
        "misc-send", picture, "--to", f"file:{recording}", "--bytes", 400, "--semantics", "none"
    )
    with recording.open("rb") as file:
        header, *entries = msgpack.Unpacker(file)
    assert header["stream"] == "photo"
    assert sum(len(datagram) for _, datagram in entries) == _only(sent, "end")["bytes"] <= 400
    received = _reports("misc-recv", "--from", f"file:{recording}", "--out", out, "--no-refine")
    coarse = _only(received, "picture")
    assert coarse["kind"] == "coarse"
    assert not coarse["generated"]
    assert coarse["since_capture"] >= 0
    assert [Path(coarse["file"])] == list(out.iterdir())
    assert Path(coarse["file"]).name == f"photo-{coarse['frame']}.coarse.png"
    with Image.open(coarse["file"]) as image:
        assert image.size == (320, 256)


def test_a_recording_that_was_cut_off(picture: Path, tmp_path: Path) -> None:
    """The last layer is lost: a warning, and the picture that the others make."""
    recording = tmp_path / "photo.misc"
    _reports("misc-send", picture, "--to", f"file:{recording}", "--semantics", "none")
    recording.write_bytes(recording.read_bytes()[:-60])
    done = _run("misc-recv", "--from", f"file:{recording}", "--no-refine")
    assert done.returncode == 0
    assert "is cut off" in done.stderr
    received = [json.loads(line) for line in done.stdout.splitlines()]
    assert _only(received, "picture")["layers"] < 3
    assert _only(received, "end")["frames"] == 0


def test_hostile_datagrams_in_a_recording(picture: Path, tmp_path: Path) -> None:
    """Whatever they hold, they are counted and the picture comes out."""
    recording = tmp_path / "photo.misc"
    _reports("misc-send", picture, "--to", f"file:{recording}", "--semantics", "none")
    whole = list(msgpack.Unpacker(io.BytesIO(recording.read_bytes())))
    random = np.random.default_rng(1)
    garbage = [[5, random.bytes(size)] for size in range(100)]
    bombs = [[5, b"\x80" * 60_000], [5, b"\xdd\xff\xff\xff\xff"], [5, b"\xc6\xff\xff\xff\xff"]]
    entries = [*whole[:2], *garbage, *bombs, *whole[2:]]
    recording.write_bytes(b"".join(map(msgpack.packb, entries)))
    received = _reports("misc-recv", "--from", f"file:{recording}", "--no-refine")
    assert _only(received, "picture")["layers"] == 3
    assert _only(received, "end")["refused"] == 103


def test_words_come_before_the_picture(picture: Path, tmp_path: Path) -> None:
    """The text is reported first, as it was written."""
    recording = tmp_path / "photo.misc"
    says = {"items": [{"name": "astronaut"}], "caption": "A woman in an orange suit smiles."}
    picture.with_name("photo.png.json").write_text(json.dumps(says))
    _reports("misc-send", picture, "--to", f"file:{recording}", "--semantics", "file")
    received = _reports("misc-recv", "--from", f"file:{recording}", "--no-refine")
    shown = [report for report in received if report["event"] in {"text", "picture"}]
    assert [report["event"] for report in shown] == ["text", "picture"]
    assert shown[0]["items"] == says["items"]
    assert shown[0]["caption"] == says["caption"]
    assert "file" not in shown[1]


def test_every_picture_of_a_recording_is_refined(picture: Path, tmp_path: Path) -> None:
    """Previews on the way, the results at the original size, and marked as generated."""
    recording, out = tmp_path / "twice.misc", tmp_path / "out"
    _reports(
        "misc-send", picture, "--loop", "--count", 2, "--to", f"file:{recording}",
        "--bytes", 300, "--semantics", "none",
    )  # fmt: skip
    received = _reports("misc-recv", "--from", f"file:{recording}", "--out", out, "--steps", 2)
    frames = [report["frame"] for report in received if report["event"] == "done"]
    assert len(set(frames)) == 2
    for frame in frames:
        kinds = [r["kind"] for r in received if r["event"] == "picture" and r["frame"] == frame]
        assert kinds == ["coarse", "preview-1", "refined"]
        with Image.open(out / f"photo-{frame}.refined.png") as image:
            image.load()
            assert image.size == (320, 256)
            marked = image.text.get("DigitalSourceType") == "compositeWithTrainedAlgorithmicMedia"
            assert marked or "rejected" in image.text["Refined"]


def test_a_stream_through_a_broker(broker: Broker, tmp_path: Path) -> None:
    """Sender and receiver meet at a broker; pictures arrive while they are sent."""
    out = tmp_path / "out"
    receiver = Background(
        "misc-recv", "--from", broker.url, "--out", out, "--no-refine", "--count", 2
    )
    try:
        receiver.wait_for("started")
        sent = _reports(
            "misc-send", "pattern", "--to", broker.url, "--count", 2, "--fps", 1,
            "--bytes", 300, "--semantics", "none", "--deadline", 20,
        )  # fmt: skip
        received = receiver.finish()
    finally:
        receiver.stop()
    assert [end["outcome"] for end in sent if end["event"] == "done"] == ["delivered"] * 2
    assert {report["frame"] for report in sent if report["event"] == "frame"} == {
        report["frame"] for report in received if report["event"] == "picture"
    }
    assert len(list(out.glob("camera-*.coarse.png"))) == 2


def test_a_stream_survives_a_broker_restart(broker: Broker) -> None:
    """After the broker's return fresh pictures arrive, without anybody's help."""
    receiver = Background("misc-recv", "--from", broker.url, "--no-refine")
    sender = None
    try:
        receiver.wait_for("started")
        sender = Background(
            "misc-send", "pattern", "--to", broker.url, "--fps", 2, "--bytes", 200,
            "--semantics", "none", "--deadline", 5,
        )  # fmt: skip
        before = receiver.wait_for("picture")["frame"]
        broker.stop()
        broker.start()
        after = receiver.wait_for("picture")["frame"]
        while after <= before:
            after = receiver.wait_for("picture")["frame"]
        assert after.split("-")[0] == before.split("-")[0]
    finally:
        receiver.stop()
        if sender is not None:
            sender.stop()


def test_ctrl_c_leaves_a_whole_recording(tmp_path: Path) -> None:
    """An endless stream is ended by the user; what was recorded until then can be received."""
    recording = tmp_path / "x.misc"
    sender = Background(
        "misc-send", "pattern", "--to", f"file:{recording}", "--fps", 4, "--semantics", "none"
    )
    try:
        sender.wait_for("done")
        assert sender.interrupt() == 0  # a stream without an end
    finally:
        sender.stop()
    received = _reports("misc-recv", "--from", f"file:{recording}", "--no-refine")
    assert _only(received, "end")["frames"] >= 1
    assert _only(received, "end")["refused"] == 0


def test_a_closed_pipe_ends_it_quietly(tmp_path: Path) -> None:
    """As in `misc-send ... | head -1`: no traceback."""
    arguments = ["pattern", "--to", f"file:{tmp_path / 'x.misc'}", "--fps", 20, "--semantics=none"]
    with subprocess.Popen(
        _command("misc-send", *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as sender:
        assert sender.stdout is not None
        assert sender.stderr is not None
        assert "started" in sender.stdout.readline()
        sender.stdout.close()
        assert sender.stderr.read() == ""
        assert sender.wait(timeout=300) == 141


@pytest.mark.parametrize(
    ("program", "arguments", "complaint"),
    [
        ("misc-send", ["none.png", "--to", "file:x.misc"], "there is no source 'none.png'"),
        ("misc-send", ["camera97", "--to", "file:x.misc"], "there is no /dev/video97"),
        ("misc-send", ["sample:x", "--to", "file:x.misc"], "the samples are astronaut"),
        ("misc-send", ["pattern", "--to", "pigeon:coop"], "'pigeon' is no transport"),
        ("misc-send", ["pattern", "--to", "mqtt://localhost:1"], "localhost:1 does not answer"),
        ("misc-send", ["pattern", "--to", "file:x.misc", "--bytes", "0"], "give at least 1"),
        ("misc-send", ["pattern", "--to", "file:x.misc", "--quality", "99"], "quality 99"),
        ("misc-send", ["pattern", "--to", "file:x.misc", "--semantics", "x"], "backend 'x'"),
        ("misc-send", ["pattern", "--to", "file:x.misc", "--mtu", "9"], "9"),
        ("misc-send", ["pattern", "--to", "file:x.misc", "--pack", "none"], "no model pack"),
        ("misc-send", ["pattern", "--to", "file:x.misc", "--stream", "../x"], "no stream name"),
        ("misc-recv", ["--from", "file:none.misc"], "cannot read the recording none.misc"),
        ("misc-recv", ["--from", "pigeon:coop"], "'pigeon' is no transport"),
        ("misc-recv", ["--from", "file:x", "--steps", "0"], "0 refinement steps"),
        ("misc-recv", ["--from", "file:x", "--fidelity", "2"], "fidelity 2"),
        ("misc-recv", ["--from", "file:x", "--once", "--count", "2"], "drop one of them"),
        ("misc-recv", ["--from", "file:x", "--gpu", "--no-refine"], "drop one of them"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    program: str,
    arguments: list[str],
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit code 2, one line on standard error, no traceback, and no file left behind."""
    monkeypatch.chdir(tmp_path)
    semantics = [] if program == "misc-recv" or "--semantics" in arguments else ["--semantics=none"]
    app = importlib.import_module(PROGRAMS[program]).app
    result = CliRunner().invoke(app, [*arguments, *semantics])
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stderr.startswith(f"{program}: ")
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_local_fault_in_a_process_of_its_own() -> None:
    """The same as a shell sees it."""
    done = _run("misc-send", "none.png", "--to", "file:x.misc")
    assert done.returncode == 2
    assert done.stderr.startswith("misc-send: there is no source")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("program", list(PROGRAMS))
def test_help_answers_at_once(program: str) -> None:
    """Under 0.6 s of processor time, because nothing heavy is imported."""
    heavy = "{'torch', 'onnxruntime', 'numpy', 'av', 'PIL', 'aiomqtt', 'rich'}"
    probe = (
        f"import sys, time; sys.argv = [{program!r}, '--help']; "
        f"from {PROGRAMS[program]} import app\n"
        "try: app()\n"
        f"finally: print(time.process_time(), sorted({heavy} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    seconds, imported = done.stderr.split(maxsplit=1)
    assert "Usage" in done.stdout
    assert float(seconds) < 0.6
    assert imported.strip() == "[]"


def test_the_sender_is_small(tmp_path: Path) -> None:
    """Encoding 512x384 pictures peaks below 400 MB, and torch is never imported."""
    probe = (
        "import re, sys; from misc_sender.cli import app\n"
        "try: app()\n"
        "finally:\n"
        "    status = open('/proc/self/status').read()\n"
        "    peak = re.search(r'VmHWM:\\s+(\\d+) kB', status).group(1)\n"
        "    print(peak, 'torch' in sys.modules, file=sys.stderr)"
    )
    arguments = ["pattern", "--to", f"file:{tmp_path / 'x.misc'}", "--count", "3", "--fps", "4"]
    done = subprocess.run(
        [sys.executable, "-c", probe, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    kilobytes, torch_imported = done.stderr.split()
    assert int(kilobytes) < 400_000
    assert torch_imported == "False"
