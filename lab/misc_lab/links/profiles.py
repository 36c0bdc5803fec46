"""The links that MISC is made for, as one table.

Rates are those of the up-link in practice where practice is known to differ from the peak. Where a
source gives a range, the middle of the range or the value named under `source` is used. Loss is
what IP or the application sees, after the radio's own repeats.
"""

from dataclasses import dataclass

from misc_shared.errors import ConfigError

__all__ = ["PROFILES", "BurstLoss", "Profile", "find_profile"]


@dataclass(frozen=True, slots=True)
class BurstLoss:
    """Gilbert-Elliott probabilities per datagram: good to bad (p) and bad to good (r)."""

    p: float
    r: float


MILD = BurstLoss(0.005, 0.5)
MEDIUM = BurstLoss(0.02, 0.2)
SEVERE = BurstLoss(0.05, 0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One kind of link.

    Attributes:
        name: As given to `misc-sim --link`.
        rate: Up-link bits a second.
        down_rate: Return channel, bits a second; 0 where there is none worth using.
        delay: One-way delay in seconds, added to the time on air.
        jitter: Largest extra delay in seconds, uniform.
        reorders: Whether jitter lets a datagram overtake another.
        loss: Bursts of lost datagrams; None for a link that repeats until it arrives.
        mtu: Largest datagram in bytes.
        queue_bytes: Room in the modem's or gateway's drop-tail queue.
        duty_cycle: Largest share of time on air.
        transport_overhead: Bytes that the usual transport adds to a datagram here. Reported beside
            our own bytes, and charged to the link only on request.
        transport: The transport meant by it.
        source: Where the figures come from.
    """

    name: str
    rate: float
    delay: float
    source: str
    down_rate: float = 0.0
    jitter: float = 0.0
    reorders: bool = False
    loss: BurstLoss | None = None
    mtu: int = 1100
    queue_bytes: int = 32_768
    duty_cycle: float = 1.0
    transport_overhead: int = 177
    transport: str = "MQTT QoS 1, both directions, IP included"


_LORAWAN = "LoRaWAN MAC header, port and integrity code"
_SERIAL = "a byte-stuffed serial frame"
_WEBRTC = "WebRTC data channel, both directions, IP included"

_TABLE = (
    Profile(
        name="lorawan-dr0", rate=250, delay=0.1, mtu=51, duty_cycle=0.01, queue_bytes=2048,
        transport_overhead=13, transport=_LORAWAN,
        source="LoRaWAN regional parameters EU868 DR0 (SF12); 1 % duty cycle; no acknowledgements",
    ),
    Profile(
        name="lorawan-dr3", rate=1_760, delay=0.1, mtu=115, duty_cycle=0.01, queue_bytes=2048,
        transport_overhead=13, transport=_LORAWAN,
        source="LoRaWAN regional parameters EU868 DR3 (SF9); 1 % duty cycle; no acknowledgements",
    ),
    Profile(
        name="lorawan-dr5", rate=5_470, delay=0.1, mtu=222, duty_cycle=0.01, queue_bytes=2048,
        transport_overhead=13, transport=_LORAWAN,
        source="LoRaWAN regional parameters EU868 DR5 (SF7); 1 % duty cycle; no acknowledgements",
    ),
    Profile(
        name="iridium-sbd", rate=2_400, down_rate=2_400, delay=5.0, jitter=15.0, reorders=True,
        mtu=340, queue_bytes=1_960,
        transport_overhead=40, transport="SBD session and mail gateway",
        source="Iridium 9602 short-burst data: 340 B messages, 5 to 20 s each, in any order",
    ),
    Profile(
        name="iridium-dialup", rate=2_400, down_rate=2_400, delay=0.9, mtu=512, loss=MILD,
        transport_overhead=12, transport=_SERIAL,
        source="Iridium circuit-switched data, 2.4 kbit/s; 1.8 s round trip and mild loss assumed",
    ),
    Profile(
        name="acoustic", rate=2_000, down_rate=2_000, delay=0.667, mtu=256, loss=SEVERE,
        queue_bytes=4_096, transport_overhead=8, transport="modem header",
        source="underwater modems, 0.1 to 9 kbit/s; 1 km at 1.33 s a kilometre there and back",
    ),
    Profile(
        name="hf-9600", rate=9_600, down_rate=9_600, delay=0.6, mtu=512, loss=MEDIUM,
        transport_overhead=12, transport=_SERIAL,
        source="MIL-STD-188-110 at 9600 bit/s; short interleaver of 0.6 s and medium loss assumed",
    ),
    Profile(
        name="nb-iot", rate=6_000, down_rate=6_000, delay=1.6,
        source="NB-IoT Cat-NB1: 6 kbit/s in practice of 62 peak, 1.6 s in normal coverage; "
        "the radio repeats until it arrives",
    ),
    Profile(
        name="nb-iot-deep", rate=6_000, down_rate=6_000, delay=10.0,
        source="NB-IoT at the edge of coverage: latency up to the 10 s that the standard allows",
    ),
    Profile(
        name="nb-iot-peak", rate=62_000, down_rate=26_000, delay=1.6,
        source="NB-IoT Cat-NB1, multi-tone peak",
    ),
    Profile(
        name="gprs", rate=50_000, down_rate=50_000, delay=0.5, loss=BurstLoss(0.01, 0.49),
        source="browser throttling tables: 50 kbit/s, 500 ms, 2 % loss; bursts of 2",
    ),
    Profile(
        name="edge", rate=250_000, down_rate=250_000, delay=0.3, loss=BurstLoss(0.0075, 0.4925),
        source="browser throttling tables: 250 kbit/s, 300 ms, 1.5 % loss; bursts of 2",
    ),
    Profile(
        name="lte-m", rate=375_000, down_rate=300_000, delay=0.1, jitter=0.02,
        transport_overhead=158, transport=_WEBRTC,
        source="LTE-M Cat-M1 half duplex: 375 kbit/s, 100 ms; jitter of 20 ms assumed",
    ),
    Profile(
        name="hsdpa", rate=750_000, down_rate=750_000, delay=0.25, jitter=0.05, loss=MILD,
        transport_overhead=158, transport=_WEBRTC,
        source="HSDPA traces: 750 kbit/s, 250 ms; jitter of 50 ms and mild loss assumed",
    ),
    Profile(
        name="geo", rate=256_000, down_rate=256_000, delay=0.6, loss=MILD,
        source="geostationary satellite: 256 kbit/s, 600 ms; mild loss assumed",
    ),
    Profile(
        name="wifi-bad", rate=1_000_000, down_rate=1_000_000, delay=0.03, jitter=0.1, loss=SEVERE,
        transport_overhead=158, transport=_WEBRTC,
        source="wireless LAN at the edge of its range: severe loss, rate and jitter assumed",
    ),
)  # fmt: skip

PROFILES = {profile.name: profile for profile in _TABLE}
"""All profiles by name, slowest families first."""


def find_profile(name: str) -> Profile:
    """Look up a profile.

    Raises:
        ConfigError: There is no profile of that name; the message lists those there are.
    """
    if name not in PROFILES:
        raise ConfigError(
            f"There is no link profile {name!r}; choose one of: {', '.join(PROFILES)}."
        )
    return PROFILES[name]
