"""Files that hold secrets."""

import os
from pathlib import Path

import pytest

from misc_shared.errors import ConfigError
from misc_shared.secret_files import read_secret, refuse_if_shared


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o666, 0o601])
def test_what_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    """Whoever reads it, us or OpenSSL."""
    path = tmp_path / "token"
    path.write_text("secret\n")
    path.chmod(mode)
    for check in (
        lambda: read_secret(path, name="the token", limit=100),
        lambda: refuse_if_shared(path, name="the token"),
    ):
        with pytest.raises(ConfigError, match=f"^others can read the token: run chmod 600 {path}$"):
            check()


def test_what_is_ours_alone_is_read(tmp_path: Path) -> None:
    """With its limit."""
    path = tmp_path / "token"
    path.write_text("secret\n")
    path.chmod(0o400)
    assert read_secret(path, name="the token", limit=7) == "secret\n"
    with pytest.raises(ConfigError, match="more than 6 bytes"):
        read_secret(path, name="the token", limit=6)
    path.chmod(0o600)
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not plain text"):
        read_secret(path, name="the token", limit=6)
    with pytest.raises(ConfigError, match=r"cannot read the token .*No such file"):
        refuse_if_shared(tmp_path / "none", name="the token")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_group_may_read_what_is_somebody_elses(tmp_path: Path) -> None:
    """So ssl-cert and systemd hand on keys; all others still may not."""
    path = tmp_path / "key"
    path.write_text("secret\n")
    os.chown(path, 12345, os.getegid())
    path.chmod(0o640)
    refuse_if_shared(path, name="the key")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        refuse_if_shared(path, name="the key")
