"""Files that hold secrets."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from misc_shared.errors import ConfigError
from misc_shared.secret_files import create_secret, read_secret, refuse_if_shared


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


def test_a_secret_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """Ours alone; never over another; and on a full disk no empty file is left."""
    path = tmp_path / "token"
    create_secret(path, "secret\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        create_secret(path, "another\n")
    assert read_secret(path, name="the token", limit=100) == "secret\n"


def test_a_full_disk_leaves_no_secret(tmp_path: Path) -> None:
    """A key that is empty would be taken for one by the next run."""
    writing = (
        "import resource, sys; from pathlib import Path;"
        "from misc_shared.secret_files import create_secret;"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3, 3));"
        "create_secret(Path(sys.argv[1]), 'secret')"
    )
    path = tmp_path / "token"
    ended = subprocess.run([sys.executable, "-c", writing, path], capture_output=True, check=False)
    assert b"File too large" in ended.stderr
    assert not path.exists()
