"""`misc-send` with the optional backends, as a user runs it: in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.sender.semantics.conftest import VisionServer
from tests.sender.semantics.conftest import vision_server as vision_server  # noqa: PLC0414 - a fixture
from tests.sender.semantics.tiny_models import (
    save_as_on_the_hub,
    save_clip,
    save_vision_language,
)

# Each starts a process, and loading torch on a busy machine takes minutes.
pytestmark = pytest.mark.timeout(600)

KEY = "sk-test-0123456789abcdef"
SEND = "import sys; sys.argv[0] = 'misc-send'; from misc_sender.cli import app; app()"

# Ends the process at once, because libraries swallow exceptions of their own little look-ups.
NO_NETWORK = """
import os, sys
sys.addaudithook(lambda event, _: event in ("socket.connect", "socket.getaddrinfo") and os._exit(9))
"""


def send(
    *arguments: object, before: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `misc-send`, after some other statements, and check that nobody tells the key."""
    inherited = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(
        [sys.executable, "-c", f"{before}\n{SEND}", *map(str, arguments)],
        env={**inherited, "MISC_OPENAI_KEY": KEY, **environment},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert KEY not in done.stdout + done.stderr
    return done


def reports(done: subprocess.CompletedProcess[str], event: str) -> list[dict[str, Any]]:
    """Return the reports of one kind of a run that ended well."""
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [line for line in lines if line["event"] == event]


def test_words_of_a_server_go_out_and_the_key_does_not(
    tmp_path: Path, vision_server: VisionServer
) -> None:
    """Not even into the logs of the libraries, which are all switched on here."""
    recording = tmp_path / "photo.misc"
    done = send(
        "sample:astronaut", "--to", f"file:{recording}", "--bytes", 2000,
        "--semantics", "openai", "--openai-model", "eye-1",
        before="import logging; logging.basicConfig(level=0)",
        MISC_OPENAI_URL=vision_server.url("good"),
    )  # fmt: skip
    (frame,) = reports(done, "frame")
    assert frame["items"] == ["astronaut", "flag"]
    assert frame["caption"] == "A smiling astronaut in an orange suit stands before a flag."
    assert "text" in frame["layers"]
    assert "maps" not in frame["layers"]
    assert "DEBUG:" in done.stderr
    assert KEY.encode() not in recording.read_bytes()


def test_nonsense_costs_the_words_and_the_stream_goes_on(
    tmp_path: Path, vision_server: VisionServer
) -> None:
    """Every picture arrives; the reports say why it has no text."""
    done = send(
        "sample:coffee", "--to", f"file:{tmp_path / 'photo.misc'}", "--bytes", 1500,
        "--semantics", "openai", "--openai-model", "eye-1",
        "--openai-url", vision_server.url("prose"),
    )  # fmt: skip
    (frame,) = reports(done, "frame")
    assert "text" not in frame["layers"]
    (missed,) = reports(done, "wordless")
    assert missed["reason"] == "the answer holds no JSON object"


def test_moving_pictures_do_not_wait_for_a_slow_server(
    tmp_path: Path, vision_server: VisionServer
) -> None:
    """The server takes 1.5 seconds; the first picture goes at once, without words."""
    url = vision_server.url("slow")
    done = send(
        "pattern", "--to", f"file:{tmp_path / 'pattern.misc'}", "--bytes", 1500, "--fps", 2,
        "--count", 8, "--max-side", 128, "--semantics", "openai", "--openai-model", "eye-1",
        "--openai-url", url,
    )  # fmt: skip
    frames = reports(done, "frame")
    assert len(frames) == 8
    assert "caption" not in frames[0]
    assert frames[-1]["caption"].startswith("A smiling astronaut")
    assert len(vision_server.requests(url)) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--semantics", "openai"), "no vision model is named; give one"),
        (
            ("--semantics", "openai", "--openai-model", "x", "--openai-url", "here"),
            "'here' is no URL of a vision server",
        ),
        (
            ("--semantics", "openai", "--openai-model", "x", "--openai-url", "http://127.0.0.1:9"),
            "http://127.0.0.1:9 does not answer",
        ),
        (
            ("--semantics", "transformers", "--transformers-model", "no/such"),
            "model no/such is not on this machine; run: hf download no/such",
        ),
        (
            ("--maps", "clip", "--clip-model", "no/such"),
            "model no/such is not on this machine; run: hf download no/such",
        ),
        (("--maps", "klip"), "no maps 'klip'"),
        (("--semantics", "klip"), "no semantics backend 'klip'"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    """Exit code 2, no traceback, and nothing written."""
    done = send("sample:coffee", "--to", f"file:{tmp_path / 'x.misc'}", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("misc-send: ")
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_key_is_one_sentence(tmp_path: Path) -> None:
    """It names the variable."""
    done = send(
        "sample:coffee", "--to", f"file:{tmp_path / 'x.misc'}",
        "--semantics", "openai", "--openai-model", "x",
        MISC_OPENAI_KEY="",
    )  # fmt: skip
    assert done.returncode == 2
    assert "https://api.openai.com/v1 needs a key; set OPENAI_API_KEY" in done.stderr


@pytest.mark.parametrize(
    ("package", "arguments", "extra"),
    [
        (
            "httpx2",
            ("--semantics", "openai", "--openai-model", "x", "--openai-url", "https://x.invalid"),
            "openai",
        ),
        ("torch", ("--semantics", "transformers"), "transformers"),
        ("transformers", ("--maps", "clip"), "transformers"),
    ],
)
def test_a_missing_package_is_one_sentence_with_the_command(
    tmp_path: Path, package: str, arguments: tuple[str, ...], extra: str
) -> None:
    """The edge has none of them unless it was asked for."""
    done = send(
        "sample:coffee", "--to", f"file:{tmp_path / 'x.misc'}", *arguments,
        before=f"import sys; sys.modules[{package!r}] = None",
    )  # fmt: skip
    assert done.returncode == 2
    assert f"needs the package {package}, which is not installed" in done.stderr
    assert f"pip install 'misc-streaming[{extra}]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def in_hub_cache(home: Path, name: str) -> Path:
    """Return the folder where the hub's client keeps a model's files; HF_HOME is `home`."""
    kept = home / "hub" / f"models--{name.replace('/', '--')}"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text("0" * 40)
    folder = kept / "snapshots" / ("0" * 40)
    folder.mkdir(parents=True)
    return folder


def test_local_models_give_words_and_maps_without_a_network(tmp_path: Path) -> None:
    """Tiny ones, kept as the hub's client keeps the defaults: one names things, one places them."""
    words = ("dog", ",", "grass", "and", "sky", ".")
    vlm = in_hub_cache(tmp_path, "HuggingFaceTB/SmolVLM-256M-Instruct")
    save_as_on_the_hub(save_vision_language(vlm, says=words))
    clip = in_hub_cache(tmp_path, "openai/clip-vit-base-patch16")
    save_as_on_the_hub(save_clip(clip))
    done = send(
        "sample:coffee", "--to", f"file:{tmp_path / 'photo.misc'}", "--bytes", 4000,
        "--semantics", "transformers", "--maps", "clip", "--map-grid", 8,
        before=NO_NETWORK,
        HF_HOME=str(tmp_path),
    )  # fmt: skip
    (frame,) = reports(done, "frame")
    assert frame["items"] == ["dog", "grass", "sky"]
    assert frame["caption"] == "dog , grass and sky ."
    assert frame["layers"]["maps"] > 0
    assert done.stderr == ""
