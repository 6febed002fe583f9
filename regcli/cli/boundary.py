"""The one place where whatever went wrong becomes text or JSON on stderr and an exit status.

Below, errors are plain exceptions with facts; only ``RegcliError`` has a status of its own. Everything that nobody
expected is a bug and leaves with 70, without a traceback unless ``-vv`` asks for it.
"""

import signal
import sys
import traceback
import warnings
from collections.abc import Sequence
from types import FrameType

import typer

from regcli.cli.main import app
from regcli.cli.session import Session
from regcli.cli.streams import FULL, coloured, discard_stdout, paint, tell
from regcli.errors import Location, OutputError, RegcliError, ResourceError, UsageError
from regcli.report.escape import visible
from regcli.report.formats import encode_line

__all__ = ["run"]

_INTERRUPTED = 128 + signal.SIGINT
_NO_READER = 128 + signal.SIGPIPE

# Typer carries a copy of click inside and names only some of its exceptions. ``BadParameter`` is public, and its base
# of this name is what everything wrong with a command line derives from. This is the only line that knows.
_ClickError: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def run(words: Sequence[str]) -> int:
    """Run the command line ``words`` (without the program's name).

    Returns
    -------
    int
        The exit status: 0, 1 to 7 for errors regcli knows, 70 for a bug, 128 + n for signal n.
    """
    session = Session(words)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # one that is ignored (nohup) stays ignored
            signal.signal(number, _leave)
    try:
        with warnings.catch_warnings():
            if not sys.warnoptions:  # what libraries say to programmers is not for users
                warnings.simplefilter("ignore")
            return _guarded(words, session)
    except SystemExit as stop:
        if isinstance(stop.__context__, BrokenPipeError):  # Typer turns it into a plain 1
            return _no_reader()
        return stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    except KeyboardInterrupt:
        return _INTERRUPTED


def _guarded(words: Sequence[str], session: Session) -> int:
    """Run, and report what can be reported."""
    try:
        status = app(args=list(words) or ["--help"], prog_name="regcli", standalone_mode=False, obj=session)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        return _no_reader()
    except Exception as error:  # noqa: BLE001  (this is the boundary)
        return _report(_known(error), session)
    return status if isinstance(status, int) else 0  # Typer returns the status of an exit, else what a command returns


def _known(error: Exception) -> RegcliError:
    """The error in regcli's terms; a bug where it has none."""
    if isinstance(error, RegcliError):
        return error
    if isinstance(error, _ClickError):
        return _usage(error)
    # numpy's MemoryError says how much was asked for; a thread that has no room for its stack is a RuntimeError.
    if isinstance(error, MemoryError) or (type(error) is RuntimeError and "start new thread" in str(error)):
        message = str(error) or "not enough memory"
        hint = "a larger --max-memory where there is one, fewer columns or fewer rows; --dry-run says what a fit takes"
        return ResourceError("out-of-memory", message, hint=hint)
    if isinstance(error, OSError) and error.errno in FULL:
        discard_stdout()
        return OutputError("output-failed", f"writing failed: {error.strerror}")
    message = f"{type(error).__name__}: {error}"
    fault = RegcliError("internal", message, hint="this is a bug in regcli; -vv shows where it happened")
    fault.__cause__ = error
    return fault


def _leave(number: int, _frame: FrameType | None) -> None:
    """Leave by an exception, so that temporary files are taken away on the way out."""
    raise SystemExit(128 + number)


def _no_reader() -> int:
    discard_stdout()
    return _NO_READER


def _usage(error: Exception) -> RegcliError:
    """A complaint of Typer's in regcli's terms."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "regcli"
    near = sorted(getattr(error, "possibilities", None) or ())
    message = str(error) if near else error.format_message()  # type: ignore[attr-defined]
    code = "unknown-option-value" if type(error) is typer.BadParameter else "usage"
    return UsageError(code, message.removesuffix("."), near=near, hint=f"{command} --help")


def _report(error: RegcliError, session: Session) -> int:
    if session.json:
        tell(encode_line(_document(error)))
    else:
        tell(_lines(error, color=coloured(session.settings.color, sys.stderr)))
    if error.code == "internal" and session.settings.verbose > 1 and not session.json:
        tell("".join(traceback.format_exception(error.__cause__)))
    return error.exit_code


def _document(error: RegcliError) -> dict[str, object]:
    """The error as ``regcli.error/1``."""
    where = error.where
    return {
        "schema": "regcli.error/1",
        "code": error.code,
        "exit_code": error.exit_code,
        "message": error.message,
        "location": {"file": where.file, "line": where.line, "row": where.row, "column": where.column},
        "cells": error.cells,
        "did_you_mean": error.near,
        "hint": error.hint,
    }


def _lines(error: RegcliError, *, color: bool) -> str:
    lines = [f"{paint('error', '1;31', on=color)}[{error.code}]: {visible(error.message)}"]
    if where := _place(error.where):
        lines.append(f"  at {visible(where)}")
    if error.cells:
        lines.append(f"  cells: {', '.join(visible(repr(cell)) for cell in error.cells)}")
    if error.near:
        lines.append(f"  did you mean {' or '.join(visible(repr(name)) for name in error.near)}?")
    if error.hint:
        lines.append(f"  hint: {visible(error.hint)}")
    return "\n".join(lines)


def _place(where: Location) -> str:
    file = where.file or ""
    if where.line is not None:
        file = f"{file}:{where.line}" if file else f"line {where.line}"
    row = "" if where.row is None else f"row {where.row}"
    column = "" if where.column is None else f"column {where.column!r}"
    return ", ".join(part for part in (file, row, column) if part)
