"""How a command ends: one sentence on standard error and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from misc_shared.errors import LocalError, MiscError

__all__ = ["INTERRUPTED", "LOCAL_FAULT", "REMOTE_FAULT", "UNREAD", "exit_on_error"]

REMOTE_FAULT = 1
"""The other end, or what it sent, is at fault."""

LOCAL_FAULT = 2
"""The command line or this machine is at fault; the sentence says how to mend it."""

INTERRUPTED = 130
"""The user pressed Ctrl-C: 128 plus SIGINT's number, as shells have it."""

UNREAD = 141
"""Standard output was closed: 128 plus SIGPIPE's number, likewise."""


@contextmanager
def exit_on_error(program: str) -> Iterator[None]:
    """End the program as its errors demand.

    Args:
        program: The name that goes before the sentence.

    Raises:
        SystemExit: A `MiscError`, Ctrl-C or a closed pipe ended what ran inside.
    """
    try:
        yield
    except MiscError as error:
        sentence = " ".join(str(error).split())
        print(f"{program}: {sentence}", file=sys.stderr)  # noqa: T201 - this is the console
        raise SystemExit(LOCAL_FAULT if isinstance(error, LocalError) else REMOTE_FAULT) from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:
        # Whoever read our lines has had enough. Python would complain once more as it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(UNREAD) from None
