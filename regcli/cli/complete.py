"""Completion of column names: ``--target <TAB>`` reads the header of the table on the line."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

import typer

__all__ = ["complete_column"]

_DELIMITERS = ",;\t|"
_LONGEST_HEADER = 1 << 20  # a line that is longer is not the header of a table


def complete_column(context: typer.Context, incomplete: str) -> list[str]:
    """Names of columns, of the first table on the line, that begin with ``incomplete``.

    A shell asks while the line is half written, so whatever cannot be read has no completions. Parquet is not looked
    into: its reader takes longer to load than a key press may last.
    """
    # While completing, Typer has not yet dealt the positional arguments to their parameters: they are in ``args``.
    for word in _words(context):
        path = Path(word)
        if path.suffix.lower() in {".csv", ".tsv", ".txt"} and path.is_file():
            return [name for name in _header(path) if name.startswith(incomplete)]
    return []


def _words(context: typer.Context) -> Iterator[str]:
    given: Iterable[object] = context.params.get("data") or ()
    yield from (word for word in given if isinstance(word, str))
    yield from context.args


def _header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            line = file.readline(_LONGEST_HEADER)
    except (OSError, UnicodeDecodeError):
        return []  # nothing to suggest; the command itself will say what is wrong
    delimiter = max(_DELIMITERS, key=line.count)
    return next(csv.reader([line], delimiter=delimiter), [])
