"""What host names and addresses mean."""

from __future__ import annotations

import ipaddress

__all__ = ["is_ip_address", "is_loopback"]


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this very machine's own, and nobody else's.

    A name that only resolves to this machine may resolve to another tomorrow.
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_ip_address(host: str) -> bool:
    """Whether it is an address and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
