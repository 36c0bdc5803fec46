"""One message of each type, and hypothesis strategies for all of them."""

from hypothesis import strategies as st

from misc_shared.wire import (
    KINDS,
    MAX_CHUNKS,
    MAX_DETAIL,
    MAX_NAME,
    MAX_PACKS,
    MAX_PARITY_LAYER,
    MAX_REPORTS,
    VERSION,
    Ack,
    Bye,
    Data,
    Family,
    FrameReport,
    Hello,
    LayerKind,
    PackId,
    Pair,
    Parity,
    Reason,
    Refresh,
    ShortHello,
    Wanted,
    data_kind,
)

__all__ = ["SAMPLES", "any_message"]

_LAYERS = [LayerKind.BASE, LayerKind.TEXT, LayerKind.MAPS]

SAMPLES = [
    Data(data_kind(LayerKind.BASE, _LAYERS), 0xBEEF, 800, 1, b"base"),
    Pair.of(
        (LayerKind.TEXT, b"cat"), (LayerKind.MAPS, b"\x81"), layers=_LAYERS, epoch=7, frame=65_535
    ),
    Parity(data_kind(Family.PARITY, [*_LAYERS, LayerKind.DETAIL1]), 7, 800, 5 << 3 | 2, b"\x03.,"),
    Ack(KINDS[Ack], 0xBEEF, 0x1234, 3, 183, 12, (FrameReport(800, -1, 0, 5, 2**64 - 1, 0),)),
    Refresh(KINDS[Refresh], 0xBEEF, Wanted.PICTURE, 800),
    ShortHello(KINDS[ShortHello], 1, 1, 0xBEEF, 1_700_000_000, 800, b"profile."),
    Hello(
        KINDS[Hello], 1, 1, 9, 1_700_000_000, 8, "né", (PackId("codec", b"8 bytes!"),), 31, 222, 999
    ),
    Bye(KINDS[Bye], 0xBEEF, Reason.PACKS, "codec differs"),
]

u16 = st.integers(0, 0xFFFF)
u32 = st.integers(0, 0xFFFF_FFFF)
_digest = st.binary(min_size=8, max_size=8)
_name = st.text(max_size=MAX_NAME)
_bitmap = st.integers(-2, 2**64 - 1)
_layer_sets = st.sets(st.sampled_from(LayerKind)).map(lambda layers: layers | {LayerKind.BASE})
_older = st.integers(1, VERSION)
_newer = st.integers(VERSION, 127)


@st.composite
def _data(draw: st.DrawFn) -> Data:
    layers = draw(_layer_sets)
    kind = data_kind(draw(st.sampled_from(sorted(layers))), layers)
    place = draw(st.integers(0, 127))
    return Data(kind, draw(u16), draw(u16), place, draw(st.binary(min_size=1, max_size=700)))


@st.composite
def _pairs(draw: st.DrawFn) -> Pair:
    layers = draw(_layer_sets.filter(lambda layers: len(layers) > 1))
    chosen = st.lists(st.sampled_from(sorted(layers)), min_size=2, max_size=2, unique=True)
    first, second = sorted(draw(chosen))
    contents = st.binary(min_size=1, max_size=127)
    return Pair.of(
        (first, draw(contents)),
        (second, draw(contents)),
        layers=layers,
        epoch=draw(u16),
        frame=draw(u16),
    )


@st.composite
def _parities(draw: st.DrawFn) -> Parity:
    layers = draw(_layer_sets)
    payload = draw(st.binary(min_size=1, max_size=700))
    most = min(MAX_PARITY_LAYER, MAX_CHUNKS * len(payload))
    nbytes = draw(st.integers(len(payload) + 1, most))
    contents = nbytes << 3 | draw(st.sampled_from(sorted(layers)))
    return Parity(data_kind(Family.PARITY, layers), draw(u16), draw(u16), contents, payload)


_reports = st.builds(FrameReport, u16, _bitmap, _bitmap, _bitmap, _bitmap, _bitmap)
_acks = st.builds(
    Ack,
    st.just(KINDS[Ack]),
    u16,
    u16,
    u16,
    u32,
    u16,
    st.lists(_reports, max_size=MAX_REPORTS).map(tuple),
)
_refreshes = st.builds(Refresh, st.just(KINDS[Refresh]), u16, st.sampled_from(Wanted), u16)
_shorts = st.builds(ShortHello, st.just(KINDS[ShortHello]), _older, _newer, u16, u32, u32, _digest)
_hellos = st.builds(
    Hello,
    st.just(KINDS[Hello]),
    _older,
    _newer,
    u16,
    u32,
    u32,
    _name,
    st.lists(st.builds(PackId, _name, _digest), max_size=MAX_PACKS).map(tuple),
    st.integers(1, 31),
    u16,
    u32,
)
_byes = st.builds(
    Bye, st.just(KINDS[Bye]), u16, st.sampled_from(Reason), st.text(max_size=MAX_DETAIL)
)

any_message = st.one_of(_data(), _pairs(), _parities(), _acks, _refreshes, _shorts, _hellos, _byes)
"""Every message that an end of this version may send."""
