"""Memory that networks keep."""

import subprocess
import sys

PROGRAM = """
import resource
from misc_receiver.memory import keep_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        bytes(8 << 20).replace(b"1", b"2")
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
before = faults()
if keep_memory():
    faults()
    print(faults() < before / 4)
else:
    print(True)
"""


def test_freed_memory_is_not_paid_for_again() -> None:
    """The same work causes few page faults; where the C library has no such call, no error."""
    command = [sys.executable, "-c", PROGRAM]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    assert ended.stdout.strip() == "True"
