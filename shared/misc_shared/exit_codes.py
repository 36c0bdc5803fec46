"""How a command ends: one sentence on standard error and an exit code, never a traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from misc_shared.errors import LocalError, MiscError

__all__ = ["INTERRUPTED", "LOCAL_FAULT", "REMOTE_FAULT", "exit_on_error"]

REMOTE_FAULT = 1
"""The other end, or what it sent, is at fault."""

LOCAL_FAULT = 2
"""The command line or this machine is at fault; the sentence says how to mend it."""

INTERRUPTED = 130
"""The user pressed Ctrl-C: 128 plus SIGINT's number, as shells have it."""


@contextmanager
def exit_on_error(program: str) -> Iterator[None]:
    """End the program as its errors demand.

    Args:
        program: The name that goes before the sentence.

    Raises:
        SystemExit: A `MiscError` or Ctrl-C ended what ran inside.
    """
    try:
        yield
    except MiscError as error:
        sentence = " ".join(str(error).split())
        print(f"{program}: {sentence}", file=sys.stderr)  # noqa: T201 - this is the console
        raise SystemExit(LOCAL_FAULT if isinstance(error, LocalError) else REMOTE_FAULT) from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
