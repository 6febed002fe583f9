"""The one place where whatever went wrong becomes text or JSON on stderr and an exit status.

Below, errors are plain exceptions with facts; only ``RegcliError`` has a status of its own. Everything that nobody
expected is a bug and leaves with 70, without a traceback unless ``-vv`` asks for it.
"""

import os
import signal
import sys
import warnings
from collections.abc import Sequence
from types import FrameType

from regcli.app.limits import out_of_memory
from regcli.cli.faults import error_document, error_lines
from regcli.cli.main import application
from regcli.cli.session import Session
from regcli.cli.streams import discard_stdout, tell
from regcli.errors import NO_ROOM, OutputError, RegcliError
from regcli.report.formats import encode_line

__all__ = ["run"]

_INTERRUPTED = 128 + signal.SIGINT
_NO_READER = 128 + signal.SIGPIPE

#: Seconds after which a signal is sent once more whose exception was lost: by then whatever lost it is over.
_AGAIN = 0.01


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
    sys.unraisablehook = _not_lost
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
        app = application(words)
        status = app(args=list(words) or ["--help"], prog_name="regcli", standalone_mode=False, obj=session)
        if sys.stdout is not None:
            sys.stdout.flush()
        elif isinstance(status, int):  # of help or the version, which Typer prints to nowhere
            raise OutputError("output-failed", "standard output is closed", hint="leave it open")  # noqa: TRY301  (see below)
    except BrokenPipeError:
        return _no_reader()
    except Exception as error:  # noqa: BLE001  (this is the boundary)
        behind = _signal_behind(error)
        if behind is not None:
            raise behind from None
        return _report(session.placed(_known(error, words)), session)
    return status if isinstance(status, int) else 0  # Typer returns the status of an exit, else what a command returns


def _signal_behind(error: BaseException | None) -> BaseException | None:
    """The end that a signal asked for, where Python made another error of it: it does while a class is made."""
    while error is not None and not isinstance(error, KeyboardInterrupt | SystemExit):
        error = error.__cause__ or error.__context__
    return error


def _known(error: Exception, words: Sequence[str]) -> RegcliError:
    """The error in regcli's terms; a bug where it has none."""
    if isinstance(error, RegcliError):
        return error
    behind = error.__cause__
    if isinstance(error, RuntimeError) and isinstance(behind, RegcliError):  # --max-seconds, see _signal_behind
        return behind
    from regcli.cli.mistakes import ClickError, usage_error

    if isinstance(error, ClickError):
        return usage_error(error, words)
    short = out_of_memory(error) or _without_folder(error)
    if short is not None:
        return short
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        discard_stdout()
        return OutputError("output-failed", f"writing failed: {error.strerror}", hint="make room on the disk")
    message = f"{type(error).__name__}: {error}"
    fault = RegcliError("internal", message, hint="this is a bug in regcli; -vv shows where it happened")
    fault.__cause__ = error
    return fault


def _without_folder(error: Exception) -> RegcliError | None:
    """The error of who runs the tool in a folder that was removed meanwhile."""
    if isinstance(error, FileNotFoundError):
        try:
            os.getcwd()  # noqa: PTH109  (the one that fails)
        except FileNotFoundError:
            text = "the current directory no longer exists, and a path is relative to it"
            return OutputError("output-failed", text, hint="run it in another one, or name files from the root on")
    return None


def _leave(number: int, _frame: FrameType | None) -> None:
    """Leave by an exception, so that temporary files are taken away on the way out."""
    raise SystemExit(128 + number)


def _not_lost(lost: "sys.UnraisableHookArgs") -> None:
    """Send a signal again if it came while an object was taken apart, where Python drops what is raised."""
    error = lost.exc_value
    if isinstance(error, KeyboardInterrupt):
        number = int(signal.SIGINT)
    elif isinstance(error, SystemExit) and isinstance(error.code, int) and error.code > 128:
        number = error.code - 128
    else:
        sys.__unraisablehook__(lost)
        return
    import threading  # (a lost signal is rare)

    again = threading.Timer(_AGAIN, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()


def _no_reader() -> int:
    discard_stdout()
    return _NO_READER


def _report(error: RegcliError, session: Session) -> int:
    if session.json:
        tell(encode_line(error_document(error)))
    else:
        tell(error_lines(error, color=session.color))
    if error.code == "internal" and session.settings.verbose > 1 and not session.json:
        import traceback

        tell("".join(traceback.format_exception(error.__cause__)))
    return error.exit_code
