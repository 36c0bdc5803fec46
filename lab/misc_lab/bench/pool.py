"""Pictures over worker processes."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

__all__ = ["map_pictures"]

Found = TypeVar("Found")
Picture = TypeVar("Picture")


def map_pictures(
    work: Callable[[Picture], Found], pictures: Sequence[Picture], *, workers: int
) -> Iterator[Found]:
    """Give what `work` finds in each picture, as it is found.

    Args:
        work: A function that pickles.
        pictures: What it is given: files, or anything else that pickles.
        workers: Processes.
    """
    # Spawned, not forked: torch's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
        futures = [pool.submit(work, picture) for picture in pictures]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # one failed: begin no other


def _end_with_parent() -> None:
    """See to it that a worker does not outlive a program that was killed."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
