"""Check a document of regcli against the data it was fitted to, without any of its code.

The CSV file is read again with the csv module, the design is built from the column names, and the coefficients are
taken as they are written in the document. What comes back is the violation of ``tests.oracle`` at every strength.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.oracle import Frame, Problem, frame, rounding_floor, violation

__all__ = ["Certificate", "certificate", "certify"]

Vector = NDArray[np.float64]
Document = Mapping[str, Any]
MISSING = frozenset({"", "NA", "NaN", "nan", "null"})
#: ``model.l1_ratio`` where the document leaves it null
RATIOS = {"none": 1.0, "l1": 1.0, "l2": 0.0}


@dataclass(frozen=True, eq=False)
class Certificate:
    """Violation and rounding floor at every strength, (T,) each, and the problem at the last one."""

    violation: Vector
    floor: Vector
    problem: Problem
    terms: tuple[str, ...]


@dataclass(frozen=True)
class Term:
    """A column of the design: a numeric column, or the 0/1 column of a level."""

    name: str
    source: str
    level: str | None = None


def certify(document: Document, csv_path: str | Path, **how: Any) -> Vector:  # noqa: ANN401 (passed on as they are)
    """Return the violation at every strength of a path, or the one of a fit; see ``certificate`` for ``how``."""
    return certificate(document, csv_path, **how).violation


def certificate(
    document: Document,
    csv_path: str | Path,
    *,
    columns: Sequence[str],
    categorical: Iterable[str] = (),
    **penalty: Mapping[str, float],
) -> Certificate:
    """Measure every model of a fit, path or cv document.

    Parameters
    ----------
    document : mapping
        The parsed JSON.
    csv_path : str or Path
        The comma-separated file with the rows that were fitted (one with ``--test-size`` cannot be checked).
    columns : sequence of str
        All columns of the file that are features: a term that is zero is not in the document.
    categorical : iterable of str
        Columns that were declared so; text columns are found.
    **penalty : mapping
        ``factors``, ``lower`` and ``upper``: a number by source column or term, ``*`` for all others. Without them
        they are read from the document's ``options``.
    """
    terms, problem = _problem(document, _rows(document, csv_path, columns), columns, frozenset(categorical))
    for name, option, default in (
        ("factors", "penalty_factor", 1.0),
        ("lower", "lower", -np.inf),
        ("upper", "upper", np.inf),
    ):
        given = penalty.get(name, _pairs(_option(document, option)))
        problem = replace(problem, **{name: _by_term(terms, given, default)})  # type: ignore[arg-type]
    if "lower" not in penalty and _option(document, "nonnegative"):
        problem = replace(problem, lower=np.zeros(len(terms)))
    problem = _like_glmnet(problem) if document["model"]["compat"] == "glmnet" else problem
    data = frame(problem)
    lambdas, intercepts, coefs = _models(document, terms)
    sizes = [
        _measure(replace(problem, lam=lam), data, b0, b) for lam, b0, b in zip(lambdas, intercepts, coefs, strict=True)
    ]
    found = np.array(sizes).reshape(-1, 2)
    return Certificate(found[:, 0], found[:, 1], replace(problem, lam=lambdas[-1]), tuple(term.name for term in terms))


def _measure(problem: Problem, data: Frame, intercept: float, coefs: Vector) -> tuple[float, float]:
    return violation(problem, intercept, coefs, data), rounding_floor(problem, intercept, coefs, data)


def _rows(document: Document, csv_path: str | Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Rows of the file that were used, by column; a row with a missing cell in a used column was dropped."""
    data = document["data"]
    parts = (data["target"], data["weights"], data["offset"], data["exposure"])
    roles = [name for name in parts if name is not None]
    with Path(csv_path).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = [row for row in rows if not any(row[name] in MISSING for name in (*columns, *roles))]
    if len(kept) != data["rows_used"]:
        raise AssertionError(f"the document says that {data['rows_used']} rows were used, the file has {len(kept)}")
    return kept


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _in_order(levels: set[str]) -> list[str]:
    """Sort levels as numbers if they all are, else by code points."""
    if all(_number(level) is not None for level in levels):
        return sorted(levels, key=float)
    return sorted(levels)


def _is_category(cells: set[str], column: str, categorical: frozenset[str]) -> bool:
    return column in categorical or any(_number(cell) is None for cell in cells)


def _terms(
    rows: Sequence[Mapping[str, str]], column: str, categorical: frozenset[str], *, reference: bool, whole: bool
) -> list[Term]:
    """Terms of a column; ``reference`` leaves the first of three and more levels out, ``whole`` none of two or more."""
    cells = {row[column] for row in rows}
    if not _is_category(cells, column, categorical):
        return [Term(column, column)]
    levels = _in_order(cells)
    kept = levels[1:] if len(levels) == 1 or (not whole and (len(levels) == 2 or reference)) else levels
    return [Term(f"{column}={level}", column, level) for level in kept]


def _cells(rows: Sequence[Mapping[str, str]], term: Term) -> list[float]:
    if term.level is None:
        return [float(row[term.source]) for row in rows]
    return [float(row[term.source] == term.level) for row in rows]


def _problem(
    document: Document, rows: Sequence[Mapping[str, str]], columns: Sequence[str], categorical: frozenset[str]
) -> tuple[list[Term], Problem]:
    """Terms of the file and the problem without strength, factors and limits."""
    model, data = document["model"], document["data"]
    reference, factors = model["penalty"] == "none", _pairs(_option(document, "penalty_factor"))
    free = [
        name
        for name in columns
        if (reference or factors.get(name) == 0)
        and _is_category(cells := {row[name] for row in rows}, name, categorical)
        and len(cells) > 1
    ]
    whole = free[:1] if not model["intercept"] else []  # it stands for the intercept
    terms = [
        term for name in columns for term in _terms(rows, name, categorical, reference=reference, whole=name in whole)
    ]
    binomial = model["family"] == "binomial"
    target = [row[data["target"]] for row in rows]
    y = [float(_same(cell, model["positive"])) if binomial else float(cell) for cell in target]
    ones = [1.0] * len(rows)
    weights = ones if data["weights"] is None else [float(row[data["weights"]]) for row in rows]
    ratio = model["l1_ratio"]
    scaling = model["standardize"]
    return terms, Problem(
        X=np.array([_cells(rows, term) for term in terms]).reshape(len(terms), len(rows)).T,
        y=np.array(y),
        lam=0.0,
        family=model["family"],
        l1_ratio=RATIOS[model["penalty"]] if ratio is None else ratio,
        weights=_class_weighted(np.array(weights), target, _option(document, "class_weight")),
        offset=_offset(data, rows),
        intercept=bool(model["intercept"]),
        standardize=np.array(
            [scaling in (True, "all") or (scaling == "numeric" and term.level is None) for term in terms]
        ),
    )


def _offset(data: Document, rows: Sequence[Mapping[str, str]]) -> Vector | None:
    """The offset and the logarithm of the exposure, None without either."""
    if data["offset"] is None and data["exposure"] is None:
        return None
    offset = np.zeros(len(rows))
    if data["offset"] is not None:
        offset += [float(row[data["offset"]]) for row in rows]
    if data["exposure"] is not None:
        offset += np.log([float(row[data["exposure"]]) for row in rows])
    return offset


def _same(cell: str, level: object) -> bool:
    """Tell whether a cell spells a level, which a document may carry as text, number or boolean."""
    if isinstance(level, bool):
        return cell.lower() == str(level).lower()
    if isinstance(level, int | float):
        return _number(cell) == level
    return cell == level or (_number(cell) is not None and _number(cell) == _number(str(level)))


def _class_weighted(weights: Vector, target: Sequence[str], given: object) -> Vector:
    """Weights of the rows times those of their classes; ``balanced`` gives every class the same total."""
    if not given:
        return weights
    words = [given] if isinstance(given, str) else given
    if words == ["balanced"]:
        totals = {
            level: sum(w for w, cell in zip(weights, target, strict=True) if cell == level) for level in set(target)
        }
        factors = {level: 1.0 / total for level, total in totals.items()}
    else:
        factors = _pairs(words)
    return weights * np.array([factors.get(cell, 1.0) for cell in target])


def _option(document: Document, name: str) -> Any:  # noqa: ANN401 (whatever the JSON holds)
    """Value of an option in the document, under whichever spelling of its name."""
    for key, value in document["options"].items():
        if key.lstrip("-").replace("-", "_") == name:
            return value
    return None


def _pairs(given: Any) -> dict[str, float]:  # noqa: ANN401
    """Numbers by name, from a mapping or from entries ``NAME=V``."""
    if not given:
        return {}
    if isinstance(given, Mapping):
        return {name: float(value) for name, value in given.items()}
    return {name: float(value) for name, _, value in (entry.rpartition("=") for entry in given)}


def _by_term(terms: Sequence[Term], given: Mapping[str, float], default: float) -> Vector:
    rest = given.get("*", default)
    return np.array([given.get(term.name, given.get(term.source, rest)) for term in terms], dtype=np.float64)


def _like_glmnet(problem: Problem) -> Problem:
    """Rescale the factors to mean 1 and divide the L2 part of a gaussian model by the sd of the target."""
    assert problem.factors is not None
    problem = replace(problem, factors=problem.factors / problem.factors.mean())
    if problem.family != "gaussian":
        return problem
    w = np.ones(len(problem.y)) if problem.weights is None else problem.weights
    y = problem.y if problem.offset is None else problem.y - problem.offset
    centre = np.average(y, weights=w) if problem.intercept else 0.0
    return replace(problem, l2_scale=float(1 / np.sqrt(np.average((y - centre) ** 2, weights=w))))


def _models(document: Document, terms: Sequence[Term]) -> tuple[list[float], list[float], Vector]:
    """Strengths (T,), intercepts (T,) and coefficients (T, p) as the document has them."""
    path = document["schema"].startswith("regcli.path/")
    lambdas = document["lambdas"] if path else [document["model"]["lambda"] or 0.0]
    intercepts = document["intercepts"][0]["values"] if path else [document["intercept"]]
    place = {term.name: j for j, term in enumerate(terms)}
    coefs = np.zeros((len(lambdas), len(terms)))
    for entry in document["coefficients"]:
        coefs[:, place[entry["term"]]] = entry["values"] if path else entry["estimate"]
    return lambdas, [value or 0.0 for value in intercepts], coefs
