"""End-to-end security: keys and sealed datagrams. protocol.md, Sealed datagrams."""

from misc_shared.security.counters import SealCounters
from misc_shared.security.keyring import KeyRing, load_keys, write_key
from misc_shared.security.keys import StreamKey

__all__ = ["KeyRing", "SealCounters", "StreamKey", "load_keys", "write_key"]
