"""Where a program keeps what it has to remember from one run to the next."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["state_folder"]


def state_folder() -> Path:
    """Name the folder, which may not be there yet.

    Returns:
        What systemd made for the service (StateDirectory=), or "misc" in the user's state folder
        (XDG Base Directory Specification).
    """
    of_service = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if of_service:
        return Path(of_service)
    of_user = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(of_user).expanduser() / "misc"
