"""The receivers that a sender has heard lately."""

from collections import OrderedDict

__all__ = ["RecentReceivers"]

_REMEMBERED = 8


class RecentReceivers:
    """Tells a receiver that was not heard before from one that speaks again.

    Each is known by the number that it drew, as in `Ack`. Few are remembered, the latest.
    """

    def __init__(self) -> None:
        self._heard: OrderedDict[int, None] = OrderedDict()

    def is_another(self, receiver: int) -> bool:
        """Note a receiver; returns whether it is new, and others were there before."""
        known = receiver in self._heard
        another = not known and len(self._heard) > 0
        self._heard[receiver] = None
        self._heard.move_to_end(receiver)
        if len(self._heard) > _REMEMBERED:
            self._heard.popitem(last=False)
        return another
