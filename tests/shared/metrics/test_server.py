"""Metrics and health over HTTP, asked by a real client."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import Counter

from misc_shared.errors import ConfigError, TransportError
from misc_shared.metrics.labels import StreamLabels
from misc_shared.metrics.options import MetricsSettings
from misc_shared.metrics.server import MetricsServer


@pytest.fixture
def server() -> Iterator[MetricsServer]:
    """Serve on any free port."""
    one = MetricsSettings(metrics="0").server()
    assert one is not None
    yield one
    one.close()


def _get(server: MetricsServer, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=10) as page:
            return page.status, page.read().decode()
    except urllib.error.HTTPError as page:
        with page:
            return page.code, page.read().decode()


def test_what_is_counted_is_served(server: MetricsServer) -> None:
    """With the process's own memory and time."""
    Counter("misc_tries", "Tries", registry=server.registry).inc(3)
    status, text = _get(server, "/metrics")
    assert status == 200
    assert "misc_tries_total 3.0" in text
    assert "process_resident_memory_bytes" in text


def test_health_says_why_not(server: MetricsServer) -> None:
    """200 while all is well, 503 with reasons otherwise."""
    status, text = _get(server, "/healthz")
    assert (status, json.loads(text)) == (200, {"status": "ok", "reasons": []})
    server.complaints = lambda: ["the broker is away"]
    status, text = _get(server, "/healthz")
    assert status == 503
    assert json.loads(text) == {"status": "degraded", "reasons": ["the broker is away"]}


def test_other_pages_are_not_there(server: MetricsServer) -> None:
    """And say what is."""
    status, text = _get(server, "/etc/passwd")
    assert status == 404
    assert "/healthz" in text


def test_a_port_that_is_taken(server: MetricsServer) -> None:
    """One sentence."""
    with pytest.raises(TransportError, match="cannot serve metrics"):
        MetricsSettings(metrics=f"127.0.0.1:{server.port}").server()


@pytest.mark.parametrize("address", ["", "host", "host:", "70000", "9464x", ":-1"])
def test_addresses_that_make_no_sense(address: str) -> None:
    """Before anything is opened."""
    with pytest.raises(ConfigError, match="names no port"):
        MetricsSettings(metrics=address).server()


def test_nobody_asked() -> None:
    """Then nothing listens."""
    assert MetricsSettings().server() is None


def test_names_that_somebody_invents_do_not_become_series() -> None:
    """Beyond the limit they share one."""
    label = StreamLabels(2)
    assert [label(name) for name in ("a", "b", "c", "a", "d")] == [
        "a",
        "b",
        "others",
        "a",
        "others",
    ]
