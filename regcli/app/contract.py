"""What a model asks of new data, held against them chunk by chunk: which columns, of which kind, with which cells."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from regcli.data.levels import match_levels
from regcli.data.scorer import Scorer
from regcli.data.table import Column, Levels, Numbers, Table, Unsupported
from regcli.data.terms import Feature
from regcli.errors import Location, counted, listed
from regcli.results import Violation

__all__ = ["Breach", "Findings", "barred", "beyond", "breaches"]

#: Unknown levels that are told one by one; of more, only how many cells.
MOST_LEVELS = 50

#: Levels named in a message.
SHOWN = 8

Mask = NDArray[np.bool_]
Severity = Literal["error", "warning"]

#: What a violation is called in a message: of how many rows, then of which column.
_WORDS = {
    "column-not-found": "{rows} without the column {column!r}",
    "unsupported-type": "{rows} where column {column!r} is of another type",
    "text-in-numeric-column": "{rows} with text in column {column!r}, which is one of numbers",
    "bad-date": "{rows} with a cell in column {column!r} that is no date",
    "value-range": "{rows} with a number in column {column!r} that its function has no value for",
    "infinite-value": "{rows} with an infinite number in column {column!r}",
    "unknown-level": "{rows} with a category in column {column!r} that the model has not seen",
    "missing-values": "{rows} with a missing cell in column {column!r}, which the model does not fill",
    "imputed": "{rows} with a missing cell in column {column!r}, which the model fills",
    "out-of-range": "{rows} with a number in column {column!r} that is out of the training range",
    "bad-exposure": "{rows} with an exposure in column {column!r} that is not above 0",
    "target-domain": "{rows} with a target in column {column!r} that the model was not fitted for",
    "bad-weights": "{rows} with a weight in column {column!r} that is none",
    "bad-row": "{rows} with values whose prediction is beyond double precision",
}


@dataclass(frozen=True)
class Breach:
    """Rows (n,) of a chunk that break one rule in one column, and how their cells read."""

    code: str
    column: str | None
    severity: Severity
    rows: Mask
    expected: str
    cell: Callable[[int], str | None]
    below: Mask | None = None


def breaches(scorer: Scorer, table: Table, names: Sequence[str], *, zero_unknown: bool = False) -> Iterator[Breach]:
    """What is not as the model expects in some columns of a chunk; only rules that rows break.

    Parameters
    ----------
    scorer : Scorer
        The model.
    table : Table
        The chunk; cells that are no numbers in columns of numbers are in its ``bad_cells``.
    names : sequence of str
        Features, offset and exposure to look at.
    zero_unknown : bool
        Whether a level that is not known counts as none of the levels rather than keeping its row from being scored.
    """
    for name in names:
        made = scorer.encoder.by_source.get(name, ())  # none: offset or exposure
        number = all(feature.reads_numbers for feature in made)
        whole = _whole(name, table.columns.get(name), number=number, rows=table.rows)
        if whole is not None:
            yield whole
            continue
        sound = number and _is_sound(table, name)
        found = [] if sound else [_missing(table, name, made), *_bad_cells(table, name)]
        found += _nested(table, name, number=number)
        if number and (name == scorer.exposure or not sound):
            found += _numbers(scorer, table, name)
        for feature in made:
            if feature.kind == "number":
                found += _range(scorer, table, feature)
            elif feature.leveled:
                found += _levels(feature, table.columns[feature.column], zero_unknown=zero_unknown)
        yield from (breach for breach in found if breach.rows.any())


def _is_sound(table: Table, name: str) -> bool:
    """Whether all cells of a column of numbers are there and finite: the least and the largest tell."""
    column = table.columns[name]
    if not isinstance(column, Numbers) or name in table.bad_cells:
        return False
    low, high = column.extent
    return -np.inf < low <= high < np.inf  # nor are they NaN


def barred(found: Iterable[Breach], rows: int) -> Mask:
    """Rows (n,) that a rule keeps from being scored."""
    out = np.zeros(rows, dtype=bool)
    for breach in found:
        if breach.severity == "error":
            out |= breach.rows
    return out


def beyond(rows: Mask) -> Breach:
    """Rows (n,) that break no rule and yet have no finite prediction."""
    return Breach("bad-row", None, "error", rows, "a prediction in double precision", lambda _: None)


def _whole(name: str, column: Column | None, *, number: bool, rows: int) -> Breach | None:
    """A column that is absent or of another type breaks every row."""
    every, kind = np.ones(rows, dtype=bool), _kind(number=number)
    if column is None:
        return _absent(name, "error", every, number=number)
    if isinstance(column, Unsupported):
        return Breach("unsupported-type", name, "error", every, kind, lambda _: column.type)
    if not number and isinstance(column, Numbers) and not column.empty:
        return Breach("unsupported-type", name, "error", every, kind, lambda row: repr(column.cell(row)))
    return None


def _absent(name: str, severity: Severity, rows: Mask, *, number: bool) -> Breach:
    """Rows (n,) of which none has a column."""
    kind = _kind(number=number)
    return Breach("column-not-found", name, severity, rows, f"a column of {kind}", lambda _: None)


def _missing(table: Table, name: str, made: Sequence[Feature]) -> Breach:
    """Missing cells: filled as the model learnt to, or rows that cannot be scored."""
    column = table.columns[name]
    rows = np.zeros(table.rows, dtype=bool) if isinstance(column, Unsupported) else column.missing
    for told in (table.bad_cells, table.nested):  # these are told as what they are
        rows[list(told.get(name, ()))] = False
    if _filled(made):
        return Breach("imputed", name, "warning", rows, f"a cell; {made[0].missing} in its place", lambda _: "")
    return Breach("missing-values", name, "error", rows, "no missing cell", lambda _: "")


def _filled(made: Sequence[Feature]) -> bool:
    """Whether a model fills the missing cells of a column, by what it makes of it."""
    return bool(made) and all(feature.filled for feature in made)


def _nested(table: Table, name: str, *, number: bool) -> Iterator[Breach]:
    """Cells of JSON that are lists or objects."""
    cells = table.nested.get(name, {})
    rows = np.zeros(table.rows, dtype=bool)
    rows[list(cells)] = True
    if cells:
        yield Breach("unsupported-type", name, "error", rows, _kind(number=number), cells.get)


def _kind(*, number: bool) -> str:
    return "numbers" if number else "text"


def _bad_cells(table: Table, name: str) -> Iterator[Breach]:
    """Cells that are no numbers, no dates, or out of the domain of a function, where the column should have such."""
    bad, column = table.bad_cells.get(name, {}), table.columns[name]
    if not bad:
        return
    rows = np.zeros(table.rows, dtype=bool)
    rows[list(bad)] = True
    if not isinstance(column, Numbers):
        yield Breach("bad-date", name, "error", rows, "a date", bad.get)
        return
    text = rows & np.isnan(column.values)
    yield Breach("text-in-numeric-column", name, "error", text, "a number", bad.get)
    yield Breach("value-range", name, "error", rows & ~text, "a number that its function has a value for", bad.get)


def _numbers(scorer: Scorer, table: Table, name: str) -> Iterator[Breach]:
    """Numbers that no row may have."""
    column = table.columns[name]
    if not isinstance(column, Numbers):
        return

    def spelt(row: int) -> str:
        return repr(column.cell(row))

    yield Breach("infinite-value", name, "error", column.where(np.isinf), "a finite number", spelt)
    if name == scorer.exposure:
        yield Breach("bad-exposure", name, "error", column.where(lambda cells: cells <= 0), "a number above 0", spelt)


def _range(scorer: Scorer, table: Table, feature: Feature) -> Iterator[Breach]:
    """Numbers beyond what the training rows had."""
    column = table.columns[feature.column]
    known = None if scorer.profile is None else scorer.profile.columns.get(feature.column)
    if known is None or known.range is None or not isinstance(column, Numbers):
        return
    low, high = known.range
    least, most = column.extent
    if low <= least and most <= high:
        return

    def spelt(row: int) -> str:
        return repr(column.cell(row))

    below = column.where(lambda cells: (cells < low) & (cells > -np.inf))
    outside = below | column.where(lambda cells: (cells > high) & (cells < np.inf))
    yield Breach("out-of-range", feature.column, "warning", outside, f"from {low!r} to {high!r}", spelt, below)


def _levels(feature: Feature, column: Column, *, zero_unknown: bool) -> Iterator[Breach]:
    """Cells with a level that the model has not seen."""
    if not isinstance(column, Levels):
        return
    strange = (match_levels(feature, column)[column.codes] < 0) & (column.codes >= 0)
    known = listed(feature.levels, SHOWN)
    severity: Severity = "warning" if zero_unknown else "error"

    def spelt(row: int) -> str:
        return column.levels[column.codes[row]]

    yield Breach("unknown-level", feature.column, severity, strange, f"one of {known}", spelt)


# -- counted over all chunks -----------------------------------------------------------------------------------------


@dataclass
class _Tally:
    """One violation while rows stream by."""

    first: Breach
    where: Location
    cell: str | None
    count: int = 0
    below: int = 0
    levels: dict[str, int] = field(default_factory=dict)


_Tallies = dict[tuple[str, str | None], _Tally]


@dataclass
class _Lacking:
    """A column that no line of a file of JSON Lines has had so far: its rows, and what was counted of them."""

    file: str
    rows: int = 0
    tallies: _Tallies = field(default_factory=dict)


@dataclass(frozen=True)
class _Places:
    """Where cells of a chunk are. To find a line the chunk is scanned, so rows on one line are scanned for once."""

    table: Table
    _known: dict[int, Location | None] = field(default_factory=dict)

    def of(self, row: int, column: str | None) -> Location:
        """File and line of a cell."""
        if row not in self._known:
            first, last = (self.table.locate(row, name) for name in (None, list(self.table.columns)[-1]))
            self._known[row] = first if first.line == last.line else None
        place = self._known[row]
        return self.table.locate(row, column) if place is None else replace(place, column=column)


@dataclass
class Findings:
    """What was met in the columns ``names`` over all chunks, in memory that does not grow with them.

    ``places`` says of which first cells the place is wanted: of those of each column, of the first of all columns, or
    of none. To find a line, a chunk is scanned once more.

    Of a column that JSON Lines lack it is known at the end of the file alone whether cells are missing or the column is
    not there; what is counted until then is kept apart.
    """

    scorer: Scorer
    names: tuple[str, ...]
    places: Literal["columns", "first", "none"] = "columns"
    rows: int = 0
    firsts: dict[str, tuple[Location, str | None]] = field(default_factory=dict)
    _tallies: _Tallies = field(default_factory=dict)
    _lacking: dict[str, _Lacking] = field(default_factory=dict)

    def add(self, table: Table, found: Sequence[Breach]) -> None:
        """Count one chunk, and what was found in it."""
        self.rows += table.rows
        self._note_lacking(table)
        places = _Places(table)
        self._note_firsts(places, found)
        for breach in found:
            rows = np.flatnonzero(breach.rows)
            key, lacking = (breach.code, breach.column), self._lacking.get(breach.column or "")
            tallies = self._tallies if lacking is None else lacking.tallies
            if key not in tallies:
                row = int(rows[0])
                scan = self.places == "columns" and breach.code != "column-not-found"
                where = places.of(row, breach.column) if scan else Location(file=table.files[0].path)
                tallies[key] = _Tally(breach, where, breach.cell(row))
            tally = tallies[key]
            tally.count += rows.size
            tally.below += 0 if breach.below is None else int(np.count_nonzero(breach.below))
            if breach.code == "unknown-level":
                _count_levels(tally.levels, table.columns[breach.column or ""], rows)

    def _note_lacking(self, table: Table) -> None:
        """Note which columns a file lacks so far; those that a line has now are no longer among them."""
        file = table.files[0].path
        for name, lacking in list(self._lacking.items()):
            if lacking.file != file or not table.lacks(name):
                del self._lacking[name]
                found = lacking.tallies if lacking.file == file else self._never_met(name, lacking)
                _join(self._tallies, found)
        for name in self.names:
            if table.lacks(name):
                self._lacking.setdefault(name, _Lacking(file)).rows += table.rows

    def _never_met(self, name: str, lacking: _Lacking) -> _Tallies:
        """What is to be said of a column that a file lacks: rows without it can be scored where the model fills it."""
        made = self.scorer.encoder.by_source.get(name, ())
        number = all(feature.reads_numbers for feature in made)
        breach = _absent(name, "warning" if _filled(made) else "error", np.zeros(0, dtype=bool), number=number)
        tally = _Tally(breach, Location(file=lacking.file), None, lacking.rows)
        return {(breach.code, name): tally}

    def _counted(self) -> _Tallies:
        """All that was counted, if the data end here."""
        out = {key: replace(tally) for key, tally in self._tallies.items()}
        for name, lacking in self._lacking.items():
            _join(out, self._never_met(name, lacking))
        return out

    def _note_firsts(self, places: _Places, found: Sequence[Breach]) -> None:
        """Keep the place and the spelling of the first cell of each code."""
        if self.places == "none":
            return
        for breach in sorted(found, key=lambda breach: int(breach.rows.argmax())):
            if breach.code not in self.firsts and breach.column is not None and breach.code != "column-not-found":
                row = int(breach.rows.argmax())
                self.firsts[breach.code] = places.of(row, breach.column), breach.cell(row)

    def cells(self, code: str) -> dict[str, int]:
        """How many cells of each column have this."""
        counted = self._counted().items()
        return {name: tally.count for (kind, name), tally in counted if kind == code and name is not None}

    def violations(self) -> tuple[Violation, ...]:
        """All of them: those that keep rows from being scored first, in the order of the model's columns."""
        order = [name for feature in self.scorer.encoder.features for name in (feature.source, feature.column)]
        order += [name for name in (self.scorer.offset, self.scorer.exposure) if name is not None]
        found = [self._violation(*key, tally) for key, tally in self._counted().items()]
        place = {name: at for at, name in enumerate(dict.fromkeys(order))}
        codes = list(_WORDS)
        return tuple(
            sorted(found, key=lambda v: (v.severity, place.get(v.column or "", len(order)), codes.index(v.code)))
        )

    def _violation(self, code: str, column: str | None, tally: _Tally) -> Violation:
        ranged = tally.first.below is not None
        return Violation(
            code=code,
            column=column,
            severity=tally.first.severity,
            count=tally.count,
            share=tally.count / self.rows,
            file=tally.where.file,
            line=tally.where.line,
            row=tally.where.row,
            cell=tally.cell,
            expected=tally.first.expected,
            message=_WORDS[code].format(rows=counted(tally.count, "row"), column=column),
            training_share=self._training_share(code, column),
            below=tally.below if ranged else None,
            above=tally.count - tally.below if ranged else None,
            levels=tuple(tally.levels.items()) if code == "unknown-level" else None,
        )

    def _training_share(self, code: str, column: str | None) -> float | None:
        """How often it was so in the training rows, as far as the model knows."""
        profile = self.scorer.profile
        if code not in ("imputed", "missing-values") or profile is None or column is None:
            return None
        made = [feature.column for feature in self.scorer.encoder.features if feature.source == column]
        return profile.missing_rate(made[0]) if made else None


def _join(tallies: _Tallies, others: _Tallies) -> None:
    """Count what was kept apart along with the rest. Nothing of a column that is lacking has levels or a range."""
    for key, other in others.items():
        known = tallies.setdefault(key, other)
        if known is not other:
            known.count += other.count


def _count_levels(levels: dict[str, int], column: Column, rows: NDArray[np.intp]) -> None:
    """Count unknown levels by name, as many as are told."""
    if not isinstance(column, Levels):
        return
    codes, counts = np.unique(column.codes[rows], return_counts=True)
    for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
        level = column.levels[code]
        if level in levels or len(levels) < MOST_LEVELS:
            levels[level] = levels.get(level, 0) + count
