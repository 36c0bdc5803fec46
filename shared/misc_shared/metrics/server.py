"""Serves what Prometheus asks for, and a health check, from a thread of its own."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from misc_shared.errors import TransportError
from misc_shared.web.server import ConnectionLimits, HttpServer

__all__ = ["MetricsServer"]

_LIMITS = ConnectionLimits(total=32, per_address=16)
"""Prometheus has one connection, and a health check another."""

_OK, _DEGRADED, _NOT_FOUND = 200, 503, 404


class MetricsServer:
    """An HTTP server with two pages: /metrics, and /healthz, which is 200 or 503 with reasons.

    Its thread answers even where the program's own loop hangs, which is when one asks.

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
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        started: Future[int] = Future()
        self._thread = threading.Thread(
            target=self._run, name="metrics", args=(host, port, started), daemon=True
        )
        self._thread.start()
        try:
            self._port = started.result()
        except OSError as error:
            self._thread.join()
            raise TransportError(
                f"cannot serve metrics on {host}:{port}: {error.strerror}; give another --metrics"
            ) from None

    @property
    def port(self) -> int:
        """The TCP port."""
        return self._port

    def close(self) -> None:
        """Listen no more."""
        self._loop.call_soon_threadsafe(self._end.set)
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

    def _run(self, host: str, port: int, started: Future[int]) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(host, port, started))

    async def _serve(self, host: str, port: int, started: Future[int]) -> None:
        application = web.Application()
        application.router.add_get("/{page:.*}", self._page)
        http = HttpServer(application, name="metrics", limits=_LIMITS)
        try:
            await http.start(host, port)
        except OSError as error:
            started.set_exception(error)
            return
        started.set_result(http.port)
        try:
            await self._end.wait()
        finally:
            await http.close()

    async def _page(self, request: web.Request) -> web.Response:
        status, kind, text = self.answer(request.path)
        return web.Response(status=status, body=text, headers={"Content-Type": kind})
