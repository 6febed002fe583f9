"""Hold new data against a saved model, chunk by chunk, in constant memory. Nothing is fitted."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from regcli.app.context import RunContext
from regcli.app.contract import Findings, barred, beyond, breaches
from regcli.app.observed import Observer
from regcli.app.options import CheckRequest
from regcli.app.predict import model_warnings
from regcli.app.predictor import Passed, model_chunks, predicted
from regcli.app.reading import dialect_of, empty_parts, found_parts, repeated_parts
from regcli.data.derive import derived_table
from regcli.data.dialect import Dialect
from regcli.data.drift import Drift
from regcli.data.model_read import read_model
from regcli.data.read import Part
from regcli.data.scorer import Scorer
from regcli.data.table import Levels, Numbers, Table, Unsupported
from regcli.data.terms import DATE_PARTS
from regcli.errors import DataError, Location, Warn, counted
from regcli.problem.families import FAMILIES
from regcli.results import CheckResult, Violation

__all__ = ["CheckRun", "check", "refusal", "unscorable", "violation_warnings"]

#: Which violations count for which of the shares in the document.
_SHARES = {
    "missing": ("imputed", "missing-values"),
    "out_of_range": ("out-of-range",),
    "unknown_levels": ("unknown-level",),
}

#: Violations of whole columns, where all rows have them: nothing of a chunk can be scored.
_WHOLE = frozenset({"column-not-found", "unsupported-type"})


@dataclass
class _Met:
    """What was met: of the columns with a coefficient, of all of them, of files and other columns.

    ``absent`` are columns without a coefficient that a chunk lacked.
    """

    needed: Findings
    every: Findings
    drift: Drift
    files: dict[str, int] = field(default_factory=dict)
    scorable: int = 0
    absent: set[str] = field(default_factory=set)
    extra: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckRun:
    """A check that has begun: the model is read, the data are not."""

    scorer: Scorer
    request: CheckRequest
    run: RunContext
    parts: tuple[Part, ...]
    dialect: Dialect

    @property
    def names(self) -> dict[str, Any]:
        """Names that the document will have by column and by metric."""
        metrics = dict.fromkeys(FAMILIES[self.scorer.family].metrics)
        columns = dict.fromkeys(_share_names(self.scorer))
        moved = dict.fromkeys(columns, dict.fromkeys(("psi", "ks")))
        return {"metrics": metrics, **dict.fromkeys(_SHARES, columns), "drift": moved}

    def finish(self) -> CheckResult:
        """Read the data to their end.

        Raises
        ------
        DataError
            They cannot be read: what is damaged, with file, line and column.
        """
        scorer = self.scorer
        shifts = [name for name in (scorer.offset, scorer.exposure) if name is not None]
        sources = (*scorer.encoder.sources, *shifts)
        needed, every = Findings(scorer, scorer.needed), Findings(scorer, sources, places="none")
        met = _Met(needed, every, Drift(scorer.encoder.features, scorer.profile))
        observer, warnings = None, tuple[Warn, ...]()
        passed: list[Passed] = []
        for table in model_chunks(scorer, self.parts, self.dialect, sources, bad_cells="missing", passed=passed):
            if observer is None:
                observer = Observer.begun(scorer, table, scorer.cut, self.request.reading.decimal)
                said = model_warnings(scorer, table, self.request.checking.model)
                warnings = (*said, *repeated_parts(self.parts))
            _take(scorer, table, met, observer)
            self.run.progress.update(met.needed.rows, 0)
        warnings += (*empty_parts([each.file for each in passed], len(self.parts)),)
        met.files = {part.name: met.files.get(part.name, 0) for part in self.parts}
        return _result(scorer, self.request, met, None if observer is None else observer.metrics(), warnings)


def check(request: CheckRequest, run: RunContext) -> CheckRun:
    """Read the model; ``finish`` reads the data."""
    options = request.checking
    run.progress.doing("reading the model")
    scorer = read_model(options.model, verify=not options.no_verify)
    dialect = dialect_of(request.reading, scorer.na_values)
    run.progress.doing("checking", "rows")
    return CheckRun(scorer, request, run, found_parts(options.data, dialect, run), dialect)


def violation_warnings(result: CheckResult) -> tuple[Warn, ...]:
    """What predict would survive, one warning for each kind."""
    out = []
    for code in dict.fromkeys(violation.code for violation in result.violations if violation.severity == "warning"):
        same = [violation for violation in result.violations if violation.code == code]
        text = (
            same[0].message
            if len(same) == 1
            else f"{same[0].message}, and so in {counted(len(same) - 1, 'other column')}"
        )
        out.append(Warn(code, text, {"columns": {violation.column: violation.count for violation in same}}))
    return tuple(out)


def unscorable(result: CheckResult) -> str | None:
    """What keeps rows from being scored, in a sentence; None where all can be."""
    errors = [violation for violation in result.violations if violation.severity == "error"]
    if not errors:
        return None
    count = result.rows - result.rows_scorable
    more = f", and {counted(len(errors) - 1, 'other violation')}" if len(errors) > 1 else ""
    return f"{count:,} of {counted(result.rows, 'row')} cannot be scored: {errors[0].message}{more}"


def refusal(result: CheckResult) -> DataError | None:
    """The error that predict would stop with: the first violation that keeps rows from being scored."""
    first = next((violation for violation in result.violations if violation.severity == "error"), None)
    if first is None:
        return None
    where = Location(file=first.file, line=first.line, row=first.row, column=first.column)
    cells = [] if first.cell is None else [first.cell]
    return DataError(first.code, first.message, where=where, cells=cells, hint=f"expected: {first.expected}")


def _take(scorer: Scorer, table: Table, met: _Met, observer: Observer) -> None:
    """Count one chunk, and score the rows of it that can be."""
    features, needed = scorer.encoder.sources, scorer.needed
    others = _others(scorer)
    known = {*features, *needed, *scorer.id, scorer.target, scorer.weights}
    met.files[table.files[0].path] = met.files.get(table.files[0].path, 0) + table.rows
    met.absent.update(name for name in others if name not in table.columns)
    met.extra.update(dict.fromkeys(name for name in table.columns if name not in known))
    table = _derived(scorer, table)
    found = list(breaches(scorer, table, needed))
    bad = barred(found, table.rows)
    eta = np.full(table.rows, np.nan)
    if not any(breach.code in _WHOLE and breach.rows.all() for breach in found):
        eta = predicted(scorer, table, zero_unknown=False).eta
        lost = ~np.isfinite(eta) & ~bad
        found += [beyond(lost)] if lost.any() else []
        bad |= lost
    met.needed.add(table, [*found, *observer.add(table, eta, bad)])
    there = [name for name in others if not isinstance(table.columns.get(name), Unsupported | None)]
    met.every.add(table, [*found, *breaches(scorer, table, there)])
    met.drift.add(table)
    met.scorable += int(np.count_nonzero(~bad))


def _others(scorer: Scorer) -> tuple[str, ...]:
    """Columns of the model without a coefficient."""
    needed = frozenset(scorer.needed)
    return tuple(name for name in scorer.encoder.sources if name not in needed)


def _derived(scorer: Scorer, table: Table) -> Table:
    """The chunk with what is made of its columns, of those that are of the type they should be."""
    right = []
    for feature in scorer.encoder.features:
        column, wanted = table.columns.get(feature.source), Levels if feature.function in DATE_PARTS else Numbers
        empty = isinstance(column, Numbers) and column.empty
        if feature.function is not None and (isinstance(column, wanted) or empty):
            right.append((feature.function, feature.source))
    return derived_table(table, right, strict=False)


def _result(
    scorer: Scorer,
    request: CheckRequest,
    met: _Met,
    metrics: dict[str, Any] | None,
    warnings: tuple[Warn, ...],
) -> CheckResult:
    violations = met.needed.violations()
    lost = met.absent | met.every.cells("column-not-found").keys()
    absent = tuple(name for name in _others(scorer) if name in lost)
    return CheckResult(
        model={
            "path": request.checking.model,
            "id": scorer.content_id,
            "family": scorer.family,
            "link": scorer.link,
            "target": scorer.target,
            "lambda": scorer.lam,
            "rows": None if scorer.profile is None else scorer.profile.rows,
        },
        files=tuple(met.files.items()),
        rows=met.needed.rows,
        rows_scorable=met.scorable,
        violations=violations,
        columns={
            "needed": scorer.needed,
            "unused": _others(scorer),
            "absent": absent,
            "extra": tuple(met.extra),
        },
        shares={name: _shares(scorer, met, name, {*absent, *_unread(violations)}) for name in _SHARES},
        metrics=metrics,
        warnings=warnings,
        drift={name: met.drift.moved(name) for name in _share_names(scorer)},
    )


def _unread(violations: tuple[Violation, ...]) -> Iterator[str | None]:
    """Columns that are not there, or not of their type."""
    return (violation.column for violation in violations if violation.code in _WHOLE)


def _shares(scorer: Scorer, met: _Met, name: str, whole: AbstractSet[str | None]) -> dict[str, float | None]:
    """By column of the model the share of rows; None where the data lack it, or the rule is not for its kind."""
    counts: dict[str, int] = {}
    for code in _SHARES[name]:
        counts |= met.every.cells(code)
    known = {} if scorer.profile is None else scorer.profile.columns
    features = {feature.column: feature for feature in scorer.encoder.features}
    out: dict[str, float | None] = {}
    for column, source in _share_names(scorer).items():
        ranged = column in known and known[column].range is not None
        leveled = column in features and features[column].leveled
        applies = {"missing": column == source, "out_of_range": ranged, "unknown_levels": leveled}[name]
        out[column] = counts.get(column, 0) / met.every.rows if applies and source not in whole else None
    return out


def _share_names(scorer: Scorer) -> dict[str, str]:
    """Columns of the file, and those made of them, each with the column of the file."""
    features = scorer.encoder.features
    return {name: feature.source for feature in features for name in (feature.source, feature.column)}
