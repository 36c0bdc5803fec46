"""An asyncio loop whose clock leaps to the next timer whenever there is nothing to do.

While a thread works, the clock stands still. What it computes takes no virtual time, or as much
as it takes of a processor: so a busy machine measures what an idle one would.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

__all__ = ["LoopClock", "VirtualTimeLoop", "run_in_virtual_time"]

_Result = TypeVar("_Result")
_Arguments = TypeVarTuple("_Arguments")


class _Leaper(selectors.BaseSelector):
    """Looks at files without waiting, and has the clock leap where the loop wanted to wait."""

    def __init__(self, leap: Callable[[float], bool]) -> None:
        self._inner = selectors.DefaultSelector()
        self._leap = leap

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return self._inner.select(None)  # only a thread or a file can go on from here
        events = self._inner.select(0)
        if not events and timeout > 0 and not self._leap(timeout):
            return self._inner.select(None)
        return events

    def register(
        self, fileobj: FileDescriptorLike, events: int, data: object = None
    ) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def close(self) -> None:
        self._inner.close()

    def get_map(self) -> Mapping[FileDescriptorLike, selectors.SelectorKey]:
        return self._inner.get_map()


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Runs whatever asyncio runs, in virtual time that begins at 0.

    Sockets work too, but virtual time does not wait for them.

    Args:
        computing: whether what threads compute takes virtual time: that of one processor.
    """

    def __init__(self, *, computing: bool = False) -> None:
        self._virtual_now = 0.0
        self._computing = computing
        self._threads_at_work = 0
        super().__init__(_Leaper(self._leap))

    def time(self) -> float:
        """Virtual seconds since the start."""
        return self._virtual_now

    def run_in_executor(
        self,
        executor: Executor | None,
        func: Callable[[*_Arguments], _Result],
        *args: *_Arguments,
    ) -> asyncio.Future[_Result]:
        """As asyncio's own; the clock stands still until it is done."""
        work = self._timed(func) if self._computing else func
        future = super().run_in_executor(executor, work, *args)
        self._threads_at_work += 1
        future.add_done_callback(self._thread_rests)
        return future

    def _timed(self, func: Callable[[*_Arguments], _Result]) -> Callable[[*_Arguments], _Result]:
        def work(*args: *_Arguments) -> _Result:
            began = time.thread_time()
            try:
                return func(*args)
            finally:
                self._virtual_now += time.thread_time() - began

        return work

    def _thread_rests(self, _: asyncio.Future[Any]) -> None:
        self._threads_at_work -= 1

    def _leap(self, seconds: float) -> bool:
        """Let time pass; False while a thread works."""
        if self._threads_at_work:
            return False
        self._virtual_now += seconds
        return True


class LoopClock:
    """The running loop's time as a transport's clock.

    Args:
        began: Unix seconds at the loop's start.
    """

    def __init__(self, *, began: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = began - self._loop.time()

    def monotonic(self) -> float:
        """Seconds since the loop's start."""
        return self._loop.time()

    def wall(self) -> float:
        """Unix seconds."""
        return self._began + self._loop.time()


def run_in_virtual_time(main: Coroutine[Any, Any, _Result], *, computing: bool = False) -> _Result:
    """Like `asyncio.run`, without waiting for anything but work; see `VirtualTimeLoop`."""
    with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(computing=computing)) as runner:
        return runner.run(main)
