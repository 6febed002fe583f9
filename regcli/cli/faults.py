"""Errors as people and as programs read them."""

from regcli.cli.streams import paint
from regcli.errors import WARNING_CODES, RegcliError, Warn, error_class
from regcli.report.escape import visible

__all__ = ["error_document", "error_lines", "head_line", "strict_error"]

#: The words that lines begin with, and how they are painted.
_PAINT = {"error": "1;31", "warning": "1;33"}


def strict_error(warning: Warn) -> RegcliError:
    """The error that a warning is under ``--strict``: its own code, the status of its class."""
    kind = error_class(WARNING_CODES[warning.code][0])
    return kind(warning.code, warning.message, hint="without --strict this is a warning")


def error_document(error: RegcliError) -> dict[str, object]:
    """The document ``regcli.error/1``."""
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


def error_lines(error: RegcliError, *, color: bool) -> str:
    """What went wrong, where, and the way out."""
    lines = [head_line("error", error.code, error.message, color=color)]
    if where := error.where.told:
        lines.append(f"  at {visible(where)}")
    if error.cells:
        lines.append(f"  cells: {', '.join(visible(repr(cell)) for cell in error.cells)}")
    if error.near:
        lines.append(f"  did you mean {' or '.join(visible(repr(name)) for name in error.near)}?")
    if error.hint:
        lines.append(f"  hint: {visible(error.hint)}")
    return "\n".join(lines)


def head_line(word: str, code: str, message: str, *, color: bool) -> str:
    """The line of an error or a warning."""
    return f"{paint(word, _PAINT[word], on=color)}[{code}]: {visible(message)}"
