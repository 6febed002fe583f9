"""JSON Lines: an object a line. Numbers are taken as they are spelt, so that none loses a digit on the way.

Columns come in the order in which keys are first met; a key that a line lacks is a missing cell. In chunks that holds
of columns that are asked for before any line has had their key, too: where a chunk ends makes no difference.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from regcli.data.columns import absent_values, as_boolean, beside, number, same_values, spelt_levels
from regcli.data.dialect import Dialect
from regcli.data.lines import Line, numbered_lines
from regcli.data.plan import NOT_READ, ChunkPlan, declared_numbers
from regcli.data.source import Source, would_wait
from regcli.data.table import Column, Levels, Numbers, SourceFile, Table, Unsupported
from regcli.data.text import check_names, no_rows, nul_byte
from regcli.errors import DataError, Location

__all__ = ["jsonl_chunks", "jsonl_names", "read_jsonl"]


def read_jsonl(source: Source, dialect: Dialect, is_text: Callable[[str], bool]) -> Table:
    """Read a whole file.

    Raises
    ------
    DataError
        ``broken-line`` for what is no object, ``duplicate-column`` for a key that is twice in a line, and what text
        may be refused for, with the line.
    """
    before, digest = source.state(), hashlib.sha256()
    cells = _Cells(source.name)
    with source.open(digest.update) as stream:
        for lines in numbered_lines(stream, source.name, dialect):
            cells.add(lines)
    source.check_state(before)
    if not cells.lines:
        raise no_rows(source.name)
    columns = {
        name: _whole_column(values, dialect.na_values, as_text=is_text(name))
        for name, values in cells.columns().items()
    }
    rows = len(cells.lines)
    file = SourceFile(source.name, digest.hexdigest(), rows)
    return Table((file,), "jsonl", columns, rows, cells.locator())


def jsonl_names(source: Source, dialect: Dialect) -> tuple[str, ...]:
    """The keys of a whole file, in the order in which they are met."""
    cells = _Cells(source.name)
    with source.open() as stream:
        for lines in numbered_lines(stream, source.name, dialect):
            cells.add(lines)
            cells.forget()
    if not cells.found:
        raise no_rows(source.name)
    return tuple(cells.found)


def jsonl_chunks(stream: BinaryIO, name: str, dialect: Dialect, plan: ChunkPlan) -> Iterator[Table]:
    """Read a stream in chunks of at most ``plan.rows`` rows; a column stays once its key was met.

    One that is asked for is there from the first chunk on, of missing cells.
    """
    cells = _Cells(name, reads=lambda key: plan.keeps(key) or not plan.passes_over(key))
    waiting = list[Line]()
    empty = True
    for lines in numbered_lines(stream, name, dialect):
        waiting += lines
        while len(waiting) >= plan.rows or (waiting and would_wait(stream)):
            cells.add(waiting[: plan.rows])
            waiting = waiting[plan.rows :]
            yield _chunk(cells, dialect, plan)
            cells.forget()
            empty = False
    if waiting:
        cells.add(waiting)
        yield _chunk(cells, dialect, plan)
    elif empty:
        raise no_rows(name)


def _chunk(cells: "_Cells", dialect: Dialect, plan: ChunkPlan) -> Table:
    locate, missing = cells.locator(), dialect.na_values
    columns: dict[str, Column] = {}
    doubtful: dict[str, Levels] = {}
    raw: dict[str, NDArray[np.object_]] = {}
    nested: dict[str, dict[int, str]] = {}
    rows = len(cells.lines)
    lacking = {name: [None] * rows for name in plan.asked if name not in cells.found}
    for name, values in {**cells.columns(), **lacking}.items():
        if plan.keeps(name):
            raw[name] = np.array([*map(_cell, values), None], dtype=object)[:-1]
        if plan.passes_over(name):
            columns[name] = NOT_READ
            continue
        wanted = name in plan.numeric
        plain, lists = _without_lists(values)
        if lists:
            nested[name] = lists
        column = _column(plain, missing, as_text=not wanted)
        if wanted and isinstance(column, Levels):
            doubtful[name] = column
        columns[name] = column
    found, bad_cells = declared_numbers(doubtful, plan, locate, missing=missing)
    return Table(
        files=(SourceFile(cells.file, "", rows),),
        format="jsonl",
        columns={**columns, **found},
        rows=rows,
        locate=locate,
        bad_cells=bad_cells,
        raw=raw if plan.keep_raw else None,
        nested=nested,
        first_rows={**dict.fromkeys(lacking, rows), **cells.first_rows},
    )


def _without_lists(values: list[Any]) -> tuple[list[Any], dict[int, str]]:
    """The cells without lists and objects, and these as spelt, by row."""
    lists = {row: _json(value) for row, value in enumerate(values) if isinstance(value, (list, tuple))}
    return ([None if row in lists else value for row, value in enumerate(values)] if lists else values), lists


class _Spelt(str):
    """A number as it is spelt in the file, which a string is not."""

    __slots__ = ()


_decode = json.JSONDecoder(
    object_pairs_hook=tuple, parse_int=_Spelt, parse_float=_Spelt, parse_constant=_Spelt, strict=True
).decode


@dataclass
class _Cells:
    """Rows as columns of values: None, booleans, text, numbers as spelt; lists and objects as lists and tuples.

    ``first_rows`` are the rows that first had a key, of keys that rows before them lack. ``reads`` says of which keys
    the values are used.
    """

    file: str
    found: dict[str, list[Any]] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)
    first_rows: dict[str, int] = field(default_factory=dict)
    before: int = 0
    reads: Callable[[str], bool] = lambda _: True

    def add(self, lines: list[Line]) -> None:
        """Take in some rows."""
        for line, text in lines:
            self._add(line, self._object(line, text))

    def _object(self, line: int, text: bytes) -> tuple[tuple[str, Any], ...]:
        try:
            pairs = _decode(text.decode())
        except json.JSONDecodeError as error:
            said = f"{error.msg} (character {error.pos + 1})"
            raise self._broken(line, text, said) from error
        except RecursionError as error:
            raise self._broken(line, text, "it is nested too deeply") from error
        if not isinstance(pairs, tuple):
            raise self._broken(line, text, 'it is no object such as {"age": 41}')
        return pairs

    def _broken(self, line: int, text: bytes, said: str) -> DataError:
        return DataError(
            "broken-line",
            f"{self.file}: line {line} is not JSON Lines: {said}",
            hint="JSON Lines has an object a line; of a list of objects, jq -c '.[]' makes that",
            where=Location(file=self.file, line=line),
            cells=(text[:60].decode("utf-8", "replace"),),
        )

    def _add(self, line: int, pairs: tuple[tuple[str, Any], ...]) -> None:
        row = len(self.lines)
        for key, value in pairs:
            column = self.found.get(key)
            if column is None:
                column = self.found[key] = []
                self._check_key(key, line)
                if row or self.before:
                    self.first_rows[key] = row
            if len(column) > row:
                raise DataError(
                    "duplicate-column",
                    f"{self.file}: line {line} has the key {key!r} twice",
                    hint="take one of them out",
                    where=Location(file=self.file, line=line, column=key),
                )
            if isinstance(value, str):
                self._check_text(value, key, line)
            column.extend([None] * (row - len(column)))
            column.append(value)
        self.lines.append(line)

    def _check_text(self, value: str, key: str, line: int) -> None:
        place, where = f"{self.file}: line {line}, key {key!r}", Location(file=self.file, line=line, column=key)
        if not _is_unicode(value):
            raise DataError(
                "broken-line",
                f"{place}: half of a character, as \\ud800 is, is no text",
                where=where,
                hint="spell the character as two escapes, or as UTF-8",
            )
        if "\0" in value and self.reads(key):
            raise nul_byte(f"{place}: the text has a NUL byte, spelt \\u0000", where)

    def _check_key(self, key: str, line: int) -> None:
        check_names([key], self.file, lambda _: line)
        if "\0" in key or not _is_unicode(key):
            text = f"{self.file}: line {line} has a key that is no text: {key!r}"
            raise DataError("broken-line", text, where=Location(file=self.file, line=line), hint="rename the key")

    def columns(self) -> dict[str, list[Any]]:
        """All columns, as long as there are rows."""
        for column in self.found.values():
            column.extend([None] * (len(self.lines) - len(column)))
        return self.found

    def forget(self) -> None:
        """Let go of the rows; the keys stay."""
        self.before += len(self.lines)
        self.found = {name: [] for name in self.found}
        self.lines, self.first_rows = [], {}

    def locator(self) -> Callable[[int, str | None], Location]:
        """Where rows are."""
        file, lines = self.file, self.lines
        return lambda row, column: Location(file=file, line=lines[row], column=column)


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a pair, which JSON can spell
        return False
    return True


def _whole_column(values: list[Any], missing: tuple[str, ...], *, as_text: bool) -> Column:
    """As ``_column``, where nobody has said what the column is: quoted numbers among others may be either.

    Quoted booleans among others may not: they are the same levels.
    """
    if not as_text and {_Spelt, str} <= set(map(type, values)):
        quoted = [row for row, value in enumerate(values) if type(value) is str and value not in missing]
        spelt = [row for row, value in enumerate(values) if isinstance(value, _Spelt)]
        others = any(isinstance(value, bool | list | tuple) for value in values)
        if quoted and not others and all(number(values[row]) is not None for row in quoted):
            row, what = (quoted[0], "text") if len(quoted) <= len(spelt) else (spelt[0], "a number")
            return Unsupported(f"number in some lines and text in others (here {what})", row, mixed=True)
    column = _column(values, missing, as_text=as_text)
    if not isinstance(column, Levels) or not column.typed:
        return column
    return same_values(column) if as_text else as_boolean(same_values(column))


def _column(values: list[Any], missing: tuple[str, ...], *, as_text: bool) -> Column:
    kinds = set(map(type, values)) - {type(None)}
    if not as_text and str in kinds and len(kinds) > 1:  # text that means missing is none
        values = [None if type(value) is str and value in missing else value for value in values]
        kinds = set(map(type, values)) - {type(None)}
    nested = kinds & {list, tuple}
    if nested:
        row = next(row for row, value in enumerate(values) if isinstance(value, (list, tuple)))
        return Unsupported("JSON object" if isinstance(values[row], tuple) else "JSON array", row)
    if kinds <= {_Spelt} and not as_text:
        found = _numbers(values, missing)
        if found is not None:
            return found
    return _levels(values, missing) if bool in kinds else spelt_levels(_objects(map(_text, values)), missing)


def _levels(values: list[Any], missing: tuple[str, ...]) -> Levels:
    """Levels of cells of which some are booleans: these have no spelling, whatever is in the lines around them."""
    truths = [isinstance(value, bool) for value in values]
    texts = (None if truth else _text(value) for truth, value in zip(truths, values, strict=True))
    named = (_text(value) if truth else None for truth, value in zip(truths, values, strict=True))
    return beside(spelt_levels(_objects(texts), missing), replace(spelt_levels(_objects(named), missing), typed=True))


def _objects(cells: Iterable[str | None]) -> NDArray[np.object_]:
    return np.array([*cells, None], dtype=object)[:-1]


def _numbers(values: list[Any], missing: tuple[str, ...]) -> Numbers | None:
    absent = absent_values(missing)
    out = np.full(len(values), np.nan)
    for row, cell in enumerate(values):
        if cell is not None and cell not in missing:
            value = float(cell)
            out[row] = np.nan if value in absent else value
            if out[row] != out[row] and cell == "NaN":
                return None
    return Numbers(out)


def _text(value: Any) -> str | None:  # noqa: ANN401  (whatever JSON holds)
    return None if value is None else _spelt(value)


def _spelt(value: Any) -> str:  # noqa: ANN401
    """A value as a category: booleans are called as Python calls them, as in other formats."""
    return _json(value) if isinstance(value, (list, tuple)) else str(value)


def _cell(value: Any) -> str:  # noqa: ANN401
    """A value as it goes along with predictions: as it is spelt, text without its quotes, null as nothing."""
    return "" if value is None else value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:  # noqa: ANN401
    """A value as JSON; numbers keep their spelling."""
    if isinstance(value, tuple):
        return "{" + ", ".join(f"{_json(key)}: {_json(cell)}" for key, cell in value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    if isinstance(value, _Spelt):
        return str(value)
    # Half of a character, which is text inside a list or an object alone, stays the escape that it was.
    return json.dumps(value, ensure_ascii=isinstance(value, str) and not _is_unicode(value))
