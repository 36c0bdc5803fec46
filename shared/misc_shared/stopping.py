"""Ctrl-C and SIGTERM end a program well, and soon.

The first signal asks the work to end: the other end hears of it, and the last report is written.
What is not done within `GRACE` is cancelled, and what is not cancelled `LIMIT` after the signal is
left: a broker that is away, a camera that gives no picture or a step of diffusion cannot hold a
program back. A second signal leaves at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from misc_shared.exit_codes import STOPPED, StoppedError

__all__ = ["GRACE", "LIMIT", "run_until_stopped"]

GRACE = 0.7
"""Seconds that the work has to end by itself."""

LIMIT = 1.0
"""Seconds after which the program ends in any case."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def run_until_stopped(
    work: Coroutine[Any, Any, None],
    *,
    stop: Callable[[], bool],
    close: Callable[[], None],
    well: Callable[[], bool],
) -> bool:
    """Run `work` until it returns, or until a signal ends the program.

    Args:
        work: what the program does.
        stop: asks it to end; returns False if it cannot be asked, and is cancelled then.
        close: leaves the terminal as it was; in any thread.
        well: whether what was asked for was done so far, so that a signal is a good end.

    Returns:
        Whether a signal ended it.

    Raises:
        StoppedError: a signal ended it before what was asked for was done.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    stopping = _Stopping(task, stop=stop, close=close, well=well)
    in_main_thread = threading.current_thread() is threading.main_thread()
    for number in _SIGNALS if in_main_thread else ():
        loop.add_signal_handler(number, stopping.signalled, number)
    try:
        await task
    except asyncio.CancelledError:
        if stopping.by is None:
            raise
    finally:
        # A signal that came keeps its handler: the next one must not end in a traceback.
        for number in _SIGNALS if in_main_thread and stopping.by is None else ():
            loop.remove_signal_handler(number)
    if stopping.by is None:
        return False
    if not well():
        raise StoppedError(stopping.by)
    return True


class _Stopping:
    def __init__(
        self,
        task: asyncio.Future[None],
        *,
        stop: Callable[[], bool],
        close: Callable[[], None],
        well: Callable[[], bool],
    ) -> None:
        self.by: signal.Signals | None = None
        self._task = task
        self._stop = stop
        self._close = close
        self._well = well

    def signalled(self, number: signal.Signals) -> None:
        if self.by is not None:
            self._leave()
        self.by = number
        # A thread: the event loop itself may wait for something, and its end for its own threads.
        timer = threading.Timer(LIMIT, self._leave)
        timer.daemon = True
        timer.start()
        if self._stop():
            asyncio.get_running_loop().call_later(GRACE, self._task.cancel)
        else:
            self._task.cancel()

    def _leave(self) -> None:
        assert self.by is not None  # noqa: S101 - who calls it knows
        self._close()
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(0 if self._well() else STOPPED + self.by)
