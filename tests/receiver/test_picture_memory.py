"""One budget for pictures: what is let go, and what counts."""

import gc
import threading
from weakref import ref

import numpy as np
import pytest
from numpy.typing import NDArray

from misc_receiver.decode import CoarseDecoded, FrameDecoder
from misc_receiver.picture_memory import Kept, MemoryShares, PictureMemory
from misc_receiver.sinks.interface import ShownPicture
from misc_receiver.studio import Studio
from misc_receiver.view.gallery import Gallery
from misc_shared.codec import ImageEncoder
from misc_shared.packs import load_pack
from misc_shared.session import FrameId, LayerReceived
from misc_shared.wire import LayerKind

Bytes = NDArray[np.uint8]


def keep(memory: PictureMemory, size: int, stream: str = "a") -> Kept[Bytes]:
    """Keep an array of so many bytes."""
    array = np.zeros(size, np.uint8)
    return memory.keep(array, stream=stream, arrays=[array])


def test_the_oldest_of_the_largest_stream_goes_first() -> None:
    """A hostile stream's large pictures push out each other, not a camera's small ones."""
    memory = PictureMemory(1000)
    small = keep(memory, 100, "porch")
    large = [keep(memory, 400, "flood") for _ in range(4)]
    assert [one.content is not None for one in large] == [False, False, True, True]
    assert small.content is not None
    assert memory.nbytes == 900
    assert memory.dropped == 2


def test_what_nobody_holds_counts_no_more() -> None:
    """Nothing has to be given back by hand."""
    memory = PictureMemory(1000)
    held = keep(memory, 600)
    assert memory.crowded
    del held
    gc.collect()
    assert memory.nbytes == 0
    assert keep(memory, 900).content is not None
    assert memory.dropped == 0


def test_an_array_that_two_hold_counts_once() -> None:
    """The decoder and the page have the same pixels."""
    memory = PictureMemory()
    array = np.zeros(500, np.uint8)
    one, other = (memory.keep(array, stream="a", arrays=[array]) for _ in range(2))
    assert memory.nbytes == 500
    del one
    assert memory.nbytes == 500
    del other
    assert memory.nbytes == 0


def test_what_is_larger_than_all_is_not_kept() -> None:
    """And pushes nothing else out for good."""
    memory = PictureMemory(1000)
    assert keep(memory, 1001).content is None
    assert memory.nbytes == 0


def test_many_threads() -> None:
    """The account is right after all of them."""
    memory = PictureMemory(10_000)

    def work(number: int) -> None:
        for size in range(300):
            keep(memory, size, f"stream-{number}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert memory.nbytes == 0


@pytest.mark.parametrize("streams", [1, 64, 264, 1000])
def test_shares(streams: int) -> None:
    """All parts together are at most what was given, for as many streams as are usual."""
    total = 1 << 30
    shares = MemoryShares.of(total, streams=streams)
    assert shares.pictures >= total // 2
    assert shares.pictures + 3 * shares.each * streams <= total * (1.01 if streams < 999 else 1.3)


def _base(pixels: Bytes) -> bytes:
    return ImageEncoder(load_pack("nano").component("codec"), threads=1).encode(pixels).layers[0]


def test_a_decoder_without_room_still_shows(small_photo: Bytes) -> None:
    """Each picture is decoded and handed on, though none of it can be kept."""
    decoder = FrameDecoder(load_pack("nano"), threads=1, memory=PictureMemory(10))
    base = _base(small_photo)
    for tick in range(3):
        frame = FrameId(epoch=1, tick=tick)
        event = LayerReceived(
            frame=frame,
            layer=LayerKind.BASE,
            data=base,
            captured_at=0.0,
            captured_unix=None,
            wire_bytes=len(base),
        )
        (shown,) = decoder.decode([event])
        assert isinstance(shown, CoarseDecoded)
        contents = decoder.contents(frame)
        assert contents is not None
        assert contents.coarse is None
        assert contents.known.picture is None


def test_a_stream_that_waits_for_its_turn_holds_no_pixels(small_photo: Bytes) -> None:
    """Of many streams that have each shown a picture, no picture is in memory."""
    decoder = FrameDecoder(load_pack("nano"), threads=1)
    studio = Studio(decoder, stream="a")
    base = _base(small_photo)
    event = LayerReceived(
        frame=FrameId(epoch=1, tick=1),
        layer=LayerKind.BASE,
        data=base,
        captured_at=0.0,
        captured_unix=None,
        wire_bytes=len(base),
    )
    developing = studio.develop([event])
    frame, _ = next(developing)
    contents = decoder.contents(frame)
    assert contents is not None
    assert contents.coarse is not None
    pixels = ref(contents.coarse.pixels)
    studio.forget_picture(frame)
    gc.collect()
    assert pixels() is None
    assert next(developing, None) is None


def test_the_page_keeps_files_where_pixels_have_no_room() -> None:
    """A large picture becomes a JPEG while there are pixels to make it of."""
    pixels = np.zeros((1024, 1024, 3), np.uint8)
    gallery = Gallery(memory=PictureMemory(2 * pixels.nbytes))
    for number in range(6):
        copy = pixels.copy()
        gallery.show(
            ShownPicture(
                stream=f"s{number}",
                frame="0001-000001",
                kind="coarse",
                pixels=copy,
                generated=False,
            )
        )
        del copy
        gallery._shelving.submit(lambda: None).result()  # noqa: SLF001 - its turn has come
    for number in range(6):
        kept = gallery.picture(f"s{number}", "latest")
        assert kept is not None
        assert kept.file("jpg") is not None
    gallery.close()
