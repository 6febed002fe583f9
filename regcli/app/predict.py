"""Score rows with a saved model, piece by piece, in constant memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from regcli.app.adjust import at_strength, with_policies
from regcli.app.along import (
    Cells,
    absent_ids,
    columns_along,
    keys_of,
    no_id,
    refuse_other,
    require_along,
    spelt_along,
    without_rows,
)
from regcli.app.context import RunContext
from regcli.app.contract import Breach, Findings, barred, beyond, breaches
from regcli.app.observed import Observer
from regcli.app.options import PredictRequest, Scoring
from regcli.app.predictor import (
    Passed,
    Predicted,
    absent_column,
    model_chunks,
    numbers_of,
    output_names,
    outputs,
    predicted,
    require_columns,
)
from regcli.app.reading import dialect_of, empty_parts, found_parts, repeated_parts
from regcli.app.values import bounded, refuse
from regcli.data.derive import SPELLING, derived_table
from regcli.data.dialect import Dialect
from regcli.data.model_read import read_model
from regcli.data.read import Part
from regcli.data.scorer import Scorer
from regcli.data.table import Levels, Table
from regcli.data.terms import policies_of
from regcli.errors import DataError, Location, UsageError, Warn, counted, listed
from regcli.problem.families import FAMILIES

__all__ = ["PredictOutcome", "model_warnings", "predict", "range_warnings"]

Mask = NDArray[np.bool_]


#: The way out where a row cannot be scored.
_WITHOUT_IT = "--on-bad-row null leaves its prediction empty, --on-bad-row skip leaves it out"


@dataclass
class _Tally:
    """What was met on the way: counted while rows stream by, told after. ``dropped`` rows had a missing cell.

    ``keys`` are those that any line had, ``passed`` the files without rows among the ``files`` that are read.
    """

    findings: Findings
    observer: Observer
    files: int
    passed: list[Passed]
    keys: dict[str, None] = field(default_factory=dict)
    skipped: int = 0
    dropped: int = 0
    bad: Location | None = None


@dataclass(frozen=True)
class PredictOutcome:
    """``rows`` streams, as columns of some rows at a time; with its end ``finish`` and ``warnings`` are complete."""

    header: tuple[str, ...]
    rows: Iterator[list[Cells]]
    _plan: "_Plan"
    _tally: _Tally

    @property
    def names(self) -> dict[str, Any]:
        """Names of the metrics there can be, for what is asked of them before a row is written."""
        return {"metrics": dict.fromkeys(FAMILIES[self._plan.scorer.family].metrics)}

    @property
    def warnings(self) -> tuple[Warn, ...]:
        """What the user should know."""
        plan, tally = self._plan, self._tally
        findings, out = tally.findings, [*plan.warnings]
        if tally.dropped:
            text = f"{tally.dropped:,} of {counted(findings.rows, 'row')} with missing cells were left out"
            out.append(Warn("rows-dropped", text, {"rows": tally.dropped}))
        if tally.skipped:
            text = f"{tally.skipped:,} of {counted(findings.rows, 'row')} could not be scored"
            out.append(Warn("rows-skipped", text + _first_told(tally.bad, None), {"rows": tally.skipped}))
        unknown = sum(findings.cells("unknown-level").values())
        if unknown and plan.zero_unknown:
            what = "holds a category" if unknown == 1 else "hold categories"
            text = f"{counted(unknown, 'cell')} {what} that the model has not seen"
            told = _first_told(*findings.firsts["unknown-level"])
            out.append(Warn("unknown-level", text + told, {"cells": unknown}))
        filled = findings.cells("imputed")
        if filled:
            total, columns = sum(filled.values()), counted(len(filled), "column")
            how = "as --missing says" if plan.options.missing else "as the model learnt"
            text = f"{counted(total, 'cell')} in {columns} {'was' if total == 1 else 'were'} filled {how}"
            policies = policies_of(f for f in plan.scorer.encoder.features if f.source in filled)
            out.append(Warn("imputed", text, {"columns": filled, "policy": policies}))
        out += empty_parts([each.file for each in tally.passed], tally.files)
        return (*out, *_lacking(findings), *_unmeasured(findings), *range_warnings(findings))

    def finish(self) -> dict[str, Any] | None:
        """Metrics of the scored rows whose target (and weight, if the data have one) is known; None without any.

        Raises
        ------
        DataError
            ``column-not-found``: JSON Lines of which no line has what every row needs.
        UsageError
            Metrics were asked for, and no row has a target.
        """
        plan, found = self._plan, self._tally.observer.metrics()
        _require_keys(plan, self._tally)
        if found is None:
            if plan.needs_metrics is None:
                return None
            raise UsageError(
                "option-without-effect",
                f"{plan.needs_metrics}: the data have no usable target {plan.scorer.target!r}",
                hint=f"leave {plan.needs_metrics} out",
            )
        violations = [violation.entry() for violation in self._tally.findings.violations()]
        return {"schema": "regcli.metrics/1", **found, "violations": violations, "checks": []}


@dataclass(frozen=True)
class _Plan:
    """What to do with every chunk.

    ``needs_metrics`` is the option that cannot do without them, ``carried`` are the columns that go along, ``drop``
    those whose rows are left out where a cell is missing.
    """

    scorer: Scorer
    options: Scoring
    needs_metrics: str | None
    carried: tuple[str, ...]
    drop: tuple[str, ...]
    kind: str
    threshold: float
    warnings: tuple[Warn, ...]

    @property
    def strict_rows(self) -> bool:
        """Whether a row that cannot be scored is an error."""
        return self.options.on_bad_row in (None, "error")

    @property
    def zero_unknown(self) -> bool:
        """Whether a level that is not known counts as none."""
        return self.options.unknown_level == "zero"


def predict(request: PredictRequest, run: RunContext, *, placed: bool = False) -> PredictOutcome:
    """Begin to score; errors in the model, the options and the first rows come at once.

    Metrics have the place of the first cell of each column that breaks the contract where they are written to a file,
    or these are to be ``placed``: to find one, text is read once more.
    """
    options = request.scoring
    run.progress.doing("reading the model")
    read = read_model(options.model, verify=not options.no_verify)
    kind, threshold = _meaning(read, options)
    refuse({"--id": bool(options.id)}, "with --append") if options.append else None
    scorer, between = at_strength(read, options.lam)
    scorer, drop = with_policies(scorer, options.missing)
    dialect = dialect_of(request.reading, scorer.na_values)
    run.progress.doing("predicting", "rows")
    parts = found_parts(options.data, dialect, run)
    passed: list[Passed] = []
    tables = _tables(scorer, options, parts, dialect, passed)
    first = next(tables)
    plan = _Plan(
        scorer=scorer,
        options=options,
        needs_metrics=_needs_metrics(request),
        carried=columns_along(scorer, options, first, keys_of(parts[len(passed)], dialect, options)),
        drop=drop,
        kind=kind,
        threshold=threshold,
        warnings=(
            *model_warnings(scorer, first, options.model),
            *between,
            *absent_ids(scorer, options, first),
            *repeated_parts(parts),
        ),
    )
    observer = Observer.begun(scorer, first, threshold, request.reading.decimal)
    placed = placed or options.metrics_out is not None
    findings = Findings(scorer, scorer.needed, places="columns" if placed else "first")
    tally = _Tally(findings, observer, len(parts), passed)
    _require_same(plan, tally, 0)
    header = _header(plan)
    rows = _score_all(plan, tally, _score(plan, tally, first), tables, run)
    return PredictOutcome(header, rows, plan, tally)


def model_warnings(scorer: Scorer, first: Table, path: str) -> tuple[Warn, ...]:
    """What is to be said of a model and of a first table before any row is looked at."""
    out = []
    if scorer.altered:
        text = f"{path!r} was changed after it was written and is used as it is"
        out.append(Warn("model-altered", text, {"model": path}))
    if first.delimiter_guessed:
        text = f"the delimiter is taken to be {first.delimiter!r}"
        out.append(Warn("delimiter-guessed", text, {"delimiter": first.delimiter}))
    return tuple(out)


def _require_keys(plan: _Plan, tally: _Tally) -> None:
    """Refuse JSON Lines of which no line has a column that the model needs and does not fill, or that --id names."""
    for lost in tally.findings.violations():
        if lost.code == "column-not-found" and lost.severity == "error" and lost.column is not None:
            where, which = Location(file=lost.file), f", which no line of {lost.file} has"
            raise absent_column(plan.scorer, lost.column, tuple(tally.keys), where, which)
    for name in plan.options.id:
        if name not in tally.keys:
            raise no_id(name, tuple(tally.keys), Location(file=plan.options.data[0]))


def _lacking(findings: Findings) -> Iterator[Warn]:
    """Columns that the model fills in all rows of a file, because no line has them."""
    for lost in findings.violations():
        if lost.code == "column-not-found":
            text = f"no line of {lost.file} has column {lost.column!r}, which the model fills"
            yield Warn(
                "column-not-found", f"{text} in {counted(lost.count, 'row')}", {"columns": {lost.column: lost.count}}
            )


def _unmeasured(findings: Findings) -> Iterator[Warn]:
    """Rows that the metrics leave out though their target or weight is there."""
    for code, what in (("target-domain", "target"), ("bad-weights", "weight")):
        cells = findings.cells(code)
        if cells:
            count = sum(cells.values())
            text = f"{counted(count, 'row')} {'has' if count == 1 else 'have'} a {what} that the model cannot take"
            told = _first_told(*findings.firsts[code])
            yield Warn(
                code, f"{text} and {'does' if count == 1 else 'do'} not count in the metrics{told}", {"rows": count}
            )


def range_warnings(findings: Findings) -> tuple[Warn, ...]:
    """One warning for all columns with numbers out of the training range."""
    outside = findings.cells("out-of-range")
    if not outside:
        return ()
    total = sum(outside.values())
    text = f"{counted(total, 'cell')} {'lies' if total == 1 else 'lie'} outside the training range: {_listed(outside)}"
    told = _first_told(*findings.firsts["out-of-range"])
    return (Warn("out-of-range", text + told, {"columns": outside}),)


def _first_told(where: Location | None, cell: str | None) -> str:
    """Where the first of some cells is, and how it is spelt, behind what is said of all."""
    if where is None:
        return ""
    return f"; the first at {where.told}" + ("" if cell is None else f": {cell!r}")


def _listed(counts: dict[str, int]) -> str:
    """Columns with their counts, the first few."""
    return listed([f"{name} ({count:,})" for name, count in counts.items()], 5)


def _needs_metrics(request: PredictRequest) -> str | None:
    """The option that cannot do without metrics, if one was given."""
    if request.scoring.metrics_out is not None:
        return "--metrics-out"
    return "--assert" if request.checks.checks else None


def _meaning(scorer: Scorer, options: Scoring) -> tuple[str, float]:
    """What a prediction is, and from which probability on it is the event."""
    kind = options.type or "response"
    if scorer.classes is None:
        refuse({"--threshold": options.threshold is not None}, f"for a {scorer.family} model")
        if kind in ("class", "prob"):
            raise UsageError(
                "option-without-effect",
                f"--type {kind} is for classes, and the model is {scorer.family}",
                hint="--type response",
            )
    threshold = scorer.cut if options.threshold is None else options.threshold
    bounded("--threshold", threshold, 0.0, 1.0)
    return kind, threshold


def _tables(
    scorer: Scorer, options: Scoring, parts: Sequence[Part], dialect: Dialect, passed: list[Passed]
) -> Iterator[Table]:
    """Chunks of all inputs."""
    strict = options.on_bad_row in (None, "error")
    raw = options.append or {*(options.id or scorer.id)}
    bad_cells: Literal["error", "missing"] = "error" if strict else "missing"
    return model_chunks(scorer, parts, dialect, scorer.needed, bad_cells=bad_cells, passed=passed, keep_raw=raw)


def _header(plan: _Plan) -> tuple[str, ...]:
    """Names of the output's columns."""
    names = [(plan.options.prefix or "") + name for name in output_names(plan.scorer, plan.kind)]
    clash = [name for name in names if name in plan.carried]
    if clash:
        raise UsageError(
            "conflicting-options",
            f"the input has a column {clash[0]!r}, which the output would add",
            hint="--prefix P puts P before the new names",
        )
    return (*plan.carried, *names)


def _score_all(
    plan: _Plan, tally: _Tally, first: list[Cells], rest: Iterator[Table], run: RunContext
) -> Iterator[list[Cells]]:
    """Chunk after chunk; the first has been scored, so that what is wrong with it comes before any output."""
    looked = len(tally.passed)
    yield first
    for table in rest:
        looked = _require_same(plan, tally, looked)
        run.progress.update(tally.findings.rows, 0)
        yield _score(plan, tally, table)
    _require_same(plan, tally, looked)


def _require_same(plan: _Plan, tally: _Tally, looked: int) -> int:
    """Hold files without rows to what goes along, from ``looked`` on; how many there are by now."""
    for each in tally.passed[looked:]:
        if each.columns is not None:
            known = {*plan.carried} if plan.options.append else {*each.columns}
            refuse_other(
                each.file,
                [name for name in plan.carried if name not in each.columns],
                [name for name in each.columns if name not in known],
            )
    return len(tally.passed)


def _score(plan: _Plan, tally: _Tally, table: Table) -> list[Cells]:
    """Score one chunk: the columns that are written of it."""
    scorer = plan.scorer
    require_along(plan.carried, table, every=plan.options.append)
    require_columns(scorer, table)
    tally.keys.update(dict.fromkeys(name for name in table.columns if not table.lacks(name)))
    derived = [(function, source) for function, source in scorer.encoder.derived if source in scorer.needed]
    table = derived_table(table, derived, strict=False)
    found = tuple(breaches(scorer, table, scorer.needed, zero_unknown=plan.zero_unknown))
    dropped = np.zeros(table.rows, dtype=bool)
    for breach in found:
        if breach.code == "missing-values" and breach.column in plan.drop:
            dropped |= breach.rows
    made = predicted(scorer, table, zero_unknown=plan.zero_unknown)
    bad = (~np.isfinite(made.eta) | barred(found, table.rows)) & ~dropped
    if bad.any() and plan.strict_rows:
        _refuse(plan, table, found, int(np.flatnonzero(bad)[0]))
    unmeasured = tally.observer.add(table, made.eta, bad | dropped)
    tally.findings.add(table, [*_counted(found, bad, dropped), *unmeasured])
    if bad.any() and tally.bad is None:
        row = int(bad.argmax())
        why = next((breach.column for breach in found if breach.severity == "error" and breach.rows[row]), None)
        tally.bad = table.locate(row, why)
    tally.dropped += int(dropped.sum())
    tally.skipped += int(bad.sum())
    return _format(plan, table, made, bad, dropped)


def _counted(found: tuple[Breach, ...], bad: Mask, dropped: Mask) -> list[Breach]:
    """What is counted of a chunk: cells are filled only in rows that are scored; rows without any reason have one."""
    out = []
    for breach in found:
        rows = breach.rows if breach.code == "missing-values" else breach.rows & ~dropped
        out.append(replace(breach, rows=rows & ~bad if breach.code == "imputed" else rows))
    out.append(beyond(bad & ~dropped & ~barred(found, bad.size)))
    return [breach for breach in out if breach.rows.any()]


def _refuse(plan: _Plan, table: Table, found: tuple[Breach, ...], row: int) -> NoReturn:
    """Say why a row cannot be scored; categories that are not known come first, wherever they are."""
    for breach in found:
        if breach.code == "unknown-level" and breach.severity == "error":
            _refuse_level(table, breach)
    odd = next((one for one in found if one.code in ("bad-date", "value-range") and one.rows[row]), None)
    if odd is not None:
        raise DataError(
            odd.code,
            f"a row cannot be scored: column {odd.column!r} needs {odd.expected}",
            where=table.locate(row, odd.column),
            cells=[odd.cell(row) or ""],
            hint=f"{SPELLING}; {_WITHOUT_IT}" if odd.code == "bad-date" else _WITHOUT_IT,
        )
    nested = next((one for one in found if one.code == "unsupported-type" and one.rows[row]), None)
    if nested is not None:
        cell = nested.cell(row) or ""
        kind = "array" if cell.startswith("[") else "object"
        raise DataError(
            nested.code,
            f"a row cannot be scored: column {nested.column!r} holds a JSON {kind}",
            where=table.locate(row, nested.column),
            cells=[cell],
            hint=f"write it as numbers or text; {_WITHOUT_IT}",
        )
    holes = [breach for breach in found if breach.code == "missing-values" and breach.rows[row]]
    name = holes[0].column if holes else None
    if name is not None and row < table.first_rows.get(name, 0):
        there = [each for each in table.columns if table.first_rows.get(each, 0) <= row]
        raise absent_column(plan.scorer, name, there, table.locate(row, None), ", which no line up to this one has")
    what = f"column {name!r} is missing" if name else "its values are beyond double precision"
    exposure = plan.scorer.exposure
    if name is None and exposure is not None and numbers_of(table, exposure, 1.0)[row] <= 0:
        what = f"its exposure, column {exposure!r}, is not above 0"
    raise DataError(
        "missing-values" if name else "bad-row",
        f"a row cannot be scored: {what}",
        where=table.locate(row, name),
        hint=_WITHOUT_IT,
    )


def _refuse_level(table: Table, breach: Breach) -> NoReturn:
    row = int(np.flatnonzero(breach.rows)[0])
    column = table.columns[breach.column or ""]
    assert isinstance(column, Levels)  # noqa: S101  (it has a level)
    raise DataError(
        "unknown-level",
        f"column {breach.column!r} has a category that the model has not seen; it knows "
        + breach.expected.removeprefix("one of "),
        where=table.locate(row, breach.column),
        cells=[column.levels[column.codes[row]]],
        hint="--unknown-level zero scores it as none of them, --on-bad-row null|skip passes over the row",
    )


def _format(plan: _Plan, table: Table, made: Predicted, bad: Mask, dropped: Mask) -> list[Cells]:
    """Columns of cells: what goes along, then the predictions."""
    columns = spelt_along(plan.carried, table)
    columns += outputs(plan.scorer, plan.kind, plan.threshold, made, bad | dropped)
    left_out = bad | dropped if plan.options.on_bad_row == "skip" else dropped
    return [without_rows(column, left_out) for column in columns] if left_out.any() else columns
