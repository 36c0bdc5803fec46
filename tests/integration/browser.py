"""A real browser for the live page's tests."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
"""To be evaluated once in a page; `RUN_AXE` then as often as one likes."""

RUN_AXE = "axe.run(document, { resultTypes: ['violations'] })"


def serious_violations(answer: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Rules that are broken and the elements that break them, of what `RUN_AXE` gave."""
    return [
        (one["id"], [node["html"] for node in one["nodes"]])
        for one in answer["violations"]
        if one["impact"] in {"serious", "critical"}
    ]


def chromium_path() -> str:
    """Where the browser is; CI has to have one, elsewhere the tests are skipped."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI runs the page's tests: install chromium")
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    return CHROMIUM


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        yield browser
        browser.close()
