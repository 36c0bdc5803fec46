"""Serves what Prometheus asks for, and a health check, from a thread of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6
from typing import ClassVar

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from misc_shared.errors import TransportError

__all__ = ["MetricsServer"]

_PATIENCE = 10.0
"""Seconds that a client has to say what it wants."""

_OK, _DEGRADED, _NOT_FOUND = 200, 503, 404


class MetricsServer:
    """An HTTP server with two pages: /metrics, and /healthz, which is 200 or 503 with reasons.

    Args:
        host: the address to listen on.
        port: the TCP port; 0 for any that is free.

    Attributes:
        registry: what is measured.
        complaints: gives what is not as it should be, one sentence each; called in any thread.

    Raises:
        TransportError: the address cannot be listened on.
    """

    def __init__(self, *, host: str, port: int) -> None:
        self.registry = CollectorRegistry()
        self.complaints: Callable[[], Sequence[str]] = list
        ProcessCollector(registry=self.registry)

        class Handler(_Handler):
            server_of_metrics = self

        class Server(ThreadingHTTPServer):
            address_family = AF_INET6 if ":" in host else AF_INET

        try:
            self._http = Server((host, port), Handler)
        except OSError as error:
            raise TransportError(
                f"cannot serve metrics on {host}:{port}: {error.strerror}; give another --metrics"
            ) from None
        self._thread = threading.Thread(
            target=self._http.serve_forever, name="metrics", kwargs={"poll_interval": 1.0}
        )
        self._thread.daemon = True
        self._thread.start()

    @property
    def port(self) -> int:
        """The TCP port."""
        return int(self._http.server_address[1])

    def close(self) -> None:
        """Listen no more."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """A page: its HTTP status, content type and text."""
        if path == "/metrics":
            return _OK, CONTENT_TYPE_LATEST, generate_latest(self.registry)
        if path == "/healthz":
            reasons = list(self.complaints())
            text = json.dumps({"status": "degraded" if reasons else "ok", "reasons": reasons})
            return _DEGRADED if reasons else _OK, "application/json", text.encode() + b"\n"
        return _NOT_FOUND, "text/plain; charset=utf-8", b"here are /metrics and /healthz\n"


class _Handler(BaseHTTPRequestHandler):
    """Answers one client."""

    server_of_metrics: ClassVar[MetricsServer]
    timeout = _PATIENCE
    server_version = "misc-streaming"
    sys_version = ""

    def do_GET(self) -> None:
        """Give a page."""
        status, kind, text = self.server_of_metrics.answer(self.path.partition("?")[0])
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its own name
        """Say nothing: every scrape would be a line."""
