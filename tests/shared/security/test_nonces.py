"""No key sees a nonce twice, however often both ends start, and whatever their clocks say."""

import pytest
from cryptography.hazmat.primitives.ciphers import aead
from hypothesis import given, settings
from hypothesis import strategies as st

from misc_shared.security import StreamKey
from misc_shared.security.receiver_seal import ReceiverSeal
from misc_shared.security.sender_seal import SenderSeal

_SEALED: list[tuple[bytes, bytes]] = []
"""Key and nonce of everything that was encrypted."""


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look over the shoulder of the real cipher."""
    real = aead.AESSIV

    class Watched:
        def __init__(self, key: bytes) -> None:
            self._key, self._real = key, real(key)

        def encrypt(self, data: bytes, associated: list[bytes]) -> bytes:
            _SEALED.append((self._key, associated[-1]))
            return self._real.encrypt(data, associated)

        def decrypt(self, data: bytes, associated: list[bytes]) -> bytes:
            return self._real.decrypt(data, associated)

    monkeypatch.setattr(aead, "AESSIV", Watched)


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("sender"), st.sampled_from(["garden", "porch"])),
        st.tuples(st.just("receiver"), st.sampled_from(["garden", "porch"])),
        st.tuples(st.just("forth"), st.integers(0, 7)),
        st.tuples(st.just("back"), st.integers(0, 7)),
        st.tuples(st.just("time"), st.floats(0, 40)),
        st.tuples(st.just("clock"), st.integers(-3600, 3600)),
    ),
    max_size=60,
)


class _World:
    """Cameras and receivers that share one key file; a step of a test changes something."""

    def __init__(self) -> None:
        self.key = StreamKey(bytes(32))
        self.now, self.wall = 0.0, 1_800_000_000.0
        self.senders = [self._sender("garden")]
        self.receivers = [self._receiver("garden")]

    def step(self, what: str, value: object) -> None:
        match what, value:
            case "sender", str(stream):
                self.senders.append(self._sender(stream))
            case "receiver", str(stream):
                self.receivers.append(self._receiver(stream))
            case "forth", int(number):
                self._forth(self.senders[number % len(self.senders)])
            case "back", int(number):
                self._back(self.receivers[number % len(self.receivers)])
            case "time", float(seconds):
                self.now += seconds
                self.wall += seconds
            case "clock", int(seconds):
                self.wall += seconds

    def _sender(self, stream: str) -> SenderSeal:
        return SenderSeal(self.key, stream=stream, mtu=100)

    def _receiver(self, stream: str) -> ReceiverSeal:
        return ReceiverSeal(self.key, stream=stream, mtu=100, now=self.now, wall=self.wall)

    def _forth(self, sender: SenderSeal) -> None:
        for size in (10, 70):
            for sealed in sender.seal(bytes(size), now=self.now, wall=self.wall):
                for receiver in self.receivers:
                    receiver.open(sealed, now=self.now)

    def _back(self, receiver: ReceiverSeal) -> None:
        out = receiver.pending(now=self.now, wall=self.wall)
        out += receiver.seal(b"\x96", now=self.now, wall=self.wall)
        for sealed in out:
            for sender in self.senders:
                sender.open(sealed, now=self.now)


@settings(max_examples=60, deadline=None)
@given(_STEPS)
def test_no_nonce_returns_over_restarts(steps: list[tuple[str, object]]) -> None:
    """One key file, two streams, both directions, ends that restart, clocks that are set back."""
    _SEALED.clear()
    world = _World()
    for step in [("forth", 0), ("back", 0), *steps, ("forth", 0), ("back", 0)]:
        world.step(*step)
    assert len(_SEALED) >= 6
    assert len(set(_SEALED)) == len(_SEALED)


def test_a_thousand_runs_in_one_second_share_no_key() -> None:
    """What sixteen bits of epoch could not do."""
    _SEALED.clear()
    for _ in range(1000):
        seal = SenderSeal(StreamKey(bytes(32)), stream="garden", mtu=100)
        seal.seal(b"\x95", now=0.0, wall=0.0)
    assert len({key for key, _ in _SEALED}) == 1000
