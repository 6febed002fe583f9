"""The tool in this process: what a shell would see of one run."""

import io
import json
import os
import signal
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from regcli.cli.boundary import run
from tests.cli.conftest import environment

__all__ = ["Outcome", "run_tool"]


@dataclass(frozen=True)
class Outcome:
    """Exit status, standard output and standard error."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:  # noqa: ANN401  (JSON has no type)
        """The JSON on standard output, of a run that went well."""
        assert self.status == 0, self.err
        return json.loads(self.out)

    @property
    def error(self) -> Any:  # noqa: ANN401
        """The JSON on standard error, of a run with ``--json`` that did not."""
        return json.loads(self.err)


def run_tool(*words: object, stdin: bytes = b"") -> Outcome:
    """Run ``regcli`` with these words, without whatever in the environment would steer it.

    Not a fixture: Hypothesis runs one test many times. Streams, signal handlers and Typer's hook are put back.
    """
    out, err = io.BytesIO(), io.BytesIO()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        with (
            patch.dict(os.environ, environment(), clear=True),
            patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
            redirect_stdout(io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)),
            redirect_stderr(io.TextIOWrapper(err, encoding="utf-8", newline="", write_through=True)),
            patch.object(sys, "excepthook", sys.excepthook),
        ):
            status = run([str(word) for word in words])
            return Outcome(status, out.getvalue().decode(), err.getvalue().decode())
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
