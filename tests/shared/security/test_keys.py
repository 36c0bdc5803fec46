"""Keys as text, in files and folders; nothing that is shown has the secret in it."""

import copy
import pickle
import stat
from pathlib import Path

import pytest

from misc_shared.errors import ConfigError
from misc_shared.security import KeyRing, StreamKey, load_keys, write_key

KEY = StreamKey(bytes(range(32)))


def test_text_form_is_what_it_was() -> None:
    """A key file of today opens tomorrow's recordings."""
    assert KEY.text == ("misc-key-1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8." + KEY.fingerprint)
    assert KEY.fingerprint == "b091-be5a-406c"
    assert StreamKey.from_text(KEY.text) == KEY


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "does not begin with misc-key-1"),
        ("misc-key-2.AAAA.0000", "does not begin with misc-key-1"),
        ("misc-key-1.AAAA.0000-0000-0000", "not 32 bytes"),
        ("misc-key-1.!!!!.0000-0000-0000", "not 32 bytes"),
        (KEY.text.replace("AAEC", "AAED"), "copied wrongly"),
        (KEY.text[:-1], "copied wrongly"),
    ],
)
def test_what_is_no_key_says_why_and_not_what(text: str, reason: str) -> None:
    """The message never repeats what may be most of a secret."""
    with pytest.raises(ConfigError, match=reason) as caught:
        StreamKey.from_text(text)
    assert "AAE" not in str(caught.value)


def test_a_new_key_is_its_owners_alone_and_stays(tmp_path: Path) -> None:
    """0600 from the first moment; a second keygen refuses."""
    path = tmp_path / "garden.key"
    key = write_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_keys(path).find("anything") == key
    with pytest.raises(ConfigError, match="never overwritten"):
        write_key(path)
    assert load_keys(path).find("anything") == key
    assert write_key(tmp_path / "other.key") != key


def test_a_file_of_several_cameras(tmp_path: Path) -> None:
    """Names stand before keys; a stream that is not named has none."""
    path = tmp_path / "keys"
    write_key(path, stream="garden")
    with path.open("a") as file:
        file.write(f"\n# the other one\nporch {KEY.text}\n")
    keys = load_keys(path)
    assert keys.streams == {"garden", "porch"}
    assert keys.find("porch") == KEY
    assert keys.find("attic") is None


def test_a_folder_of_cameras(tmp_path: Path) -> None:
    """NAME.key holds the key of NAME."""
    key = write_key(tmp_path / "garden.key")
    write_key(tmp_path / "porch.key", stream="porch")
    (tmp_path / "README").write_text("not a key")
    keys = load_keys(tmp_path)
    assert keys.streams == {"garden", "porch"}
    assert keys.find("garden") == key
    write_key(tmp_path / "attic.key", stream="cellar")
    with pytest.raises(ConfigError, match="expected that of attic"):
        load_keys(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "holds no key"),
        ("# only words\n", "holds no key"),
        (f"{KEY.text}\n{KEY.text}\n", "two keys without a stream's name"),
        (f"a {KEY.text}\na {KEY.text}\n", "two keys for a"),
        (f"a/b {KEY.text}\n", "line 1 of .* is no key"),
        (f"a b {KEY.text}\n", "line 1 of .* is no key"),
        ("# \u00e9\n", "not plain text"),
        ("#" * ((1 << 20) + 1), "more than 1048576 bytes"),
    ],
)
def test_a_file_that_is_none_says_why(tmp_path: Path, content: str, reason: str) -> None:
    """And never what stood in it."""
    path = tmp_path / "keys"
    path.write_text(content, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=reason) as caught:
        load_keys(path)
    assert "AAE" not in str(caught.value)


def test_missing_places(tmp_path: Path) -> None:
    """One sentence each."""
    with pytest.raises(ConfigError, match="cannot read the key file"):
        load_keys(tmp_path / "none")
    with pytest.raises(ConfigError, match=r"holds no NAME\.key"):
        load_keys(tmp_path)
    with pytest.raises(ConfigError, match="cannot write the key"):
        write_key(tmp_path / "none" / "garden.key")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """With the command that mends it."""
    path = tmp_path / "garden.key"
    write_key(path)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=f"others can read the key file: run chmod 600 {path}"):
        load_keys(path)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_keys(tmp_path)


def test_nothing_shows_the_secret() -> None:
    """Not repr, str, format, pickling, nor what a dataclass around it would print."""
    ring = KeyRing({"garden": KEY}, default=KEY)
    shown = f"{KEY} {KEY!r} {ring} {ring!r} {[KEY]} {vars(ring)}"
    assert "AAEC" not in shown
    assert repr(bytes(range(32)))[2:10] not in shown
    assert shown.startswith("<StreamKey b091-be5a-406c>")
    for leak in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="not pickled"):
            leak(KEY)
