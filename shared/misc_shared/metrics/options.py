"""Whether and where to serve metrics: the same at both ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from misc_shared.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from misc_shared.metrics.server import MetricsServer

__all__ = ["MetricsSettings"]

_LARGEST_PORT = 65535


@dataclass(frozen=True, kw_only=True)
class MetricsSettings:
    """Metrics and health over HTTP."""

    panel: ClassVar[str] = "Metrics"

    metrics: Annotated[
        str | None,
        typer.Option(
            help="[HOST:]PORT for Prometheus at /metrics and health at /healthz; on this machine "
            "only, unless a HOST is given."
        ),
    ] = None
    unwell_after: Annotated[
        float,
        typer.Option(min=1.0, help="Seconds without news after which /healthz says degraded."),
    ] = 120.0

    def server(self) -> MetricsServer | None:
        """What will serve them, listening already; None if nobody asked.

        Raises:
            ConfigError: the address makes no sense.
            MissingExtraError: prometheus-client or aiohttp is not installed.
            TransportError: the address cannot be listened on.
        """
        if self.metrics is None:
            return None
        host, port = _address(self.metrics)
        try:
            from misc_shared.metrics.server import MetricsServer
        except ModuleNotFoundError as error:
            package = "aiohttp" if error.name == "aiohttp" else "prometheus-client"
            raise MissingExtraError("--metrics", package=package, extra="metrics") from None
        return MetricsServer(host=host, port=port)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    # Port 0 is any that is free.
    if not (port.isascii() and port.isdigit() and int(port) <= _LARGEST_PORT):
        raise ConfigError(f"--metrics {text!r} names no port: expected [HOST:]PORT, such as 9464")
    return host.strip("[]") or "127.0.0.1", int(port)
