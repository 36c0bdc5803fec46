"""Which sites and host names a request may come by: what keeps other web pages out."""

from __future__ import annotations

import socket
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from misc_shared.hosts import is_ip_address, is_loopback

__all__ = ["HostNames", "comes_from_elsewhere", "is_malformed_origin", "own_names"]


class HostNames:
    """The host names under which a server may be asked for.

    A page elsewhere could point a domain of its own at this machine and read along (DNS rebinding):
    so the name in `Host` has to be one of ours. An IP address is nobody's to point; but a server
    that serves this machine alone is reached by a loopback address only.

    Args:
        names: besides localhost.
        reachable: whether other machines can reach the server.
    """

    def __init__(self, names: Collection[str], *, reachable: bool) -> None:
        self._names = {name.lower() for name in names}
        self._reachable = reachable

    def know(self, host: str) -> bool:
        """Whether a `Host` header has one of them."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        if is_loopback(name) or name in self._names:
            return True
        return self._reachable and is_ip_address(name)


def own_names() -> set[str]:
    """What this machine is called on its network."""
    own = socket.gethostname().lower()
    return {own, f"{own.partition('.')[0]}.local"}


def is_malformed_origin(headers: Mapping[str, str]) -> bool:
    """Whether `Origin` is nothing that a browser sends."""
    try:
        urlsplit(headers.get("Origin", ""))
    except ValueError:
        return True
    return False


def comes_from_elsewhere(
    headers: Mapping[str, str], *, method: str, host: str, opens_document: bool = False
) -> bool:
    """Whether a page of another site makes the browser ask.

    Args:
        headers: of the request; `Origin` is well formed.
        method: in capitals.
        host: the `Host` header.
        opens_document: whether a link from another site may lead here.
    """
    origin = headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return True
    if method not in {"GET", "HEAD"} and origin is None:
        # A browser always says where a form was; a program with the token needs no forms.
        return "Sec-Fetch-Site" in headers
    if headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}:
        return False
    # A link may open a document, but nothing may embed or fetch parts of it.
    opens = headers.get("Sec-Fetch-Mode") == "navigate" and opens_document
    return not (opens and headers.get("Sec-Fetch-Dest") == "document")
