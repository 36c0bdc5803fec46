"""Nothing that we run reports to anybody."""

import os
import subprocess
import sys
from pathlib import Path

_OPEN = """
from misc_sender.semantics.nano import NanoSemantics
from misc_shared.codec import ImageEncoder
from misc_shared.packs import load_pack
pack = load_pack("nano")
ImageEncoder(pack.component("codec")), NanoSemantics(pack.component("semantics"))
"""


def test_onnx_runtime_sets_up_no_telemetry(tmp_path: Path) -> None:
    """It would leave an identifier and a queue of reports in the user's cache folder."""
    quiet = ("ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "CI", "GITHUB_ACTIONS")
    kept = {name: value for name, value in os.environ.items() if name not in quiet}
    homes = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", _OPEN], check=True, env=kept | homes, timeout=120)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
