"""Where the live page is served: `[HOST:]PORT`."""

from __future__ import annotations

from dataclasses import dataclass

from misc_shared.errors import ConfigError
from misc_shared.hosts import is_loopback

__all__ = ["ViewAddress"]

_LOCAL = "127.0.0.1"
_LAST_PORT = 65_535


@dataclass(frozen=True)
class ViewAddress:
    """An address to listen at.

    Attributes:
        host: a name or an IP address, without brackets.
        port: 0 lets the system choose.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> ViewAddress:
        """Read `[HOST:]PORT`; without a host, this machine alone is served.

        Raises:
            ConfigError: it is no such address.
        """
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]") if colon else _LOCAL
        # isdecimal alone would take other scripts' digits.
        if not host or not (port.isascii() and port.isdecimal()) or int(port) > _LAST_PORT:
            raise ConfigError(
                f"--view {text!r} is no address: give a port such as 8090, or HOST:PORT "
                "such as 0.0.0.0:8090"
            )
        return cls(host, int(port))

    @property
    def local(self) -> bool:
        """Whether nobody but this machine can reach it."""
        return is_loopback(self.host)

    def url(self, port: int) -> str:
        """The page's address for a person.

        Args:
            port: that the system gave.
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{port}/"
