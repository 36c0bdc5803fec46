"""What a comparison is made of: parts of files, choices among files, HaarPSI, numbers in words."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from misc_lab.compare.carriage import carry, layers_of_file, parts_of_file
from misc_lab.compare.catalogue import CodedPicture, best_within, ladder, smallest_reaching
from misc_lab.compare.eye import Eye, View
from misc_lab.compare.formats import FORMATS, scene_bytes, show_part
from misc_lab.compare.haarpsi import haarpsi
from misc_lab.compare.words import byte_count, duration, rate, score
from misc_lab.links import PROFILES


def gradient() -> NDArray[np.uint8]:
    """Make a picture of smooth and of wild parts, uint8 [64, 96, 3]."""
    y, x = np.mgrid[:64, :96]
    return np.stack([x * 2, y * 3, x * y % 256], -1).astype(np.uint8)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda picture: picture, 1.0),
        (lambda picture: np.roll(picture, 3, axis=0), 0.6560),
        (lambda picture: picture // 32 * 32, 0.6768),
        (lambda picture: picture // 64 * 64, 0.5094),
    ],
)
def test_haarpsi_agrees_with_another_implementation(change: object, expected: float) -> None:
    """The figures are those of piq 0.8.0, whose colour matrix has one more digit."""
    picture = gradient()
    assert callable(change)
    assert haarpsi(picture, change(picture)) == pytest.approx(expected, abs=2e-4)


def test_a_progressive_jpeg_shows_the_scene_in_part(photo: NDArray[np.uint8]) -> None:
    """Its first scan shows all of the scene; a sequential one shows rows; AVIF shows nothing."""
    for name, at_scan in (("progressive", True), ("jpeg", False)):
        data = FORMATS[name]().encode(Image.fromarray(photo), 10)
        needed = scene_bytes(name, data)
        assert (needed < len(data)) is at_scan
        half = show_part(name, data[: len(data) // 2], width=512, height=512)
        assert half is not None
        error = np.abs(half.astype(int) - photo).mean(axis=(1, 2))
        below, above = error[400:].mean(), error[:100].mean()
        assert (below > 2 * above) is not at_scan
    assert show_part("jpeg", data[:60], width=512, height=512) is None
    avif = FORMATS["avif"]().encode(Image.fromarray(photo), 5)
    assert show_part("avif", avif[:-1], width=512, height=512) is None


def test_a_file_arrives_whole_over_a_link_that_loses() -> None:
    """Cut, carried, repeated and counted without a gap: the last part is the whole file."""
    data = bytes(range(256)) * 90
    profile = PROFILES["acoustic"]
    layers = layers_of_file(data, mtu=profile.mtu)
    assert layers is not None
    assert b"".join(layers.values()) == data
    carried = carry(layers, profile, packs={}, seed=3, ready_at=1.0)
    parts = parts_of_file(carried, layers)
    assert parts[-1][1] == len(data)
    assert parts == sorted(parts)
    assert carried.lost > 0
    assert carried.repeats > 0
    assert parts[0][0] >= 1.0 + profile.delay


def test_a_file_larger_than_all_layers_cannot_go() -> None:
    """Some 64 datagrams a layer are all there is."""
    assert layers_of_file(bytes(11_000), mtu=51) is None
    assert layers_of_file(bytes(10_000), mtu=51) is not None


def test_choices_among_files(photo: NDArray[np.uint8]) -> None:
    """The smallest that is good enough, the best that fits, and steps that count."""
    eye = Eye(photo)
    sizes_and_qualities = [(100, 0.5), (120, 0.7), (150, 0.6), (300, 0.9), (310, 0.91)]
    files = [
        CodedPicture("webp", bytes(size), "", 0.26, View(lambda: photo, quality, eye))
        for size, quality in sizes_and_qualities
    ]
    assert smallest_reaching(files, 0.65) is files[1]
    assert smallest_reaching(files, 0.99) is None
    assert best_within(files, 200) is files[1]
    assert best_within(files, 99) is None
    sizes = [len(one.data) for one in ladder(files)]
    assert sizes[-1] == 310
    assert 150 not in sizes


def test_a_view_is_measured_by_all_metrics(photo: NDArray[np.uint8]) -> None:
    """The same picture is as good as can be by each."""
    view = Eye(photo).see(photo)
    assert view.metrics == {"ms_ssim": 1.0, "haarpsi": 1.0, "psnr": 100.0}
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "JPEG", quality=5)
    with Image.open(buffer) as worse:
        assert Eye(photo).see(np.asarray(worse)).quality < 0.95


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.254, "0.25 s"), (4.06, "4.1 s"), (31.4, "31 s"), (200, "3.3 min"), (1500, "25 min"),
     (9400, "2.6 h"), (None, "–")],
)  # fmt: skip
def test_times_in_words(seconds: float | None, expected: str) -> None:
    """Two digits, and the unit that a person would choose."""
    assert duration(seconds) == expected


def test_other_numbers_in_words() -> None:
    """Rates, sizes and MS-SSIM."""
    assert [rate(one) for one in (250, 5470, 1e6)] == ["250 bit/s", "5.47 kbit/s", "1 Mbit/s"]
    assert [byte_count(one) for one in (405, 12_340)] == ["405 B", "12.3 kB"]
    assert [score(one) for one in (0.789, None)] == [".79", "–"]
