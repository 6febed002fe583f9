"""Reading documents back: bounded, as they are; models are verified."""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from regcli.app.options import Showing
from regcli.app.values import bounded, refuse
from regcli.data.inputs import refuse_stdin_twice
from regcli.data.model_json import parse, read_bounded
from regcli.data.model_read import verified_model
from regcli.data.nearby import files_near
from regcli.errors import DataError, Location, ModelFileError, RegcliError, UsageError

__all__ = ["Shown", "read_document", "read_documents"]

#: Significant digits of a double that reads back the same, IEEE 754.
MOST_DIGITS = 17

#: What a model begins with, damaged or not.
_MODEL = re.compile(r'\s*\{\s*"schema"\s*:\s*"regcli\.model/')


@dataclass(frozen=True)
class Shown:
    """A document, where it is from, and whether it is a model that was verified (None: no model)."""

    path: str
    document: dict[str, Any]
    verified: bool | None


def read_documents(showing: Showing) -> tuple[Shown, ...]:
    """Read every document before the first is shown.

    Raises
    ------
    UsageError
        No document, standard input twice, digits out of range.
    DataError
        ``file-not-found``, ``file-unreadable``, ``document-unreadable``.
    ModelFileError
        ``model-unreadable``, ``model-schema``, ``model-altered``.
    """
    if not showing.documents:
        raise UsageError("usage", "no document was given", hint="regcli show model.json, or - for standard input")
    refuse_stdin_twice(showing.documents)
    refuse({"--digits": showing.digits is not None and not showing.equation}, "without --equation", "--equation")
    if showing.digits is not None:
        bounded("--digits", showing.digits, 1, MOST_DIGITS)
    read = tuple(read_document(path, verify=not showing.no_verify) for path in showing.documents)
    refuse({"--no-verify": showing.no_verify and all(one.verified is None for one in read)}, "without a model")
    return read


def read_document(source: str, *, verify: bool = True) -> Shown:
    """Read one document from a file, or from standard input for ``-``; a model is checked.

    Raises
    ------
    DataError, ModelFileError
        As ``read_documents``.
    """
    text, path = _text(source), _named(source)
    try:
        document = parse(text)
    except ValueError as error:
        _refuse(path, text, error)
    if not isinstance(document, dict):
        told = "a list" if isinstance(document, list) else "a single value"
        raise _unreadable(path, f"{path!r} is JSON, but {told} and no document of regcli's")
    if not str(document.get("schema")).startswith("regcli.model/"):
        return Shown(path, document, None)
    verified_model(path, document, verify=verify)
    return Shown(path, document, verify)


def _named(source: str) -> str:
    """What a source is called in messages."""
    return "standard input" if source == "-" else source


def _text(source: str) -> str:
    """The text of a file or of standard input, if it is one and not too long."""
    path = _named(source)
    try:
        if source == "-":
            return read_bounded(sys.stdin.buffer)
        with Path(source).open("rb") as file:
            return read_bounded(file)
    except FileNotFoundError as error:
        raise DataError(
            "file-not-found",
            f"no file {path!r}",
            where=Location(file=path),
            near=files_near(source),
            hint="-m of fit writes models, -o of every command its document",
        ) from error
    except (OSError, AttributeError) as error:  # a closed standard input
        reason = getattr(error, "strerror", None) or "it cannot be opened"
        raise DataError(
            "file-unreadable",
            f"cannot read {path!r}: {reason}",
            where=Location(file=path),
            hint="regcli show model.json, or - for standard input",
        ) from error
    except ValueError as error:  # a NUL in the path, too
        raise _unreadable(path, f"cannot read {path!r}: {error}") from error


def _refuse(path: str, text: str, error: Exception) -> NoReturn:
    """Say why a text is not JSON, and where; a model that is damaged is refused as a model."""
    line: int | None = None
    if not text.strip():
        message = f"{path!r} is empty"
    elif isinstance(error, json.JSONDecodeError):
        cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        line = error.lineno
        message = f"{path!r} is not JSON: " + ("it is cut off" if cut else f"{error.msg}, column {error.colno}")
    else:
        message = f"{path!r} is not JSON: {error}"
    fault: RegcliError
    if _MODEL.match(text):
        hint, where = "fit again, with -m", Location(file=path, line=line)
        fault = ModelFileError("model-unreadable", message, hint=hint, where=where)
    else:
        fault = _unreadable(path, message, line)
    raise fault from error


def _unreadable(path: str, message: str, line: int | None = None) -> DataError:
    hint = "models, and what fit, cv, path and inspect write with --json, can be shown"
    return DataError("document-unreadable", message, hint=hint, where=Location(file=path, line=line))
