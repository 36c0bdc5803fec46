"""Both ends die at random moments; `scripts/kills` does it a thousand times."""

import json
import subprocess
import sys

import pytest
from tests.integration.conftest import MOSQUITTO

pytestmark = pytest.mark.timeout(400)


def test_kills_lose_nothing_and_double_nothing() -> None:
    """What a camera spooled is in its receiver's folder, once, and whole."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (Debian: apt-get install mosquitto)")
    done = subprocess.run(
        [sys.executable, "-m", "misc_lab.kills", "--kills", "10", "--seed", "3"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["clean"]
    assert outcome["sender_kills"] + outcome["receiver_kills"] >= 10
