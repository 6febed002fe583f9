"""Errors as people and as programs read them."""

from regcli.cli.streams import paint
from regcli.errors import Location, RegcliError
from regcli.report.escape import visible

__all__ = ["error_document", "error_lines", "place_of"]


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
    lines = [f"{paint('error', '1;31', on=color)}[{error.code}]: {visible(error.message)}"]
    if where := place_of(error.where):
        lines.append(f"  at {visible(where)}")
    if error.cells:
        lines.append(f"  cells: {', '.join(visible(repr(cell)) for cell in error.cells)}")
    if error.near:
        lines.append(f"  did you mean {' or '.join(visible(repr(name)) for name in error.near)}?")
    if error.hint:
        lines.append(f"  hint: {visible(error.hint)}")
    return "\n".join(lines)


def place_of(where: Location) -> str:
    """A place in words, empty where none is known."""
    file = where.file or ""
    if where.line is not None:
        file = f"{file}:{where.line}" if file else f"line {where.line}"
    row = "" if where.row is None else f"row {where.row}"
    column = "" if where.column is None else f"column {where.column!r}"
    return ", ".join(part for part in (file, row, column) if part)
