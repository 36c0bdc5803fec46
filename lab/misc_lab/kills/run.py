"""One run: a camera with a spool, a broker that comes and goes, a receiver that keeps pictures."""

from __future__ import annotations

import getpass
import json
import random
import re
import shutil
import socket
import sqlite3
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from misc_lab.kills.processes import ForkedProgram, preload
from misc_lab.survival.video import write_video
from misc_shared.errors import ConfigError

__all__ = ["KillSettings", "Outcome", "run_kills"]

_ARCHIVED = re.compile(r"camera~archive-(\d{8}T\d{6}\.\d{3}Z)\.coarse\.png")
_TELLING = re.compile(r'"event":"(caught-up|started|spooled)"')
_TAIL = 200_000
"""Bytes of the sender's reports in which there is one that says what waits."""
_PROGRAMS = ("misc-send", "misc-recv")
_SHORTEST = 0.1
_STEP = 0.02


@dataclass(frozen=True, kw_only=True)
class KillSettings:
    """How much is broken.

    Attributes:
        kills: of both programs together.
        seed: of the random moments.
        longest: seconds that a program lives at most.
        away: seconds that the broker is away at a time, at most.
        there: seconds that it is there at a time, at most.
        patience: seconds at the end without a picture that arrives, after which it is over.
        sealed: whether the stream has a key.
    """

    kills: int = 1000
    seed: int = 1
    longest: float = 3.0
    away: float = 5.0
    there: float = 9.0
    patience: float = 60.0
    sealed: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of the pictures.

    Attributes:
        sender_kills: how often the sender was killed.
        receiver_kills: how often the receiver was.
        taken_in: pictures that the spool ever took in.
        kept: pictures of the archive that the receiver has, each under its own name.
        waiting: pictures that still wait in the spool.
        lost: that were taken in, and are neither kept nor wait.
        twice: that are kept more often than they were taken in.
        told_and_missing: that the sender said to be spooled, and that are nowhere.
        live: files of live pictures.
        partial: files under a final name that do not decode.
        given_up: pictures that the sender said it gave up.
        seconds: that all took.
    """

    sender_kills: int
    receiver_kills: int
    taken_in: int
    kept: int
    waiting: int
    lost: int
    twice: int
    told_and_missing: int
    live: int
    partial: int
    given_up: int
    seconds: float

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, nothing came twice and nothing is half there."""
        faults = self.lost + self.twice + self.told_and_missing + self.partial
        return self.taken_in > 0 and faults + self.waiting + self.given_up == 0


def run_kills(folder: Path, settings: KillSettings) -> Outcome:
    """Kill both ends at random moments while the broker comes and goes; then let all arrive.

    Args:
        folder: an empty one.
        settings: how much.

    Raises:
        ConfigError: mosquitto is not installed.
    """
    preload()
    began = time.monotonic()
    stage = _Stage(folder, settings)
    try:
        kills = stage.break_things()
        stage.let_all_arrive()
    finally:
        stage.close()
    return _judge(folder, kills, seconds=time.monotonic() - began)


class _Stage:
    """The broker and both programs."""

    def __init__(self, folder: Path, settings: KillSettings) -> None:
        self._folder = folder
        self._settings = settings
        self._random = random.Random(settings.seed)
        self._broker = _Broker(folder)
        self._film = write_video(folder / "film.mp4", rate=10)
        self._key = folder / "camera.key"
        if settings.sealed:
            from misc_shared.security.keyring import write_key

            write_key(self._key)
        self._programs: dict[str, ForkedProgram] = {}

    def break_things(self) -> dict[str, int]:
        """Kill as often as asked for; tells how often which."""
        kills = dict.fromkeys(_PROGRAMS, 0)
        due = dict.fromkeys(kills, 0.0)
        turn_at = 0.0
        while sum(kills.values()) < self._settings.kills:
            now = time.monotonic()
            if now >= turn_at:
                most = self._settings.away if self._broker.up else self._settings.there
                turn_at = now + self._random.uniform(0.2, most)
                self._broker.turn()
            for name in kills:
                if not self._is_running(name):
                    self._start(name)
                    due[name] = now + self._random.uniform(_SHORTEST, self._settings.longest)
                elif now >= due[name]:
                    self._programs[name].kill()
                    kills[name] += 1
            time.sleep(_STEP)
        return kills

    def let_all_arrive(self) -> None:
        """Wait until nothing waits any more, or nothing arrives."""
        if not self._broker.up:
            self._broker.turn()
        waiting, since = -1, time.monotonic()
        while waiting and time.monotonic() < since + self._settings.patience:
            for name in _PROGRAMS:
                if not self._is_running(name):
                    self._start(name)
            time.sleep(0.5)
            before, waiting = waiting, self._waiting()
            if waiting != before:
                since = time.monotonic()

    def _waiting(self) -> int:
        """Pictures that wait in the spool, as the sender said last; -1 before it said anything."""
        log = self._folder / "misc-send.jsonl"
        if not log.exists():
            return -1
        size = log.stat().st_size
        with log.open("rb") as file:
            file.seek(max(0, size - _TAIL))
            lines = file.read().decode(errors="replace").splitlines()
        telling = [line for line in lines if line.startswith("{") and _TELLING.search(line)]
        if not telling:
            return -1
        last = json.loads(telling[-1])
        return 1 if last["event"] == "spooled" else last.get("waiting", last.get("spooled", 0))

    def close(self) -> None:
        """End all of it."""
        for program in self._programs.values():
            program.kill()
        self._broker.stop()

    def _is_running(self, name: str) -> bool:
        return name in self._programs and self._programs[name].running

    def _start(self, name: str) -> None:
        url = f"mqtt://127.0.0.1:{self._broker.port}/misc/"
        key = ("--key", self._key) if self._settings.sealed else ()
        if name == "misc-send":
            spool = ("--spool", self._folder / "spool", "--spool-every", 0.3)
            picture = ("--fps", 10, "--max-side", 64, "--bytes", 150, "--semantics", "none")
            arguments = (self._film, "--loop", "--to", f"{url}camera", *spool, *picture, *key)
        else:
            arguments = ("--from", f"{url}+", "--out", self._folder / "out", "--no-refine", *key)
        log = self._folder / f"{name}.jsonl"
        self._programs[name] = ForkedProgram(name, *arguments, log=log)


class _Broker:
    """A mosquitto of one's own."""

    def __init__(self, folder: Path) -> None:
        path = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
        program = shutil.which("mosquitto", path=path)
        if program is None:
            raise ConfigError("mosquitto is not installed: apt-get install mosquitto")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        config = folder / "mosquitto.conf"
        config.write_text(
            f"user {getpass.getuser()}\nlistener {self.port} 127.0.0.1\nallow_anonymous true\n"
        )
        self._command = [program, "-c", str(config)]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def up(self) -> bool:
        return self._process is not None

    def turn(self) -> None:
        """Kill it if it is there, start it if not."""
        if self.up:
            self.stop()
        else:
            self._process = subprocess.Popen(
                self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _judge(folder: Path, kills: dict[str, int], *, seconds: float) -> Outcome:
    reports = _reports(folder / "misc-send.jsonl")
    told = {_name(report["captured"]) for report in reports if report["event"] == "spooled"}
    gave_up = [report["pictures"] for report in reports if report["event"] == "spool-gave-up"]
    files = sorted((folder / "out").glob("*.png"))
    kept = {match[1] for file in files if (match := _ARCHIVED.fullmatch(file.name))}
    taken_in, waiting = _spooled(folder / "spool" / "spool.sqlite3")
    return Outcome(
        sender_kills=kills["misc-send"],
        receiver_kills=kills["misc-recv"],
        taken_in=taken_in,
        kept=len(kept),
        waiting=waiting,
        lost=max(0, taken_in - waiting - len(kept)),
        twice=max(0, len(kept) - taken_in),
        told_and_missing=0 if waiting else len(told - kept),
        live=len(files) - len(kept),
        partial=sum(not _decodes(file) for file in files),
        given_up=sum(map(int, gave_up)),
        seconds=round(seconds, 1),
    )


def _reports(log: Path) -> list[dict[str, float | str]]:
    lines = log.read_text(errors="replace").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


def _name(captured: object) -> str:
    from misc_receiver.archive import capture_name

    return capture_name(float(str(captured)))


def _spooled(file: Path) -> tuple[int, int]:
    """Pictures that a spool ever took in, and those that wait in it."""
    with closing(sqlite3.connect(file)) as database:
        found = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'pictures'")
        (ever,) = found.fetchone() or (0,)
        (waiting,) = database.execute("SELECT count(*) FROM pictures").fetchone()
    return int(ever), int(waiting)


def _decodes(file: Path) -> bool:
    try:
        with Image.open(file) as image:
            image.load()
    except (OSError, SyntaxError, ValueError):
        return False
    return True
