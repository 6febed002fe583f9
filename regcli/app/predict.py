"""Score rows with a saved model, piece by piece, in constant memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from regcli.app.context import RunContext
from regcli.app.options import PredictRequest, Reading, Scoring
from regcli.app.parallel import single_blas_thread
from regcli.app.reading import dialect_of
from regcli.app.running import RunningScores
from regcli.app.values import bounded, refuse
from regcli.data.columns import number
from regcli.data.derive import DATE_PARTS, derived_table
from regcli.data.levels import match_levels
from regcli.data.model_file import Scorer, read_model
from regcli.data.read import check_sources, read_chunks
from regcli.data.source import is_stream
from regcli.data.table import Levels, Numbers, Table, Unsupported
from regcli.data.target import spelt
from regcli.data.terms import Feature
from regcli.data.usable import missing_rows
from regcli.errors import DataError, Location, UsageError, Warn, counted
from regcli.problem.families import FAMILIES

__all__ = ["PredictOutcome", "predict"]

#: Rows scored at a time.
CHUNK_ROWS = 20_000

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Cells = tuple[str | float | None, ...]


@dataclass
class _Tally:
    """What was met on the way: counted while rows stream by, told after."""

    scores: RunningScores
    rows: int = 0
    skipped: int = 0
    unknown: int = 0
    filled: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class PredictOutcome:
    """``rows`` streams; ``finish`` and ``warnings`` are complete once it has been read to its end."""

    header: tuple[str, ...]
    rows: Iterator[list[Cells]]
    _plan: "_Plan"
    _tally: _Tally

    @property
    def warnings(self) -> tuple[Warn, ...]:
        """What the user should know."""
        tally, out = self._tally, []
        if self._plan.guessed is not None:
            text = f"the delimiter is taken to be {self._plan.guessed!r}"
            out.append(Warn("delimiter-guessed", text, {"delimiter": self._plan.guessed}))
        if tally.skipped:
            text = f"{tally.skipped:,} of {counted(tally.rows, 'row')} could not be scored"
            out.append(Warn("rows-skipped", text, {"rows": tally.skipped}))
        if tally.unknown:
            what = "holds a category" if tally.unknown == 1 else "hold categories"
            text = f"{counted(tally.unknown, 'cell')} {what} that the model has not seen"
            out.append(Warn("unknown-level", text, {"cells": tally.unknown}))
        filled = {name: count for name, count in tally.filled.items() if count}
        if filled:
            total, columns = sum(filled.values()), counted(len(filled), "column")
            text = f"{counted(total, 'cell')} in {columns} {'was' if total == 1 else 'were'} filled as the model learnt"
            policies = {f.source: f.missing for f in self._plan.scorer.encoder.features if f.source in filled}
            out.append(Warn("imputed", text, {"columns": filled, "policy": policies}))
        return tuple(out)

    def finish(self) -> dict[str, Any] | None:
        """Metrics of the scored rows whose target (and weight, if the data have one) is known; None without any.

        Raises
        ------
        UsageError
            Metrics were asked for, and no row has a target.
        """
        plan, scores = self._plan, self._tally.scores
        found = scores.scores()
        if not scores.rows:
            if plan.needs_metrics is None:
                return None
            raise UsageError(
                "option-without-effect",
                f"{plan.needs_metrics}: the data have no usable target {plan.scorer.target!r}",
                hint=f"leave {plan.needs_metrics} out",
            )
        return {
            "schema": "regcli.metrics/1",
            "rows": scores.rows,
            "weights": plan.scorer.weights if plan.weighted else None,
            "auc_rows": scores.auc_rows,
            "metrics": {name: value if np.isfinite(value) else None for name, value in found.items()},
            "checks": [],
        }


@dataclass(frozen=True)
class _Plan:
    """What to do with every chunk.

    ``needs_metrics`` is the option that cannot do without them, ``carried`` are the columns that go along, ``columns``
    those of the first table, ``weighted`` whether it has the model's weights, ``guessed`` its delimiter if that was
    found by looking, ``decimal`` its decimal mark.
    """

    scorer: Scorer
    options: Scoring
    needs_metrics: str | None
    carried: tuple[str, ...]
    columns: tuple[str, ...]
    kind: str
    threshold: float
    weighted: bool
    guessed: str | None
    decimal: str


def predict(request: PredictRequest, run: RunContext) -> PredictOutcome:
    """Begin to score; errors in the model, the options and the first rows come at once."""
    options = request.scoring
    scorer = read_model(options.model, verify=not options.no_verify)
    if not options.data:
        raise UsageError("usage", "no input file", hint="regcli predict model.json new.csv, or - for standard input")
    kind, threshold = _meaning(scorer, options)
    refuse({"--id": bool(options.id)}, "with --append") if options.append else None
    check_sources(options.data)
    for source in options.data:
        is_stream(source)  # refuses what is not there, before rows of others are written
    single_blas_thread()
    tables = _tables(scorer, options, request.reading)
    first = next(tables)
    plan = _Plan(
        scorer=scorer,
        options=options,
        needs_metrics=_needs_metrics(request),
        carried=_carried(scorer, options, first),
        columns=tuple(first.columns),
        kind=kind,
        threshold=threshold,
        weighted=scorer.weights in first.columns,
        guessed=first.delimiter if first.delimiter_guessed else None,
        decimal=request.reading.decimal or ".",
    )
    tally = _Tally(RunningScores(FAMILIES[scorer.family], threshold))
    header = _header(plan)
    rows = _score_all(plan, tally, _score(plan, tally, first), tables, run)
    return PredictOutcome(header, rows, plan, tally)


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
    stored = 0.5 if scorer.threshold is None else scorer.threshold
    threshold = stored if options.threshold is None else options.threshold
    bounded("--threshold", threshold, 0.0, 1.0)
    return kind, threshold


def _tables(scorer: Scorer, options: Scoring, reading: Reading) -> Iterator[Table]:
    """Chunks of all inputs."""
    dialect = dialect_of(reading, scorer.na_values)
    needed = set(scorer.needed)
    dated = {f.source for f in scorer.encoder.features if f.function in DATE_PARTS}
    numeric = {f.source for f in scorer.encoder.features if f.kind == "number" and f.source in needed} - dated
    numeric |= {name for name in (scorer.offset, scorer.exposure) if name is not None}
    judged = {scorer.target} if scorer.classes is None else set()
    if scorer.weights is not None:
        judged.add(scorer.weights)
    text = {f.source for f in scorer.encoder.features if f.kind != "number" and not f.boolean} | dated
    bad: Literal["error", "missing"] = "error" if options.on_bad_row in (None, "error") else "missing"
    for source in options.data:
        yield from read_chunks(
            source,
            dialect,
            numeric=numeric | judged,
            as_text=text,
            chunk_rows=CHUNK_ROWS,
            bad_cells=bad,
            keep_raw=options.append or {*(options.id or scorer.id)},
            wanted={*needed, *judged, scorer.target},
            lenient=judged - needed,
        )


def _carried(scorer: Scorer, options: Scoring, table: Table) -> tuple[str, ...]:
    """Columns that go along: all of them, those asked for, or those the model was fitted with if they are there."""
    if options.append:
        return tuple(table.columns)
    for name in options.id:
        if name not in table.columns:
            raise DataError(
                "column-not-found",
                f"--id: no column {name!r}",
                where=Location(file=table.files[0].path),
                near=get_close_matches(name, list(table.columns), n=3),
            )
    return tuple(dict.fromkeys(options.id)) or tuple(name for name in scorer.id if name in table.columns)


def _header(plan: _Plan) -> tuple[str, ...]:
    """Names of the output's columns."""
    names = ["prediction"]
    if plan.kind == "prob" and plan.scorer.classes is not None:
        names += [f"prob.{level}" for level in plan.scorer.classes]
    names = [(plan.options.prefix or "") + name for name in names]
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
    yield first
    for table in rest:
        if run.progress:
            run.progress(tally.rows, 0)
        _require_carried(plan, table)
        yield _score(plan, tally, table)


def _require_carried(plan: _Plan, table: Table) -> None:
    """Columns that go along from the first table go along from every other one; with --append these are all."""
    file = table.files[0].path
    missing = [name for name in plan.carried if name not in table.columns]
    more = [name for name in table.columns if name not in plan.columns] if plan.options.append else []
    if missing or more:
        raise DataError(
            "columns-differ",
            f"{file} {'lacks' if missing else 'has more than the first table:'} column {(missing or more)[0]!r}",
            hint="score it in a run of its own, or choose the columns to carry along with --id",
            where=Location(file=file),
            cells=tuple(missing or more)[:5],
        )


def _score(plan: _Plan, tally: _Tally, table: Table) -> list[Cells]:
    """Score one chunk and format its rows."""
    scorer = plan.scorer
    _require(scorer, table)
    table = derived_table(table, scorer.encoder.derived, strict=plan.options.on_bad_row in (None, "error"))
    tally.unknown += _unknown_cells(plan, table)
    zero = plan.options.unknown_level == "zero"
    X = scorer.encoder.matrix(table.columns, np.arange(table.rows), scorer.coefs != 0, unknown_is_zero=zero)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        offset = _numbers(table, scorer.offset, 0.0) + np.log(_numbers(table, scorer.exposure, 1.0))
        eta = scorer.eta(X, offset)
    bad = ~np.isfinite(eta)
    bad[list(table.bad_rows)] = True  # a cell that is no number is not a missing one
    if bad.any() and plan.options.on_bad_row in (None, "error"):
        _refuse_row(plan, table, int(np.flatnonzero(bad)[0]))
    tally.rows += table.rows
    tally.skipped += int(bad.sum())
    for name, mask in missing_rows(table, _filled(scorer)).items():
        tally.filled[name] = tally.filled.get(name, 0) + int((mask & ~bad).sum())
    y = _targets(plan, table)
    if y is not None:
        weights = _weights(plan, table)
        known = ~bad & np.isfinite(y) & np.isfinite(weights)
        tally.scores.add(y[known], eta[known], weights[known])
    return _format(plan, table, eta, bad)


def _numbers(table: Table, name: str | None, default: float) -> Array:
    """A column of numbers (n,), nan where it holds none; a constant without a name."""
    if name is None:
        return np.full(table.rows, default)
    column = table.columns[name]
    return column.values if isinstance(column, Numbers) else np.full(table.rows, np.nan)


def _filled(scorer: Scorer) -> list[str]:
    """Columns that count and whose missing cells the model fills."""
    needed = set(scorer.needed)
    return [feature.column for feature in scorer.encoder.features if feature.filled and feature.source in needed]


def _require(scorer: Scorer, table: Table) -> None:
    """Every column with a nonzero coefficient, offset and exposure, of the right kind."""
    kinds = {feature.column: feature.kind for feature in scorer.encoder.features}
    for name in scorer.needed:
        if name not in table.columns:
            parts = {scorer.offset: "its offset, column", scorer.exposure: "its exposure, column"}
            what = parts.get(name, "column")
            raise DataError(
                "column-not-found",
                f"the model needs {what} {name!r}",
                near=get_close_matches(name, list(table.columns), n=3),
                where=Location(file=table.files[0].path),
            )
        column = table.columns[name]
        if isinstance(column, Unsupported):
            raise DataError("unsupported-type", f"column {name!r} has type {column.type}", where=Location(column=name))
        if kinds.get(name, "number") != "number" and isinstance(column, Numbers) and not np.isnan(column.values).all():
            raise DataError(
                "unsupported-type", f"column {name!r} must be text, as it was in training", where=Location(column=name)
            )


def _unknown_cells(plan: _Plan, table: Table) -> int:
    """Cells with a level that the model has not seen and that count as no level; an error if they are to be none."""
    cells = 0
    used = set(plan.scorer.needed)
    for feature in plan.scorer.encoder.features:
        column = table.columns.get(feature.column)
        if not feature.leveled or feature.source not in used or not isinstance(column, Levels):
            continue
        strange = (match_levels(feature, column)[column.codes] < 0) & (column.codes >= 0)
        if plan.options.unknown_level == "zero":
            cells += int(strange.sum())
        elif strange.any() and plan.options.on_bad_row in (None, "error"):
            _refuse_level(table, feature, column, int(np.flatnonzero(strange)[0]))
    return cells


def _refuse_level(table: Table, feature: Feature, column: Levels, row: int) -> NoReturn:
    level = column.levels[column.codes[row]]
    known = ", ".join(feature.levels[:8]) + (", ..." if len(feature.levels) > 8 else "")
    raise DataError(
        "unknown-level",
        f"column {feature.source!r} has a category that the model has not seen; it knows {known}",
        where=table.locate(row, feature.source),
        cells=[level],
        hint="--unknown-level zero scores it as none of them, --on-bad-row null|skip passes over the row",
    )


def _refuse_row(plan: _Plan, table: Table, row: int) -> NoReturn:
    """Say why a row cannot be scored."""
    filled = _filled(plan.scorer)
    holes = missing_rows(table, [name for name in plan.scorer.needed if name in table.columns and name not in filled])
    name = next((name for name, mask in holes.items() if mask[row]), None)
    what = f"column {name!r} is missing" if name else "its values are beyond double precision"
    exposure = plan.scorer.exposure
    if name is None and exposure is not None and _numbers(table, exposure, 1.0)[row] <= 0:
        what = f"its exposure, column {exposure!r}, is not above 0"
    raise DataError(
        "missing-values" if name else "bad-row",
        f"a row cannot be scored: {what}",
        where=table.locate(row, name),
        hint="--on-bad-row null leaves its prediction empty, --on-bad-row skip leaves it out",
    )


def _targets(plan: _Plan, table: Table) -> Array | None:
    """The target (n,) where the data have it, nan where a cell is none; classes are 1 for the event, else 0."""
    column = table.columns.get(plan.scorer.target)
    if plan.scorer.classes is None:
        return column.values if isinstance(column, Numbers) else None
    if not isinstance(column, Levels):
        return None
    coded = [_event(plan, level) for level in column.levels]
    return np.array([*coded, np.nan])[column.codes]


def _event(plan: _Plan, level: str) -> float:
    """1 for the event, 0 for the other class, nan for anything else.

    A number is the class of its value, as 1.0 is the class 1. Booleans match in any capitals, and True is the class 1.
    """
    classes = plan.scorer.classes or ()
    value = number(level, plan.decimal)
    names = [level] if value is None or not np.isfinite(value) else [level, spelt(value)]
    truth = level.casefold()
    if truth in _BOOLEANS:
        names += [_BOOLEANS[truth], *(name for name in classes if name.casefold() == truth)]
    name = next((name for name in names if name in classes), None)
    return float("nan") if name is None else float(name == plan.scorer.positive)


#: Booleans as the classes 0 and 1.
_BOOLEANS = {"false": "0", "true": "1"}


def _weights(plan: _Plan, table: Table) -> Array:
    """What rows count in the metrics (n,): the model's weights if the first table has them, else one each."""
    if not plan.weighted:
        return np.ones(table.rows)
    column = table.columns.get(plan.scorer.weights or "")
    return column.values if isinstance(column, Numbers) else np.full(table.rows, np.nan)


def _format(plan: _Plan, table: Table, eta: Array, bad: Mask) -> list[Cells]:
    """Rows of cells: what goes along, then the predictions."""
    raw = table.raw or {}
    rows = zip(*(raw[name].tolist() for name in plan.carried), *_predictions(plan, eta, bad), strict=True)
    if plan.options.on_bad_row == "skip" and bad.any():
        return [row for row, skipped in zip(rows, bad.tolist(), strict=True) if not skipped]
    return list(rows)


def _predictions(plan: _Plan, eta: Array, bad: Mask) -> list[list[Any]]:
    """The prediction column, and one for every class with --type prob."""
    scorer = plan.scorer
    mu = FAMILIES[scorer.family].mean(np.where(bad, 0.0, eta))
    classes: list[str] = []
    if scorer.classes is not None and scorer.positive is not None:
        other = next(level for level in scorer.classes if level != scorer.positive)
        classes = [scorer.positive if high else other for high in (mu >= plan.threshold).tolist()]
    values: list[Any] = {"link": eta.tolist(), "response": mu.tolist()}.get(plan.kind, classes)
    out = [values]
    if plan.kind == "prob" and scorer.classes is not None:
        out += [(mu if level == scorer.positive else 1.0 - mu).tolist() for level in scorer.classes]
    if not bad.any():
        return out
    return [[None if missing else cell for cell, missing in zip(part, bad.tolist(), strict=True)] for part in out]
