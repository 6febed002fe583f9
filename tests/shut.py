"""Files that the system does not let anyone look at, whoever runs the tests: root may look at everything."""

import errno
import os
from typing import Any

import pytest

__all__ = ["shut_off"]


def shut_off(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Answer as the system does where a folder may not be entered, for every path that ends with one of the names."""
    real = os.stat

    def stat(path: Any, *args: Any, **more: Any) -> os.stat_result:  # noqa: ANN401  (as os.stat)
        if not isinstance(path, int) and os.fspath(path).endswith(names):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return real(path, *args, **more)

    monkeypatch.setattr(os, "stat", stat)
