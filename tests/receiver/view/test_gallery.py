"""What the viewer keeps, and that it is bounded."""

import io
import time

import pytest
from PIL import Image
from tests.receiver.view.serving import MAP, SAID, filled_gallery, shown

from misc_receiver.reports import (
    FrameEnded,
    FrameSeen,
    LayerArrived,
    ReceptionStarted,
    SenderGone,
    StreamStale,
    TextSaid,
)
from misc_receiver.view.gallery import Gallery
from misc_receiver.view.records import FRAMES_KEPT
from misc_shared.semantics import Semantics


def _settle(gallery: Gallery) -> None:
    gallery._shelving.submit(lambda: None).result(20)  # noqa: SLF001 - it works in order


def test_a_stream_shows_the_newest_frame_that_has_a_picture() -> None:
    """A caption of the next one is told already."""
    gallery = filled_gallery()
    gallery.report(TextSaid(stream="garden", frame="00aa-000017", items=[], caption="A cat."))
    view = gallery.view("garden")
    assert view is not None
    assert view.shown is not None
    assert (view.caption, view.shown.id, view.shown.caption) == ("A cat.", "00aa-000009", "A dog.")
    assert (view.newest, view.frames, view.bytes) == ("00aa-000017", 3, {"base": 102})
    gallery.close()


def test_an_older_frame_that_comes_late_does_not_step_in_front() -> None:
    """It goes into the history."""
    gallery = filled_gallery()
    gallery.show(shown("00aa-000005"))
    view = gallery.view("garden")
    assert view is not None
    assert view.shown is not None
    assert view.shown.id == "00aa-000009"
    assert gallery.picture("garden", "coarse", "00aa-000005") is not None
    gallery.close()


def test_states_follow_the_reports() -> None:
    """Waiting, live, stale, live again, gone; a late refined picture changes nothing."""
    gallery = Gallery()
    states = []
    for report in (
        ReceptionStarted(stream="garden"),
        FrameSeen(stream="garden", frame="00aa-000001", layers=[]),
        StreamStale(stream="garden"),
        FrameSeen(stream="garden", frame="00aa-000002", layers=[]),
        SenderGone(stream="garden", epoch=1),
    ):
        gallery.report(report)
        view = gallery.view("garden")
        assert view is not None
        states.append(view.state)
    gallery.show(shown("00aa-000002", "refined"))
    view = gallery.view("garden")
    assert view is not None
    assert [*states, view.state] == ["waiting", "live", "stale", "live", "gone", "gone"]
    gallery.close()


def test_words_and_maps_without_a_new_picture() -> None:
    """Maps that come last are seen; a file of them is what the sender reads."""
    gallery = Gallery()
    plain = Semantics(items=SAID.items, caption="")
    gallery.describe("garden", "00aa-000001", plain)
    (frame,) = gallery.frames("garden") or []
    assert (
        frame.items[0].outline
        == "M1 0.5Q1 0 1.5 0L1.5 0Q2 0 2 0.5L2 1.5Q2 2 1.5 2L1.5 2Q1 2 1 1.5Z"
    )
    stored = gallery.semantics("garden", "00aa-000001")
    assert stored is not None
    assert stored.items[0].map == ["01", "01"]
    assert MAP.shape == (frame.items[0].rows, frame.items[0].columns)
    gallery.close()


def test_earlier_pictures_become_files_and_say_what_is_generated() -> None:
    """A JPEG remains of each, PNG only of the newest."""
    gallery = filled_gallery()
    gallery.show(shown("00aa-000011"))
    _settle(gallery)
    old = gallery.picture("garden", "refined", "00aa-000009")
    assert old is not None
    assert old.file("png") is None
    with Image.open(io.BytesIO(old.file("jpg") or b"")) as image:
        assert image.size == (16, 16)
        assert b"compositeWithTrainedAlgorithmicMedia" in image.info["xmp"]
    new = gallery.picture("garden", "latest")
    assert new is not None
    with Image.open(io.BytesIO(new.file("png") or b"")) as image:
        assert image.getpixel((0, 0)) == (90, 90, 90)
    gallery.close()


def test_memory_is_bounded_in_frames_and_in_bytes() -> None:
    """A hundred frames, and no more bytes of files than allowed."""
    gallery = Gallery(history=20_000)
    for number in range(FRAMES_KEPT + 30):
        gallery.show(shown(f"00aa-{number:06d}"))
        if number % 20 == 0:
            _settle(gallery)
    _settle(gallery)
    frames = gallery.frames("garden")
    assert frames is not None
    assert len(frames) == FRAMES_KEPT
    kept = [gallery.picture("garden", "coarse", frame.id) for frame in frames]
    assert sum(one.weight for one in kept[:-1] if one is not None) <= 20_000
    assert kept[-2] is not None
    assert kept[-2].file("jpg") is not None
    assert kept[0] is not None
    assert kept[0].file("jpg") is None
    gallery.close()


def test_strangers_cannot_fill_it_with_names() -> None:
    """Beyond a hundred streams the one that is silent for longest is forgotten, however old."""
    gallery = Gallery()
    for number in range(130):
        gallery.datagram(f"s{number}", b"x", time.time())
        gallery.datagram("garden", b"x", time.time())
    assert len(gallery.names()) == 100
    assert "garden" in gallery.names()
    assert "s129" in gallery.names()
    gallery.close()


def test_what_is_on_its_way_and_how_often_something_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes of a frame without a picture count until it has one or will not get one."""
    gallery, seen = filled_gallery(), []
    now = time.time()
    for number, kind in ((20, None), (40, "coarse"), (60, None), (80, "ended")):
        now += 30
        monkeypatch.setattr(time, "time", lambda now=now: now)
        frame = f"00aa-{number:06}"
        gallery.report(FrameSeen(stream="garden", frame=frame, layers=["base"]))
        layer = LayerArrived(
            stream="garden", frame=frame, layer="base", bytes=number, wire_bytes=number
        )
        gallery.report(layer)
        if kind == "coarse":
            gallery.show(shown(frame))
        elif kind == "ended":
            gallery.report(FrameEnded(stream="garden", frame=frame, missing=("base",)))
        view = gallery.view("garden")
        assert view is not None
        seen.append((view.coming, view.every))
    assert seen[0] == (20, None)
    assert [coming for coming, _ in seen] == [20, 0, 60, 0]
    assert seen[-1][1] == pytest.approx(30, abs=0.1)
    gallery.close()


def test_who_asks_for_a_preview_too_late_gets_what_took_its_place() -> None:
    """The page fetches pictures by the addresses that it was told a moment ago."""
    gallery = filled_gallery()
    for frame, best in (("00aa-000009", "refined"), ("00aa-000001", "coarse")):
        found = gallery.picture("garden", "preview", frame)
        assert found is not None
        assert found.kind == best
    gallery.show(shown("00aa-000017", "preview-1"))
    found = gallery.picture("garden", "preview", "00aa-000017")
    assert found is not None
    assert found.kind == "preview"
    gallery.close()
