"""Answers that say no."""

from __future__ import annotations

from aiohttp import web

__all__ = ["refusal", "too_many_failures"]


def refusal(status: int, sentence: str) -> web.Response:
    """Say why not, as JSON."""
    return web.json_response({"error": sentence}, status=status)


def too_many_failures(wait: int) -> web.Response:
    """Refuse an address that has shown too many wrong tokens.

    Args:
        wait: seconds until it may try again.
    """
    answer = refusal(429, f"too many wrong tokens from your address; try again in {wait} s")
    answer.headers["Retry-After"] = str(wait)
    return answer
