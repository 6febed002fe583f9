"""What comes out of a solver: frozen arrays and names, no behaviour."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from regcli.errors import Warn

__all__ = [
    "Certificate",
    "Change",
    "CheckResult",
    "Convergence",
    "Course",
    "Criterion",
    "Curve",
    "DataFacts",
    "Dependence",
    "Difference",
    "Drawn",
    "FitResult",
    "FittedRows",
    "Iterate",
    "Model",
    "ModelFacts",
    "PathResult",
    "PlanResult",
    "PlannedColumn",
    "PlannedGrid",
    "Status",
    "Stopped",
    "TermFacts",
    "Validation",
    "Violation",
    "columns_aside",
    "figure",
]

Array = NDArray[np.float64]


class Status(Enum):
    """How a lane ended at one strength. The value is the advice that goes with it."""

    CONVERGED = "the optimality conditions hold to --tol"
    ROUNDING_FLOOR = "the optimality conditions hold as far as double precision can tell"
    MAX_ITER = "raise --max-iter or --tol"
    SEPARATED = "penalise every column, or drop those that tell the rows apart"

    @property
    def code(self) -> str:
        """Name in documents."""
        return self.name.lower()

    @property
    def usable(self) -> bool:
        """Whether the solution may be chosen."""
        return self in (Status.CONVERGED, Status.ROUNDING_FLOOR)


@dataclass(frozen=True, slots=True)
class Dependence:
    """A column that nothing penalises and the columns that make it up, or nearly so, by their places.

    ``aside`` says that it was set aside; else the little that the others leave of it has an estimate.
    """

    column: int
    others: tuple[int, ...]
    aside: bool


def columns_aside(depends: Iterable[Dependence]) -> tuple[int, ...]:
    """The places of columns that were set aside."""
    return tuple(one.column for one in depends if one.aside)


@dataclass(frozen=True, slots=True)
class Iterate:
    """All lanes at one strength, in the lanes' coordinates.

    ``intercepts`` (L,), ``coefs`` (L, p), ``violation`` (L,), ``rounds`` (L,), one status a lane, ``loss`` of the first
    lane on its training rows. ``eta`` (L, n) are the linear predictors, those of each lane's held-out rows at least, if
    the engine has them; ``held_out`` (L,) the mean squared error on each lane's test blocks if the engine gets it
    without a pass over the data. ``aliased`` are terms of lane 0 that depend on others and were set aside;
    ``depends`` says on which, as far as the engine knows.
    """

    lam: float
    intercepts: Array
    coefs: Array
    violation: Array
    rounds: NDArray[np.intp]
    status: tuple[Status, ...]
    loss: float
    eta: Array | None = None
    held_out: Array | None = None
    aliased: tuple[int, ...] = ()
    depends: tuple[Dependence, ...] = ()

    def with_lane(self, lane: int, own: Self) -> Self:
        """Take one lane from an iterate of that lane alone, but for its predictors and what is aliased."""
        at = np.arange(self.rounds.size) == lane
        return replace(
            self,
            intercepts=_put(self.intercepts, lane, own.intercepts[0]),
            coefs=_put(self.coefs, lane, own.coefs[0]),
            violation=_put(self.violation, lane, own.violation[0]),
            rounds=self.rounds + np.where(at, own.rounds[0], 0),
            status=(*self.status[:lane], own.status[0], *self.status[lane + 1 :]),
            loss=own.loss if lane == 0 else self.loss,
        )

    def reported(self) -> Self:
        """What is kept when the folds are scored: the coefficients are those of lane 0 alone."""
        return replace(self, eta=None, coefs=self.coefs[:1].copy())


def _put(values: Array, lane: int, own: Array) -> Array:
    """A copy with what is of one lane exchanged."""
    out = values.copy()
    out[lane] = own
    return out


@dataclass(frozen=True, slots=True)
class Certificate:
    """Violation of the optimality conditions recomputed from the data, with the floor that rounding sets.

    ``gap`` is the duality gap relative to the null loss, None where it has no cheap form.
    """

    violation: float
    floor: float
    gap: float | None


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why a path ended early: a reason, the index of its last strength, and how many there would have been."""

    reason: str
    at: int
    of: int


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What was read and what of it was used. ``files`` are (path, sha256, rows)."""

    files: tuple[tuple[str, str, int], ...]
    format: str
    target: str
    target_source: str
    rows: int
    rows_used: int
    dropped_missing: int
    dropped_target: int
    weights: str | None
    offset: str | None
    exposure: str | None


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What was fitted. ``lam`` and ``lambda_as`` are those of the reported model, None for a path."""

    family: str
    family_source: str
    link: str
    classes: tuple[str, ...] | None
    positive: str | None
    penalty: str
    l1_ratio: float | None
    lam: float | None
    lambda_as: Mapping[str, float | None] | None
    lambda_max: float | None
    rule: str | None
    standardize: str
    intercept: bool
    compat: str | None


@dataclass(frozen=True, slots=True)
class TermFacts:
    """A column of the design: its name, the columns it is made of, its factor, its mean and sd in the training rows."""

    name: str
    sources: tuple[str, ...]
    penalty_factor: float
    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class Convergence:
    """How the reported model ended, and where its violation was measured."""

    status: Status
    iterations: int
    violation: float
    source: str
    gap: float | None


@dataclass(frozen=True, slots=True)
class Validation:
    """How rows were held out: the scheme, the folds of each repeat, how many repeats.

    ``gap`` is how many rows were left out just before each fold and before test rows; None where folds are not in time.
    """

    scheme: str
    folds: int
    repeats: int
    gap: int | None


@dataclass(frozen=True, slots=True)
class Curve:
    """A cross-validation curve over the strengths walked.

    ``fold_scores`` (K, T), nan where a fold has no value; ``index_min`` and ``index_1se`` are None when no strength may
    be chosen.
    """

    metric: str
    lambdas: Array
    mean: Array
    se: Array
    fold_scores: Array
    fold_weights: Array
    n_nonzero: NDArray[np.intp]
    index_min: int | None
    index_1se: int | None


@dataclass(frozen=True, slots=True)
class Criterion:
    """An information criterion along a path: ``values`` and degrees of freedom ``df`` (T,), and where it is least."""

    name: str
    values: Array
    df: Array
    index: int | None


@dataclass(frozen=True)
class Model:
    """A fitted model on the scale of the data, with all that scoring new rows needs."""

    facts: ModelFacts
    terms: tuple[TermFacts, ...]
    intercept: float
    coefs: Array
    threshold: float | None


@dataclass(frozen=True)
class FitResult:
    """Everything that fit and cv report."""

    data: DataFacts
    model: Model
    sources: tuple[str, ...]
    dropped: tuple[tuple[str, str], ...]
    metrics: Mapping[str, Mapping[str, float | bool] | None]
    convergence: Convergence
    validation: Validation | None
    curve: Curve | None
    grid: tuple[tuple[float | None, Curve], ...]
    criterion: Criterion | None
    stopped: Stopped | None
    warnings: tuple[Warn, ...]
    seed: int
    options: Mapping[str, object]
    all_terms: bool


@dataclass(frozen=True)
class PathResult:
    """Everything that path reports: coefficients (T, p) on the scale of the data."""

    data: DataFacts
    facts: ModelFacts
    terms: tuple[TermFacts, ...]
    sources: tuple[str, ...]
    dropped: tuple[tuple[str, str], ...]
    lambdas: Array
    intercepts: Array
    coefs: Array
    deviance_ratio: Array
    violation: Array
    stopped: Stopped | None
    warnings: tuple[Warn, ...]
    seed: int
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class PlannedColumn:
    """A column of the table: its part, its type there, and how many terms are made of it alone."""

    name: str
    role: str
    type: str
    n_terms: int


@dataclass(frozen=True, slots=True)
class PlannedGrid:
    """The strengths (T,) of one share of L1, None where nothing is penalised."""

    l1_ratio: float | None
    generated: bool
    lambdas: Array


@dataclass(frozen=True)
class PlanResult:
    """Everything that a dry run reports. ``terms`` are all names; ``least_train`` rows of the smallest training set."""

    data: DataFacts
    facts: ModelFacts
    columns: tuple[PlannedColumn, ...]
    dropped: tuple[tuple[str, str], ...]
    terms: tuple[str, ...]
    n_test: int
    least_train: int | None
    validation: Validation | None
    metric: str | None
    rule: str | None
    grids: tuple[PlannedGrid, ...]
    engine: str
    threads: int
    models: int
    matrix_bytes: int
    fit_bytes: int
    row_and_lane: int  # bytes of fit_bytes for each row in each training set
    limit: int | None
    warnings: tuple[Warn, ...]
    seed: int
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which one column of new data is not as a model expects, counted.

    ``severity`` is ``error`` where a row cannot be scored for it, else ``warning``. ``cell`` and its place are the
    first of them. ``training_share`` is how often it was so in the training rows, ``below`` and ``above`` divide
    numbers that are out of range, ``levels`` counts categories that are not known; None where that does not apply.
    """

    code: str
    column: str | None
    severity: str
    count: int
    share: float
    file: str | None
    line: int | None
    row: int | None
    cell: str | None
    expected: str
    message: str
    training_share: float | None = None
    below: int | None = None
    above: int | None = None
    levels: tuple[tuple[str, int], ...] | None = None

    def entry(self) -> dict[str, object]:
        """The violation in a document."""
        levels = None if self.levels is None else [{"level": level, "count": count} for level, count in self.levels]
        return {
            "code": self.code,
            "column": self.column,
            "severity": self.severity,
            "count": self.count,
            "share": self.share,
            "first": {"file": self.file, "line": self.line, "row": self.row, "cell": self.cell},
            "expected": self.expected,
            "training_share": self.training_share,
            "below": self.below,
            "above": self.above,
            "levels": levels,
            "message": self.message,
        }


@dataclass(frozen=True)
class CheckResult:
    """Everything that check reports.

    ``model`` and ``columns`` are keys of the document as they stand; ``shares`` has by name (missing, out_of_range,
    unknown_levels) the share of each of the model's columns, None where the data do not have it or it has no such
    thing; ``drift`` has psi and ks of each of them, None where nothing is known. ``metrics`` is None without a usable
    target.
    """

    model: Mapping[str, object]
    files: tuple[tuple[str, int], ...]
    rows: int
    rows_scorable: int
    violations: tuple[Violation, ...]
    columns: Mapping[str, tuple[str, ...]]
    shares: Mapping[str, Mapping[str, float | None]]
    metrics: Mapping[str, object] | None
    warnings: tuple[Warn, ...]
    drift: Mapping[str, Mapping[str, float | None] | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FittedRows:
    """Training rows of the reported model: target, linear predictor, predicted mean and weight (n,)."""

    y: Array
    eta: Array
    mean: Array
    weights: Array


@dataclass(frozen=True, slots=True)
class Course:
    """Predictions over the range of the one column there is.

    ``x`` and ``y`` (n,) are the training rows, ``at`` (g,) the points of the curves, ``means`` (k, g) a curve for each
    of the strengths ``lambdas`` (k,). ``y`` and ``means`` are without the offset.
    """

    column: str
    x: Array
    y: Array
    at: Array
    means: Array
    lambdas: Array


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a picture shows beyond the document: rows, a curve."""

    rows: FittedRows | None = None
    course: Course | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A number in two documents, None where one has no such number.

    ``kind`` is ``in`` or ``out`` for a term that is nonzero on one side alone, ``sign``, ``size``, ``absent`` where a
    side has no number, or ``same``. Along a path ``lam`` is the strength where the two are furthest apart.
    """

    name: str
    kind: str
    a: float | None
    b: float | None
    lam: float | None = None

    @property
    def absolute(self) -> float | None:
        """B minus A; None where that is beyond double precision."""
        return None if self.a is None or self.b is None else figure(self.b - self.a)

    @property
    def relative(self) -> float | None:
        """The change as a share of the size of A; None where A is zero."""
        return None if self.absolute is None or not self.a else figure(self.absolute / abs(self.a))


@dataclass(frozen=True)
class Difference:
    """Everything that diff reports.

    ``a`` and ``b`` are keys of the document as they stand. ``facts`` are those that differ, with both values;
    ``strengths`` and ``metrics`` (by part) are all there are, ``terms`` those that are not the same. ``only_a`` and
    ``only_b`` are strengths of a path without a partner on the other one.
    """

    a: Mapping[str, object]
    b: Mapping[str, object]
    tol: float
    facts: tuple[tuple[str, object, object], ...]
    strengths: tuple[Change, ...]
    intercept: Change
    terms: tuple[Change, ...]
    n_terms: int
    selected: Mapping[str, tuple[str, ...]]
    metrics: tuple[tuple[str, Change], ...]
    only_a: tuple[float, ...] = ()
    only_b: tuple[float, ...] = ()

    @property
    def n_changes(self) -> int:
        """How many things are not the same; selected columns do not count beside their terms."""
        numbers = (*self.strengths, self.intercept, *self.terms, *(change for _, change in self.metrics))
        kinds = sum(change.kind != "same" for change in numbers)
        return kinds + len(self.facts) + len(self.only_a) + len(self.only_b)


def figure(value: float | None) -> float | None:
    """A number as documents have it: a plain float, None where it is not finite; negative zero is zero."""
    return None if value is None or not math.isfinite(value) else float(value) + 0.0
