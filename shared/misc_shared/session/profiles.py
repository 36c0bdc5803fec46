"""Which models a sender uses, as one digest. protocol.md, Profiles."""

import hashlib
from collections.abc import Mapping
from itertools import chain, combinations

import msgspec

from misc_shared.wire import DIGEST_BYTES

__all__ = ["known_profiles", "profile_digest"]


def profile_digest(packs: Mapping[str, bytes]) -> bytes:
    """8 bytes that stand for the names and digests of `packs` in a short HELLO."""
    ordered = [[name, packs[name]] for name in sorted(packs)]
    return hashlib.blake2b(msgspec.msgpack.encode(ordered), digest_size=DIGEST_BYTES).digest()


def known_profiles(packs: Mapping[str, bytes]) -> frozenset[bytes]:
    """The profiles of every sender that uses none but `packs`: at most 64 digests."""
    subsets = chain.from_iterable(combinations(packs, count) for count in range(len(packs) + 1))
    return frozenset(profile_digest({name: packs[name] for name in names}) for names in subsets)
