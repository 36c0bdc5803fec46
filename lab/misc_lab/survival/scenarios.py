"""What is broken, and how soon the stream shows fresh pictures again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from misc_lab.survival.parts import Broker, Event, Hub, Network, Program, WebRtcHub
from misc_shared.security.keyring import write_key

__all__ = ["MQTT_ONLY", "SCENARIOS", "Setting", "Stage", "describe", "open_stage"]

_WARM_UP = 6.0
_STALE_AFTER = 10.0
_READING = 2.0
"""Seconds that a report may take from a busy program to here."""
_HOUR = 3600.0
_DAY = 86_400.0
_LEAST_SPOOLED = 5
_KILLED = "killed"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How the ends are connected.

    Attributes:
        transport: "mqtt" or "webrtc".
        sealed: whether both ends have a key.
        late: seconds after which a receiver is started late.
    """

    transport: str = "mqtt"
    sealed: bool = False
    late: float = _HOUR


@dataclass
class Stage:
    """Everything that runs.

    Attributes:
        network: between camera and hub.
        hub: what stands between them.
        setting: how they are connected.
        folder: for files.
        video: what the camera sees.
        sender: at the camera.
        receiver: at the hub.
        shown: pictures and marks of all receivers so far.
    """

    network: Network
    hub: Hub
    setting: Setting
    folder: Path
    video: Path
    sender: Program = field(init=False)
    receiver: Program = field(init=False)
    past: list[Event] = field(default_factory=list)

    def start_sender(self, *options: str) -> Program:
        """Start a camera and wait until it sends."""
        program = Program(
            "misc_sender.cli", str(self.video), "--loop", "--to", self.hub.url,
            "--semantics", "none", "--bytes", "400", "--deadline", "20", *options,
            *self.hub.options, *self._key, host="camera", folder=self.folder,
        )  # fmt: skip
        program.wait_for("started")
        return program

    def start_receiver(self, url: str = "") -> Program:
        """Start a receiver of the camera, or of what `url` says, and wait until it listens."""
        program = Program(
            "misc_receiver.cli", "--from", url or self.hub.listen, "--no-refine",
            *self.hub.options, *self._key, host="hub", folder=self.folder,
        )  # fmt: skip
        program.wait_for("listening", "started")
        return program

    @property
    def _key(self) -> tuple[str, ...]:
        path = self.folder / "camera.key"
        if self.setting.sealed and not path.exists():
            write_key(path)
        return ("--key", str(path)) if self.setting.sealed else ()

    def kill_receiver(self) -> None:
        """Kill it in the middle of a frame."""
        since = time.time()
        self.receiver.wait_for("frame", since=since)
        self.receiver.kill()
        # Whoever is not there says nothing of a silence.
        self.past += [*self.receiver.events, Event(time.time(), {"event": _KILLED})]

    def replace_receiver(self) -> None:
        """Kill it in the middle of a frame and start another."""
        self.kill_receiver()
        self.receiver = self.start_receiver()

    def fresh_after(self, moment: float, *, timeout: float = 60.0) -> float:
        """Seconds from `moment` until a picture captured after it is shown."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for event in list(self.receiver.events):
                captured = event.captured_at
                shows = event.what["event"] == "picture" and event.at >= moment
                # Ages are rounded, and one below zero would say that a clock is not believed.
                if shows and captured is not None and moment - 1.0 <= captured <= event.at + 1.0:
                    return event.at - moment
            time.sleep(0.2)
        return float("inf")

    def memory(self, when: str) -> dict[str, float]:
        """MB that both ends take."""
        ends = {"sender": self.sender, "receiver": self.receiver}
        return {f"{name}_mb_{when}": round(end.memory(), 1) for name, end in ends.items()}

    def unmarked_gaps(self) -> list[float]:
        """Seconds of each silence after which the receiver had to say "stale" and did not."""
        found = []
        events = [event for event in self.past + self.receiver.events if event.what["event"] in
                  ("picture", "stale", "started", "sender-ended", _KILLED)]  # fmt: skip
        for first, second in pairwise(events):
            silence = second.at - first.at
            limit = _STALE_AFTER + _READING
            if first.what["event"] == "picture" and silence > limit:
                found.append(round(silence, 2))
        return found


@contextmanager
def open_stage(folder: Path, video: Path, setting: Setting) -> Iterator[Stage]:
    """Start everything; end everything."""
    with Network() as network:
        hub = Broker(folder) if setting.transport == "mqtt" else WebRtcHub(folder)
        stage = Stage(network, hub, setting, folder, video)
        stage.hub.start()
        try:
            stage.receiver = stage.start_receiver()
            stage.sender = stage.start_sender()
            stage.receiver.wait_for("picture")
            time.sleep(_WARM_UP)
            yield stage
        finally:
            for name in ("sender", "receiver"):
                if hasattr(stage, name):
                    getattr(stage, name).kill()
            stage.hub.kill()


def broker_killed(stage: Stage) -> float:
    """The broker is killed and comes back after 20 s; without one, the receiver."""
    if stage.setting.transport == "mqtt":
        stage.hub.kill()
        time.sleep(20)
        stage.hub.start()
        return stage.fresh_after(time.time())
    stage.kill_receiver()
    time.sleep(20)
    return _receiver_back(stage)


def network_cut(seconds: float) -> Callable[[Stage], float]:
    """The network swallows everything for a while."""

    def scenario(stage: Stage) -> float:
        stage.network.cut()
        time.sleep(seconds)
        stage.network.mend()
        return stage.fresh_after(time.time())

    return scenario


def receiver_restarted(stage: Stage) -> float:
    """The receiver is killed in the middle of a frame; counted from when the next one listens."""
    stage.kill_receiver()
    return _receiver_back(stage)


def receiver_late(stage: Stage) -> float:
    """A receiver starts an hour after the sender, which nobody heard all the while."""
    stage.receiver.kill()
    stage.sender.kill()
    if stage.setting.transport == "mqtt":
        stage.sender = stage.start_sender()
        time.sleep(stage.setting.late)
        return _receiver_back(stage)
    # WebRTC needs somebody to call first; then the receiver is away for an hour.
    stage.receiver = stage.start_receiver()
    stage.sender = stage.start_sender()
    stage.receiver.wait_for("picture")
    stage.kill_receiver()
    time.sleep(stage.setting.late)
    return _receiver_back(stage)


def _receiver_back(stage: Stage) -> float:
    """Start a receiver; seconds from when it listens until it shows a fresh picture."""
    stage.receiver = stage.start_receiver()
    return stage.fresh_after(stage.receiver.wait_for("listening", "started").at)


def sender_restarted(stage: Stage) -> float:
    """The sender is killed; counted from when the next one is connected."""
    stage.sender.kill()
    stage.sender = stage.start_sender()
    return stage.fresh_after(time.time())


def two_senders(stage: Stage) -> float:
    """A second sender takes the stream's name for a while, then dies without a word.

    Over WebRTC it is turned away while the first one is there.
    """
    try:
        rival = stage.start_sender()
    except TimeoutError:
        return stage.fresh_after(time.time())
    with_both = stage.fresh_after(time.time())
    time.sleep(5)
    rival.kill()
    return max(with_both, stage.fresh_after(time.time() + 1.0) + 1.0)


def spooled(stage: Stage) -> float:
    """The broker is away for 40 s; what the camera saw meanwhile is in the archive afterwards."""
    stage.sender.kill()
    spool = stage.folder / "spool"
    stage.sender = stage.start_sender("--spool", str(spool), "--spool-every", "5")
    stage.receiver.wait_for("picture", since=time.time())
    stage.hub.kill()
    time.sleep(40)
    stage.hub.start()
    moment = time.time()
    fresh = stage.fresh_after(moment)
    archive = stage.start_receiver(Broker.archive_url)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not _caught_up(stage.sender):
        time.sleep(0.5)
    archive.kill()
    shown = {event.what["frame"] for event in archive.events if event.what["event"] == "picture"}
    if len(shown) < _LEAST_SPOOLED:
        return float("inf")
    return fresh


def _caught_up(sender: Program) -> bool:
    """Whether all that was kept has arrived."""
    waiting = [event.what["waiting"] for event in list(sender.events)
               if event.what["event"] == "caught-up"]  # fmt: skip
    return bool(waiting) and waiting[-1] == 0


def clocks_set_back(seconds: float) -> Callable[[Stage], float]:
    """Both ends' clocks are set back while they run; then each restarts."""

    def scenario(stage: Stage) -> float:
        stage.sender.shift_clock(-seconds)
        stage.receiver.shift_clock(-seconds)
        running = stage.fresh_after(time.time())
        stage.sender.kill()
        stage.sender = stage.start_sender()
        sender = stage.fresh_after(time.time())
        stage.kill_receiver()
        return max(running, sender, _receiver_back(stage))

    return scenario


SCENARIOS: dict[str, Callable[[Stage], float]] = {
    "broker killed for 20 s": broker_killed,
    "network cut for 20 s": network_cut(20),
    "network cut for 60 s": network_cut(60),
    "receiver killed in mid-frame": receiver_restarted,
    "sender killed": sender_restarted,
    "two senders with one name": two_senders,
    "broker killed for 40 s, with a spool": spooled,
    "clocks set back by an hour": clocks_set_back(_HOUR),
    "clocks set back by a day": clocks_set_back(_DAY),
    "receiver started late": receiver_late,
}

MQTT_ONLY = {"broker killed for 40 s, with a spool"}


def describe(stage: Stage, seconds: float, memory: dict[str, float]) -> dict[str, Any]:
    """What came of a scenario, JSON-ready."""
    return {
        "fresh_after_seconds": round(seconds, 2),
        "unmarked_gaps_seconds": stage.unmarked_gaps(),
        "pictures": sum(event.what["event"] == "picture" for event in stage.receiver.events),
        **memory,
    }
