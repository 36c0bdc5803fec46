"""How a command ends: one sentence on standard error and an exit code, never a traceback.

    0    what was asked for has arrived
    1    it has not: the other end, or what it sent, is at fault, or nobody was there
    2    the command line or this machine is at fault; the sentence says how to mend it
    130  Ctrl-C, 143 SIGTERM: stopped before what was asked for was done
    141  whoever read standard output has closed it

A live stream has no end of its own: Ctrl-C and SIGTERM end it with 0 once pictures have arrived.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from misc_shared.errors import LocalError, MiscError
from misc_shared.harmless import harmless_output

__all__ = [
    "EXIT_STATUS",
    "INTERRUPTED",
    "LOCAL_FAULT",
    "REMOTE_FAULT",
    "STOPPED",
    "UNREAD",
    "StoppedError",
    "exit_on_error",
]

REMOTE_FAULT = 1
"""The other end, or what it sent, is at fault; or nothing has arrived."""

LOCAL_FAULT = 2
"""The command line or this machine is at fault; the sentence says how to mend it."""

STOPPED = 128
"""Plus a signal's number: the signal ended it before what was asked for was done."""

INTERRUPTED = STOPPED + signal.SIGINT
"""The user pressed Ctrl-C, as shells have it."""

UNREAD = STOPPED + signal.SIGPIPE
"""Standard output was closed, likewise."""

EXIT_STATUS = (
    "Exit status: 0 if what was asked for has arrived, 1 if not, 2 if options or this machine are "
    "at fault. Ctrl-C and SIGTERM end a live stream with 0 once pictures have arrived, and "
    "anything else with 130 and 143."
)
"""For `--help`."""


class StoppedError(Exception):
    """A signal ended the program before what was asked for was done.

    Args:
        by: the signal.
    """

    def __init__(self, by: signal.Signals) -> None:
        super().__init__(by.name)
        self.by = by


@contextmanager
def exit_on_error(program: str) -> Iterator[None]:
    """End the program as its errors demand.

    Args:
        program: The name that goes before the sentence.

    Raises:
        SystemExit: An error, a signal or a closed pipe ended what ran inside.
    """
    with harmless_output():
        try:
            yield
            sys.stdout.flush()  # a full disk under a redirected output is an error like any other
        except MiscError as error:
            _say(program, str(error))
            raise SystemExit(
                LOCAL_FAULT if isinstance(error, LocalError) else REMOTE_FAULT
            ) from None
        except StoppedError as stopped:
            raise SystemExit(STOPPED + stopped.by) from None
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None
        except BrokenPipeError:
            _mute()
            raise SystemExit(UNREAD) from None
        except OSError as error:
            _say(program, _reason(error))
            _mute()
            raise SystemExit(LOCAL_FAULT) from None


def _say(program: str, text: str) -> None:
    sentence = " ".join(text.split())
    print(f"{program}: {sentence}", file=sys.stderr)  # noqa: T201 - this is the console


def _reason(error: OSError) -> str:
    """A disk that is full, a folder that may not be written: where, if that is known, and why."""
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename else reason


def _mute() -> None:
    """Let nothing more be written: Python would flush what is left at its end, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
