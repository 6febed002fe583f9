"""Chunks of rows as a model reads them, their linear predictors, and what is made of these."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from regcli.data.dialect import Dialect
from regcli.data.nearby import names_near
from regcli.data.read import NoRowsError, Part, empty_columns, none_has_rows, read_chunks
from regcli.data.scorer import Scorer
from regcli.data.stored import Matrix
from regcli.data.table import Numbers, Table, Unsupported
from regcli.errors import DataError, Location
from regcli.problem.families import FAMILIES

__all__ = [
    "Passed",
    "Predicted",
    "absent_column",
    "model_chunks",
    "numbers_of",
    "output_names",
    "outputs",
    "predicted",
    "require_columns",
]

#: Rows scored at a time.
CHUNK_ROWS = 20_000

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Predicted:
    """Coded rows (n, k), what is added to their predictors (n,), and the linear predictors (n,), nan without one.

    Coded are the columns that the model's ``working`` part has.
    """

    X: Matrix
    offset: Array
    eta: Array


@dataclass(frozen=True)
class Passed:
    """A file without rows among others that have some, and its columns, None where they are not known."""

    file: str
    columns: tuple[str, ...] | None


def model_chunks(
    scorer: Scorer,
    parts: Sequence[Part],
    dialect: Dialect,
    sources: Collection[str],
    *,
    bad_cells: Literal["error", "missing"],
    passed: list[Passed],
    keep_raw: bool | Collection[str] = False,
) -> Iterator[Table]:
    """Chunks of all inputs as a model reads them, in constant memory.

    Parameters
    ----------
    scorer : Scorer
        The model: which of its columns are numbers.
    parts, dialect
        What to read, and how it is written.
    sources : collection of str
        Columns of the model that are wanted, offset and exposure among them. Target and weights come along; a cell of
        theirs that is no number is missing.
    bad_cells, keep_raw
        See ``read_chunks``.
    passed : list of Passed
        Takes the files without rows, which have all columns that the model needs.
    """
    shifts = {name for name in (scorer.offset, scorer.exposure) if name is not None}
    judged = {scorer.target} if scorer.classes is None else set()
    if scorer.weights is not None:
        judged.add(scorer.weights)
    empty: list[NoRowsError] = []
    for part in parts:
        chunks = read_chunks(
            part,
            dialect,
            numeric=scorer.encoder.number_sources.intersection(sources) | shifts | judged,
            as_text=scorer.encoder.text_sources,
            chunk_rows=CHUNK_ROWS,
            bad_cells=bad_cells,
            keep_raw=keep_raw,
            wanted={*sources, *judged, scorer.target},
            lenient=judged.difference(sources),
        )
        try:
            yield from chunks
        except NoRowsError as error:
            empty.append(error)
            names = empty_columns(error, part)
            for name in () if names is None else scorer.needed:
                if name not in (names or ()):
                    raise absent_column(scorer, name, names or (), Location(file=part.name)) from error
            passed.append(Passed(part.name, names))
    if len(empty) == len(parts):
        raise none_has_rows(empty)


def predicted(scorer: Scorer, table: Table, *, zero_unknown: bool) -> Predicted:
    """Linear predictors of a chunk that has all columns the model needs."""
    X = scorer.working.encoder.matrix(table.columns, np.arange(table.rows), unknown_is_zero=zero_unknown)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        offset = numbers_of(table, scorer.offset, 0.0) + np.log(numbers_of(table, scorer.exposure, 1.0))
        return Predicted(X, offset, scorer.working.eta(X, offset))


def numbers_of(table: Table, name: str | None, default: float) -> Array:
    """A column of numbers (n,), nan where it holds none; a constant without a name."""
    if name is None:
        return np.full(table.rows, default)
    column = table.columns[name]
    return column.values if isinstance(column, Numbers) else np.full(table.rows, np.nan)


def require_columns(scorer: Scorer, table: Table) -> None:
    """Every column with a nonzero coefficient, offset and exposure, of the right kind."""
    kinds = {feature.column: feature.kind for feature in scorer.encoder.features}
    for name in scorer.needed:
        if name not in table.columns:
            raise absent_column(scorer, name, tuple(table.columns), Location(file=table.files[0].path))
        column, whole = table.columns[name], Location(file=table.files[0].path, column=name)
        if isinstance(column, Unsupported):
            where = whole if column.row is None else table.locate(column.row, name)
            raise DataError(
                "unsupported-type",
                f"column {name!r} has type {column.type}",
                where=where,
                hint="write it as numbers or text",
            )
        if kinds.get(name, "number") != "number" and isinstance(column, Numbers) and not column.empty:
            raise DataError(
                "unsupported-type",
                f"column {name!r} must be text, as it was in training",
                where=whole,
                hint="regcli show says what the model was fitted on; --input-format csv where the suffix tells another",
            )


def absent_column(scorer: Scorer, name: str, there: Sequence[str], where: Location, which: str = "") -> DataError:
    """The error for a column that the model needs and the data lack; ``there`` are the columns that they have."""
    parts = {scorer.offset: "its offset, column", scorer.exposure: "its exposure, column"}
    return DataError(
        "column-not-found",
        f"the model needs {parts.get(name, 'column')} {name!r}{which}",
        near=names_near(name, there),
        where=where,
        hint="regcli check says everything that these data lack; regcli show lists what the model needs",
    )


# -- what is written -------------------------------------------------------------------------------------------------


def output_names(scorer: Scorer, kind: str) -> list[str]:
    """Names of the columns that are written: ``prediction``, and the classes or terms beside it."""
    names = ["prediction"]
    if kind == "prob" and scorer.classes is not None:
        names += [f"prob.{level}" for level in scorer.classes]
    if kind == "terms":
        names += ["(intercept)", *(["(offset)"] if _shifted(scorer) else [])]
        names += [f"term({scorer.encoder.terms[at].name})" for at in np.flatnonzero(scorer.coefs)]
    return names


def outputs(scorer: Scorer, kind: str, threshold: float, made: Predicted, bad: Mask) -> list[list[Any] | Array]:
    """The columns that are written: numbers as arrays, or lists with None in the rows (n,) that are bad, if any are."""
    mu = FAMILIES[scorer.family].mean(np.where(bad, 0.0, made.eta))
    classes: list[str] = []
    if kind in ("class", "prob") and scorer.classes is not None and scorer.positive is not None:
        other = next(level for level in scorer.classes if level != scorer.positive)
        classes = [scorer.positive if high else other for high in (mu >= threshold).tolist()]
    values: dict[str, Array] = {"link": made.eta, "terms": made.eta, "response": mu}
    out: list[list[Any] | Array] = [values.get(kind, classes)]
    if kind == "prob" and scorer.classes is not None:
        out += [mu if level == scorer.positive else 1.0 - mu for level in scorer.classes]
    if kind == "terms":
        out += _contributions(scorer, made)
    if not bad.any():
        return out
    return [
        [None if missing else cell for cell, missing in zip(_listed(part), bad.tolist(), strict=True)] for part in out
    ]


def _listed(column: list[Any] | Array) -> list[Any]:
    return column.tolist() if isinstance(column, np.ndarray) else column


def _contributions(scorer: Scorer, made: Predicted) -> list[Array]:
    """Intercept, offset and estimate x value of every term: the sums of ``Working.eta``, in its order.

    Added up from left to right they are the linear predictor to the last bit.
    """
    start = [np.full(len(made.eta), scorer.intercept), *([made.offset] if _shifted(scorer) else [])]
    coefs = scorer.working.coefs
    used = np.flatnonzero(coefs)
    X = made.X[:, used]
    dense = X if isinstance(X, np.ndarray) else X.toarray()
    return [*start, *(coefs[at] * dense[:, column] for column, at in enumerate(used))]


def _shifted(scorer: Scorer) -> bool:
    return scorer.offset is not None or scorer.exposure is not None
