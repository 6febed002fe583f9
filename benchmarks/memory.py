"""Memory of this process, as the kernel counts it."""

import resource
import sys
from pathlib import Path

__all__ = ["forget_peak", "peak", "resident"]

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident() -> int:
    """Bytes in memory now; the peak where the system does not say."""
    return _field("VmRSS") or _ru_maxrss()


def peak() -> int:
    """The most bytes that were in memory since ``forget_peak``.

    ``ru_maxrss`` where there is no ``/proc``; on Linux it would count what the parent had when it started this process.
    """
    return _field("VmHWM") or _ru_maxrss()


def forget_peak() -> None:
    """Begin a new peak where the system can: without it a peak while data are loaded hides a smaller one later."""
    if _CLEAR.exists():
        try:
            _CLEAR.write_text("5", "ascii")
        except OSError:  # a kernel without it; the peak then is that of the whole life
            return


def _field(name: str) -> int:
    if not _STATUS.exists():
        return 0
    for line in _STATUS.read_text("ascii", "replace").splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])
    return 0


def _ru_maxrss() -> int:
    """Bytes on macOS, kilobytes elsewhere."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else 1024 * size
