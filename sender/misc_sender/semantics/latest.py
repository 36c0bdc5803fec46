"""Describes pictures in the background, so that a slow model never holds a picture up.

A picture gets the newest words that belong to a picture much like it. Words about another scene
would be wrong, so none go out until new ones are there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from misc_sender.semantics.backend import SemanticsBackend
from misc_sender.semantics.views import View
from misc_shared.errors import RemoteError, SemanticsError
from misc_shared.semantics import Semantics

__all__ = ["LatestSemantics"]

_PATIENCE = 2.0  # seconds at the end for work under way to notice that it is over


@dataclass(frozen=True)
class _Job:
    view: View
    result: Future[Semantics]
    thread: threading.Thread


class LatestSemantics:
    """Runs a slow backend in a thread of its own and gives the newest words that fit.

    It asks again when the picture has changed, at most once in `every` seconds and one picture at
    a time. All but the slow backend's own work happens in the caller's thread.

    Args:
        backend: the slow one.
        every: least seconds between two questions.
        wait: seconds that a picture may wait for words of its own; None for as long as they take.
        clock: seconds that never run backwards.

    Attributes:
        on_miss: told, in the caller's thread, why a question brought no words.
    """

    def __init__(
        self,
        backend: SemanticsBackend,
        *,
        every: float,
        wait: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.on_miss: Callable[[str], None] = _ignore
        self._backend = backend
        self._every = every
        self._wait = wait
        self._clock = clock
        self._job: _Job | None = None
        self._asked_at: float | None = None
        self._closed = False
        self._newest: tuple[View, Semantics] | None = None

    def describe(self, image: NDArray[np.uint8], *, path: Path | None = None) -> Semantics:
        """Give the newest words for a picture like this; none if there are none yet.

        Args:
            image: uint8 [H, W, 3], RGB.
            path: the file that it came from, if it came from one.

        Raises:
            LocalError: the slow backend can't do its work.
        """
        view = View.of(image, path)
        self._collect(timeout=0)
        if self._due(view):
            self._ask(image, view)
            self._collect(timeout=self._wait)
        if self._newest is not None and self._newest[0].similar(view):
            return self._newest[1]
        return Semantics()

    def close(self) -> None:
        """Stop the slow backend, and whoever waits for its words; may come from any thread."""
        self._closed = True
        self._backend.close()
        job = self._job
        if job is not None:
            with suppress(InvalidStateError):
                job.result.set_exception(SemanticsError("stopped before there were words"))
            job.thread.join(_PATIENCE)

    def _due(self, view: View) -> bool:
        if self._job is not None or self._closed:
            return False
        if self._newest is not None and self._newest[0].same(view):
            return False
        return self._asked_at is None or self._clock() - self._asked_at >= self._every

    def _ask(self, image: NDArray[np.uint8], view: View) -> None:
        self._asked_at = self._clock()
        result: Future[Semantics] = Future()
        # A daemon, so that a server that never answers does not keep the program from ending.
        thread = threading.Thread(
            target=self._work, args=(result, image, view.path), name="semantics", daemon=True
        )
        self._job = _Job(view, result, thread)
        thread.start()

    def _work(self, result: Future[Semantics], image: NDArray[np.uint8], path: Path | None) -> None:
        with suppress(InvalidStateError):  # closed meanwhile
            try:
                result.set_result(self._backend.describe(image, path=path))
            except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
                result.set_exception(error)

    def _collect(self, *, timeout: float | None) -> None:
        """Take the words of the question under way if they come in time."""
        if self._job is None:
            return
        wait([self._job.result], timeout)
        if not self._job.result.done():
            return
        try:
            said = self._job.result.result()
        except RemoteError as error:
            if not self._closed:
                self.on_miss(str(error))
        else:
            self._newest = (self._job.view, said)
        self._job = None


def _ignore(_reason: str) -> None:
    """Tell nobody."""
