"""Runs one coroutine with others at its side, and lets none of their errors pass unseen."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ["run_with_companions"]

_Work = Coroutine[Any, Any, None]


async def run_with_companions(main: _Work, *companions: _Work) -> None:
    """Run `main` until it returns, and `companions` meanwhile.

    A companion may return early. When `main` returns, when anything raises, or on cancellation,
    all that still run are cancelled and waited for.

    Args:
        main: what decides when all is done.
        companions: what serves it.

    Raises:
        BaseException: whatever the first of them to fail raised, as itself and not in a group, so
            that callers catch it by its type.
    """
    leader = asyncio.ensure_future(main)
    pending: set[asyncio.Future[None]] = {leader, *map(asyncio.ensure_future, companions)}
    try:
        while not leader.done():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
