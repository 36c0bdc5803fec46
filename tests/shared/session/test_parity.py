"""A parity gives back one lost chunk of the second layer, at either end and between both."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.shared.session.receiving import BASE, DETAIL1, DETAIL2, answers, data, layers_of
from tests.shared.session.sending import ack, drain, names
from tests.shared.session.virtual_link import (
    Direction,
    Simulation,
    make_receiver,
    make_sender,
    picture,
)

from misc_shared.errors import ProtocolError
from misc_shared.session import (
    FrameComplete,
    FrameId,
    FrameSent,
    OutgoingFrame,
    SenderSession,
    SenderTiming,
)
from misc_shared.session.parity import missing_chunk, parity_of, protected_room
from misc_shared.wire import (
    MAX_CHUNKS,
    MAX_PARITY_LAYER,
    WHOLE,
    Ack,
    Data,
    Family,
    FrameReport,
    LayerKind,
    Parity,
    data_kind,
    parse,
    payload_room,
    write,
)

LAYERS = (BASE, DETAIL1)


def parity(chunks: list[bytes], *, nbytes: int | None = None) -> bytes:
    """The parity of DETAIL1 of frame 8 of epoch 7, whose layers are `LAYERS`."""
    room = len(chunks[0])
    size = sum(map(len, chunks)) if nbytes is None else nbytes
    kind, contents = data_kind(Family.PARITY, LAYERS), size << 3 | DETAIL1
    return write(Parity(kind, 7, 8, contents, parity_of(chunks, room=room)))


def chunk(index: int, payload: bytes, *, last: bool = False) -> bytes:
    """A chunk of the same layer."""
    return data(DETAIL1, payload, chunk=index, last=last, layers=LAYERS)


class TestSum:
    """The arithmetic."""

    @given(st.data())
    def test_any_single_chunk_follows_from_the_others(self, drawn: st.DataObject) -> None:
        """Of any layer that gets a parity, on any link."""
        room = payload_room(drawn.draw(st.integers(33, 400)))
        largest = min(MAX_PARITY_LAYER, MAX_CHUNKS * (room - 2))
        layer = random.Random(0).randbytes(drawn.draw(st.integers(room + 1, largest)))
        size = protected_room(len(layer), room)
        assert size is not None
        chunks = [layer[start : start + size] for start in range(0, len(layer), size)]
        assert len(chunks) == -(-len(layer) // (room - 2))
        lost = drawn.draw(st.integers(0, len(chunks) - 1))
        rest = {index: one for index, one in enumerate(chunks) if index != lost}
        summed = parity_of(chunks, room=size)
        assert missing_chunk(rest, summed, nbytes=len(layer)) == (lost, chunks[lost])

    @pytest.mark.parametrize("mtu", [*range(33, 600), 1100])
    def test_a_parity_fits_the_link_that_its_chunks_fit(self, mtu: int) -> None:
        """At the largest ids."""
        for nbytes in (payload_room(mtu) + 1, 2 * payload_room(mtu) - 4, MAX_PARITY_LAYER):
            room = protected_room(nbytes, payload_room(mtu))
            if room is not None:
                kind = data_kind(Family.PARITY, LayerKind)
                said = Parity(kind, 65_535, 65_535, nbytes << 3 | 2, bytes(room))
                assert len(write(said)) <= mtu

    def test_what_gets_none(self) -> None:
        """One chunk, more chunks than a layer may have, more bytes than the message can say."""
        assert protected_room(211, 211) is None
        assert protected_room(MAX_CHUNKS * 22, 22) is None
        assert protected_room(MAX_PARITY_LAYER + 1, 1088) is None


class TestReceiver:
    """protocol.md, Repeats and Reassembly."""

    @pytest.mark.parametrize("lost", [0, 1, 2])
    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_all_but_one_and_the_parity_are_the_layer(self, lost: int, place: int) -> None:
        """Whichever is lost and whenever the parity comes, with all bytes counted."""
        receiver = make_receiver()
        came = [chunk(0, b"abc"), chunk(1, b"def"), chunk(2, b"g", last=True)]
        del came[lost]
        came.insert(place, parity([b"abc", b"def", b"g"]))
        receiver.receive(data(layers=LAYERS), 0)
        found = [receiver.receive(one, 0) for one in came]
        assert [layers_of(events) for events in found] == [[], [], [(DETAIL1, b"abcdefg")]]
        assert FrameComplete(FrameId(7, 8)) in found[-1]
        (answer,) = [one for one in answers(receiver, 1.0) if isinstance(one, Ack)]
        assert answer.reports[0].detail1 == WHOLE
        assert receiver.bytes_buffered == 0

    def test_a_needless_one_is_a_duplicate(self) -> None:
        """The same twice, and one of a whole layer."""
        receiver = make_receiver()
        for one in [parity([b"abc", b"def"])] * 2:
            receiver.receive(one, 0)
        assert receiver.counters.duplicates == 1
        assert receiver.bytes_buffered == 3
        assert layers_of(receiver.receive(chunk(1, b"def", last=True), 0)) == [(DETAIL1, b"abcdef")]
        receiver.receive(parity([b"abc", b"def"]), 0)
        assert receiver.counters.duplicates == 2

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (chunk(0, b"abc"), parity([b"ab", b"cd"])),  # chunks of another size
            (chunk(2, b"abc"), parity([b"abc", b"def"])),  # behind its end
            (chunk(1, b"abc", last=True), parity([b"abc", b"abc", b"abc"])),  # another end
            (parity([b"abc", b"def"]), chunk(1, b"d", last=True)),  # a shorter end
            (parity([b"abc", b"def"]), chunk(2, b"d", last=True)),  # a later end
            (parity([b"abc", b"def"], nbytes=5), chunk(0, b"abc")),  # a rest that is not zero
        ],
    )
    def test_a_contradiction_is_refused_and_changes_nothing(
        self, first: bytes, second: bytes
    ) -> None:
        """Neither what came nor what is remembered."""
        receiver = make_receiver()
        receiver.receive(first, 0)
        buffered = receiver.bytes_buffered
        with pytest.raises(ProtocolError, match="contradicts"):
            receiver.receive(second, 0)
        assert receiver.bytes_buffered == buffered


class TestSender:
    """When one is sent."""

    def test_one_way_it_follows_its_layer_a_second_later(self) -> None:
        """Once, and chunks and parity give the layer back."""
        sender = make_sender(one_way=True)
        layer = random.Random(1).randbytes(500)
        layers = {BASE: b"base", DETAIL1: layer, DETAIL2: b"sharp"}
        frame = sender.submit(OutgoingFrame(0, layers, 15), 0)
        sent = drain(sender, 0)
        assert names(sent) == ["BASE", "ShortHello", *["DETAIL1"] * 3, "DETAIL2"]
        chunks = [one.payload for one in sent if isinstance(one, Data) and one.layer is DETAIL1]
        assert [len(one) for one in chunks] == [167, 167, 166]
        assert sender.next_timer(0) == 1.0
        sender.tick(1.0)
        again = drain(sender, 1.0)
        assert names(again) == ["BASE", "Parity"]
        summed = again[1]
        assert isinstance(summed, Parity)
        assert (summed.layer, summed.nbytes, summed.frame) == (DETAIL1, 500, frame.on_wire)
        assert missing_chunk({0: chunks[0], 2: chunks[2]}, summed.payload, nbytes=500) == (
            1,
            chunks[1],
        )
        assert sender.tick(1.0) == [FrameSent(frame)]
        assert sender.counters.repeats == 1  # of BASE

    def test_nothing_that_cannot_get_lost_has_one(self) -> None:
        """Recordings, and links of which no loss is known."""
        quiet = make_sender(one_way=True, timing=SenderTiming(base_repeats=0))
        for sender in (quiet, make_sender()):
            sender.submit(picture(0, base=9, detail1=500), 0)
            drain(sender, 0)
            sender.tick(1.0)
            assert "Parity" not in names(drain(sender, 1.0))

    def test_a_layer_that_arrived_needs_none(self) -> None:
        """An answer within the second takes it back."""
        sender = self.losing()
        frame = sender.submit(picture(100, base=9, detail1=500, lifetime=5), 100).on_wire
        assert names(drain(sender, 100)) == ["BASE", "DETAIL1", "DETAIL1", "DETAIL1"]
        sender.receive(ack(FrameReport(frame, 0, 0, -1, 0, 0)), 100.9)
        sender.tick(101.0)
        assert "Parity" not in names(drain(sender, 101.0))

    def test_a_single_lost_chunk_waits_for_it(self) -> None:
        """Its repeat would cost as much again; two lost chunks do not wait."""
        for came, expected in ((0b101, ["BASE", "Parity"]), (0b001, ["BASE", "Parity"])):
            sender = self.losing()
            frame = sender.submit(picture(100, base=9, detail1=500, lifetime=9), 100).on_wire
            drain(sender, 100)
            sender.receive(ack(FrameReport(frame, 0, 0, came, 0, 0)), 100.5)
            sender.tick(101.0)
            assert names(drain(sender, 101.0)) == expected
            due = 100 + sender._round_trip.timeout  # noqa: SLF001 - when chunks time out
            sender.tick(due)
            again = names(drain(sender, due))
            assert again.count("DETAIL1") == (0 if came == 0b101 else 2)

    def losing(self) -> SenderSession:
        """A sender that knows of a round trip of 3 s and of half of its bytes being lost."""
        sender = make_sender()
        for index in range(8):
            frame = sender.submit(picture(index * 10, base=150, detail1=150), index * 10)
            drain(sender, index * 10)
            report = FrameReport(frame.on_wire, -1, 0, -1, 0, 0)
            sender.receive(ack(report, received=180 * (index + 1)), index * 10 + 3)
        assert sender.link.loss > 0.3
        return sender


@pytest.mark.parametrize("one_way", [True, False])
def test_details_that_arrive_become_more(*, one_way: bool) -> None:
    """A fifth lost over a long round trip: at most one chunk of three is what a parity mends."""
    arrived = {}
    for mtu, kind in ((222, "several chunks"), (1100, "one chunk")):
        simulation = Simulation(
            make_sender(one_way=one_way, mtu=mtu),
            make_receiver(one_way=one_way),
            up=Direction(rate=20_000, delay=3, loss=0.2),
            down=Direction(rate=20_000, delay=3, loss=0.2),
        )
        for index in range(100):
            simulation.at(index * 10.0, picture(index * 10.0, base=100, detail1=400, lifetime=9))
        simulation.run(until=1020)
        found = [layer for _, layer in simulation.layers_received()]
        arrived[kind] = found.count(DETAIL1)
        sent = [parse(one) for _, one in simulation.up.sent]
        assert any(isinstance(one, Parity) for one in sent) == (kind == "several chunks")
        assert not simulation.errors
    assert arrived["several chunks"] > 85
