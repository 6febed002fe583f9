"""Memory that is freed while a table is read: kept for the next block, and handed back at the end."""

import subprocess
import sys

import pytest

#: Faults of taking and freeing 32 MB ten times, as a parser does block by block; then what is resident, in pages.
SCRIPT = """
import resource
from contextlib import nullcontext
from regcli.data.heap import heap_kept

def resident():
    return int(open("/proc/self/statm").read().split()[1])

with {manner}:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        pieces = [b"x" * 4_000_000 for _ in range(8)]
        del pieces
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    kept = resident()
print(kept - resident())
"""


def pages(manner: str) -> tuple[int, int]:
    """Faults, and pages that are handed back at the end."""
    command = [sys.executable, "-c", SCRIPT.format(manner=manner)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    faults, back = run.stdout.split()
    return int(faults), int(back)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="GNU's allocator alone is told")
def test_blocks_after_the_first_find_their_memory_and_none_is_left_over() -> None:
    faults, back = pages("heap_kept()")
    assert faults < 0.3 * pages("nullcontext()")[0]
    assert back > 7_000  # of 7,813 pages of 4 KiB
