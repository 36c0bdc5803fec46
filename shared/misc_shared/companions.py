"""Tasks beside each other: run until one has decided, and ended without one left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ["end_tasks", "run_with_companions", "wait_for"]

_ASK_AGAIN = 5.0

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
        await end_tasks(*pending)


async def end_tasks(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks, and wait until they have really ended; what they raise is dropped.

    Asking once is not enough: Python 3.11's `asyncio.wait_for`, and so every call of aiomqtt,
    drops a cancellation that comes in the moment in which its own work is done (mended in 3.12,
    python/cpython#86296), and its task would run on for ever.

    Args:
        tasks: which; those that have ended already are left alone.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_ASK_AGAIN)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # or asyncio complains that nobody has looked at it


async def wait_for(event: asyncio.Event, *, seconds: float | None) -> None:
    """Wait for an event, but no longer than so many seconds."""
    try:
        async with asyncio.timeout(None if seconds is None else max(0.001, seconds)):
            await event.wait()
    except TimeoutError:
        return
