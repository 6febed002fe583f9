"""Score rows with a saved model, piece by piece, in constant memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from regcli.app.context import RunContext
from regcli.app.options import PredictRequest, Reading, Scoring
from regcli.app.parallel import single_blas_thread
from regcli.app.reading import dialect_of
from regcli.app.scoring import scores_of
from regcli.app.values import bounded, refuse
from regcli.data.encoder import Feature, match_levels, missing_rows
from regcli.data.model_file import Scorer, read_model
from regcli.data.read import read_chunks
from regcli.data.table import Levels, Numbers, Table, Unsupported
from regcli.data.target import spelt
from regcli.errors import DataError, Location, UsageError, Warn
from regcli.problem.families import FAMILIES

__all__ = ["PredictOutcome", "predict"]

#: Rows scored at a time.
CHUNK_ROWS = 20_000

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Cells = list[str | float | None]


@dataclass
class _Tally:
    """What was met on the way: counted while rows stream by, told after."""

    rows: int = 0
    skipped: int = 0
    unknown: int = 0
    y: list[Array] = field(default_factory=list)
    eta: list[Array] = field(default_factory=list)
    y_known: bool = True


@dataclass(frozen=True)
class PredictOutcome:
    """``rows`` streams; ``finish`` and ``warnings`` are complete once it has been read to its end."""

    header: tuple[str, ...]
    rows: Iterator[list[Cells]]
    _scorer: Scorer
    _tally: _Tally
    _threshold: float
    _metrics_wanted: bool

    @property
    def warnings(self) -> tuple[Warn, ...]:
        """What the user should know."""
        tally, out = self._tally, []
        if tally.skipped:
            text = f"{tally.skipped} of {tally.rows} rows could not be scored"
            out.append(Warn("rows-skipped", text, {"rows": tally.skipped}))
        if tally.unknown:
            text = f"{tally.unknown} cells hold categories that the model has not seen"
            out.append(Warn("unknown-level", text, {"cells": tally.unknown}))
        return tuple(out)

    def finish(self) -> dict[str, Any] | None:
        """Metrics of the scored rows if their target is known, else None.

        Raises
        ------
        UsageError
            Metrics were asked for, and the data have no target.
        """
        tally = self._tally
        if not tally.y or not tally.y_known:
            if self._metrics_wanted:
                raise UsageError(
                    "option-without-effect",
                    f"--metrics-out: the data have no usable target {self._scorer.target!r}",
                    hint="leave --metrics-out out",
                )
            return None
        y, eta = np.concatenate(tally.y), np.concatenate(tally.eta)
        family = FAMILIES[self._scorer.family]
        centre = float(y.mean()) if y.size else 0.0
        scores = scores_of(family, y, eta, np.ones(y.size), threshold=self._threshold, centre=centre)
        finite = {name: value if np.isfinite(value) else None for name, value in scores.items()}
        return {"schema": "regcli.metrics/1", "rows": int(y.size), "metrics": finite}


@dataclass(frozen=True)
class _Plan:
    """What to do with every chunk."""

    scorer: Scorer
    options: Scoring
    carried: tuple[str, ...]
    kind: str
    threshold: float


def predict(request: PredictRequest, run: RunContext) -> PredictOutcome:
    """Begin to score; errors in the model, the options and the first rows come at once."""
    options = request.scoring
    scorer = read_model(options.model, verify=not options.no_verify)
    if not options.data:
        raise UsageError("usage", "no input file", hint="regcli predict model.json new.csv, or - for standard input")
    kind = options.type or "response"
    if scorer.classes is None:
        refuse({"--threshold": options.threshold is not None}, f"for a {scorer.family} model")
        if kind in ("class", "prob"):
            raise UsageError("option-without-effect", f"--type {kind} is for classes, and the model is {scorer.family}")
    threshold = scorer.threshold if options.threshold is None else options.threshold
    bounded("--threshold", 0.5 if threshold is None else threshold, 0.0, 1.0)
    refuse({"--id": bool(options.id)}, "with --append") if options.append else None
    single_blas_thread()
    tables = _tables(scorer, options, request.reading)
    first = next(tables)
    carried = _carried(scorer, options, first)
    plan = _Plan(scorer, options, carried, kind, 0.5 if threshold is None else threshold)
    tally = _Tally()
    header = _header(plan)
    rows = _score_all(plan, tally, _score(plan, tally, first), tables, run)
    return PredictOutcome(header, rows, scorer, tally, plan.threshold, options.metrics_out is not None)


def _tables(scorer: Scorer, options: Scoring, reading: Reading) -> Iterator[Table]:
    """Chunks of all inputs."""
    dialect = dialect_of(reading, scorer.na_values)
    needed = set(scorer.needed)
    numeric = {f.source for f in scorer.encoder.features if f.kind == "number" and f.source in needed}
    if scorer.offset is not None:
        numeric.add(scorer.offset)
    if scorer.classes is None:
        numeric.add(scorer.target)
    text = {f.source for f in scorer.encoder.features if f.kind == "category" and not f.boolean}
    bad: Literal["error", "missing"] = "error" if options.on_bad_row in (None, "error") else "missing"
    for source in options.data:
        yield from read_chunks(
            source,
            dialect,
            numeric=numeric,
            as_text=text,
            chunk_rows=CHUNK_ROWS,
            bad_cells=bad,
            keep_raw=bool(options.append or options.id or scorer.id),
            wanted={*scorer.needed, scorer.target},
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
                hint="the columns are: " + ", ".join(list(table.columns)[:12]),
            )
    return options.id or tuple(name for name in scorer.id if name in table.columns)


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
        yield _score(plan, tally, table)


def _score(plan: _Plan, tally: _Tally, table: Table) -> list[Cells]:
    """Score one chunk and format its rows."""
    scorer = plan.scorer
    _require(scorer, table)
    wanted = scorer.coefs != 0
    unknown = _unknown_levels(plan, table)
    X = scorer.encoder.matrix(table.columns, np.arange(table.rows), wanted)
    if unknown.any():
        X[unknown] = np.nan_to_num(X[unknown])
        tally.unknown += int(unknown.sum())
    offset: Array | float = 0.0
    if scorer.offset is not None:
        column = table.columns[scorer.offset]
        offset = column.values if isinstance(column, Numbers) else np.full(table.rows, np.nan)
    with np.errstate(invalid="ignore", over="ignore"):
        eta = scorer.eta(X, offset)
    bad = ~np.isfinite(eta)
    if bad.any() and plan.options.on_bad_row in (None, "error"):
        _refuse_row(plan, table, int(np.flatnonzero(bad)[0]))
    tally.rows += table.rows
    tally.skipped += int(bad.sum())
    _note_target(scorer, tally, table, eta, ~bad)
    return _format(plan, table, eta, bad)


def _require(scorer: Scorer, table: Table) -> None:
    """Every column with a nonzero coefficient, and the offset, of the right kind."""
    kinds = {feature.source: feature.kind for feature in scorer.encoder.features}
    for name in scorer.needed:
        if name not in table.columns:
            from difflib import get_close_matches  # noqa: PLC0415  (only for the message)

            raise DataError(
                "column-not-found",
                f"the model needs column {name!r}",
                near=get_close_matches(name, list(table.columns), n=3),
                where=Location(file=table.files[0].path),
            )
        column = table.columns[name]
        if isinstance(column, Unsupported):
            raise DataError("unsupported-type", f"column {name!r} has type {column.type}", where=Location(column=name))
        if kinds.get(name) == "category" and isinstance(column, Numbers) and not np.isnan(column.values).all():
            raise DataError(
                "unsupported-type", f"column {name!r} must be text, as it was in training", where=Location(column=name)
            )


def _unknown_levels(plan: _Plan, table: Table) -> Mask:
    """Rows with a level that the model has not seen; an error unless they are to count as no level."""
    out = np.zeros(table.rows, dtype=bool)
    used = set(plan.scorer.needed)
    for feature in plan.scorer.encoder.features:
        column = table.columns.get(feature.source)
        if feature.kind != "category" or feature.source not in used or not isinstance(column, Levels):
            continue
        strange = (match_levels(feature, column.levels)[column.codes] < 0) & (column.codes >= 0)
        if strange.any() and plan.options.unknown_level != "zero":
            if plan.options.on_bad_row in (None, "error"):
                _refuse_level(table, feature, column, int(np.flatnonzero(strange)[0]))
            continue
        out |= strange
    return out


def _refuse_level(table: Table, feature: Feature, column: Levels, row: int) -> None:
    level = column.levels[column.codes[row]]
    known = ", ".join(feature.levels[:8]) + (", ..." if len(feature.levels) > 8 else "")
    raise DataError(
        "unknown-level",
        f"column {feature.source!r} has a category that the model has not seen; it knows {known}",
        where=table.locate(row, feature.source),
        cells=[level],
        hint="--unknown-level zero scores it as none of them, --on-bad-row null|skip passes over the row",
    )


def _refuse_row(plan: _Plan, table: Table, row: int) -> None:
    """Say why a row cannot be scored."""
    holes = missing_rows(table, [name for name in plan.scorer.needed if name in table.columns])
    name = next((name for name, mask in holes.items() if mask[row]), None)
    what = f"column {name!r} is missing" if name else "its values are beyond double precision"
    raise DataError(
        "missing-values" if name else "bad-row",
        f"a row cannot be scored: {what}",
        where=table.locate(row, name),
        hint="--on-bad-row null leaves its prediction empty, --on-bad-row skip leaves it out",
    )


def _note_target(scorer: Scorer, tally: _Tally, table: Table, eta: Array, good: Mask) -> None:
    """Keep target and predictor of scored rows where the target is in the data."""
    column = table.columns.get(scorer.target)
    y = None
    if scorer.classes is None and isinstance(column, Numbers):
        y = column.values
    elif scorer.classes is not None and isinstance(column, Levels):
        y = _events(scorer, column)
    if y is None:
        tally.y_known = False
        return
    known = good & np.isfinite(y)
    tally.y.append(y[known])
    tally.eta.append(eta[known])


def _events(scorer: Scorer, column: Levels) -> Array:
    """1 for the event, 0 for the other class, nan for anything else; 1.0 is the class 1."""
    coded = []
    for level in (*column.levels, None):
        name = level
        if name is not None and name not in (scorer.classes or ()):
            try:
                name = spelt(float(name))
            except (ValueError, OverflowError):
                name = None
        known = name is not None and name in (scorer.classes or ())
        coded.append(float(name == scorer.positive) if known else np.nan)
    return np.array(coded)[column.codes]


def _format(plan: _Plan, table: Table, eta: Array, bad: Mask) -> list[Cells]:
    """Rows of cells: what goes along, then the predictions."""
    columns: list[list[Any]] = []
    for name in plan.carried:
        cells = table.raw[name] if table.raw is not None else np.full(table.rows, "", dtype=object)
        columns.append(cells.tolist())
    columns += _predictions(plan, eta, bad)
    rows = [list(cells) for cells in zip(*columns, strict=True)]
    if plan.options.on_bad_row == "skip":
        rows = [row for row, skipped in zip(rows, bad.tolist(), strict=True) if not skipped]
    return rows


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
    return [[None if missing else cell for cell, missing in zip(part, bad.tolist(), strict=True)] for part in out]
