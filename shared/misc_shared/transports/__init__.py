"""Transports: thin adapters that carry datagrams over MQTT, WebRTC, a recording or memory."""

from misc_shared.transports.address import (
    DEFAULT_STREAM,
    Address,
    FileAddress,
    MqttAddress,
    WebrtcAddress,
    parse_address,
)
from misc_shared.transports.base import DEFAULT_MTU, Clock, SystemClock, Transport
from misc_shared.transports.memory import MemoryTransport, memory_pair
from misc_shared.transports.opening import open_receiver, open_sender
from misc_shared.transports.webrtc.options import WebrtcOptions

__all__ = [
    "DEFAULT_MTU",
    "DEFAULT_STREAM",
    "Address",
    "Clock",
    "FileAddress",
    "MemoryTransport",
    "MqttAddress",
    "SystemClock",
    "Transport",
    "WebrtcAddress",
    "WebrtcOptions",
    "memory_pair",
    "open_receiver",
    "open_sender",
    "parse_address",
]
