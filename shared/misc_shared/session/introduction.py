"""The receiver checks who sends. protocol.md, HELLO."""

from collections.abc import Mapping

from misc_shared.session.options import check_packs
from misc_shared.session.profiles import known_profiles
from misc_shared.wire import VERSION, Hello, OtherVersion, PackId, Reason, ShortHello

__all__ = ["Objection", "Verifier"]

Objection = tuple[Reason, str]
"""What does not agree, and a sentence that says it."""


class Verifier:
    """Compares a sender's HELLO with the models that we hold.

    Args:
        packs: Component name -> 8-byte digest of every model that we can decode with.
        layer_limit: Bytes of the largest layer that we take.
    """

    def __init__(self, packs: Mapping[str, bytes], *, layer_limit: int) -> None:
        check_packs(packs)
        self._packs = dict(packs)
        self._profiles = known_profiles(packs)
        self._layer_limit = layer_limit

    def knows(self, hello: ShortHello) -> bool:
        """Whether a short HELLO's profile is made of our models."""
        return hello.profile in self._profiles

    def object_to(self, hello: Hello | OtherVersion) -> Objection | None:
        """What does not agree; None if all does."""
        if isinstance(hello, OtherVersion):
            return Reason.VERSION, (
                f"sender speaks protocol {hello.oldest} to {hello.newest}, receiver {VERSION}: "
                "update the older one"
            )
        for pack in hello.packs:
            if self._packs.get(pack.name) != pack.digest:
                return Reason.PACKS, self._describe(pack)
        if hello.layer_limit > self._layer_limit:
            return Reason.LIMITS, (
                f"sender's layers have up to {hello.layer_limit} bytes, receiver takes "
                f"{self._layer_limit}: raise the receiver's limit or lower the sender's"
            )
        return None

    def _describe(self, pack: PackId) -> str:
        ours = self._packs.get(pack.name)
        return (
            f"{pack.name} model: sender has {pack.digest.hex()}, receiver has "
            f"{'none' if ours is None else ours.hex()}; install the same pack at both ends"
        )
