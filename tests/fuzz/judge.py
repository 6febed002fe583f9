"""What must become of a changed file: refused with one of some codes, or fitted, and to which coefficients.

The rules of tables and the ridge model in closed form, written a second time and sharing no code with the package.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.fuzz.reread import Columns, Refused, Typed, reread

__all__ = ["LAMBDA", "Verdict", "judge", "judge_scores"]

#: The strength of the ridge model that tables are fitted with.
LAMBDA = 0.1

Cells = NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """Exit status; the codes that say why, or the table and its model: an estimate for each term of spread."""

    status: int
    codes: frozenset[str] = frozenset()
    columns: Columns | None = None
    estimates: dict[str, float] | None = None
    intercept: float = 0.0
    wide: bool = False
    scores: list[float] | None = None


def judge(form: str, content: bytes) -> Verdict:
    """Read a file again and say what must follow."""
    try:
        columns = reread(form, content)
        return _model(columns, *_design(columns, _target(columns)))
    except Refused as refused:
        return Verdict(refused.status, frozenset(refused.codes))


def _target(columns: Columns) -> str:
    if {"y", "target"} <= columns.keys():
        raise Refused("conflicting-options", status=2)
    return next((name for name in ("y", "target") if name in columns), list(columns)[-1])


def _design(columns: Columns, target: str) -> tuple[Cells, dict[str, Cells]]:
    """The target and the terms, by their names; every fault that is found, together."""
    faults: list[str] = []
    y = _numbers(columns[target], faults, feature=False)
    terms: dict[str, Cells] = {}
    for name, cells in columns.items():
        if name != target:
            _feature(name, cells, terms, faults)
    known = [cell for cell in columns[target] if cell is not None]
    if None in columns[target]:
        faults.append("missing-target")
    if y is not None and len(set(known)) < 2:
        faults.append("constant-target")
    if y is not None and len(set(known)) > 1 and 0 < np.nanmax(y) - np.nanmin(y) < 1e-150:
        faults.append("value-range")
    if not terms:
        faults.append("no-features")
    if faults:
        raise Refused(*faults)
    assert y is not None
    return y, terms


def _numbers(cells: list[Any], faults: list[str], *, feature: bool) -> Cells | None:
    """A column as numbers; None where it is text."""
    known = [cell for cell in cells if cell is not None]
    if any(isinstance(cell, list) for cell in known):
        faults.append("unsupported-type")
        return None
    spelt = [isinstance(cell, float) or _spells(cell) for cell in known]
    if known and not all(isinstance(cell, float) for cell in known):
        if all(spelt) and any(isinstance(cell, float) for cell in known):
            faults += ["text-in-numeric-column", "unsupported-type"]  # which of them are meant?
        elif not all(spelt) and (sum(spelt) >= 0.1 * len(known) or all(map(_spells_with_comma, known))):
            faults.append("text-in-numeric-column")
        elif not feature:
            faults += ["target-domain", "text-in-numeric-column"]
        return None
    values = np.array([np.nan if cell is None else float(cell) for cell in cells])
    if np.isinf(values).any():
        faults.append("infinite-value")
    elif (np.abs(values) > 1e150).any():
        faults.append("value-range")
    return values


def _spells(cell: Any) -> bool:  # noqa: ANN401
    """Whether text is a number to whoever asks."""
    return (
        isinstance(cell, str)
        and re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", cell, re.IGNORECASE | re.ASCII) is not None
    )


def _spells_with_comma(cell: Any) -> bool:  # noqa: ANN401
    return isinstance(cell, float) or (isinstance(cell, str) and _spells(cell.replace(",", ".", 1)))


def _feature(name: str, cells: list[Any], terms: dict[str, Cells], faults: list[str]) -> None:
    known = [cell for cell in cells if cell is not None]
    if not known:
        return  # a column without any value is left out
    before = len(faults)
    values = _numbers(cells, faults, feature=True)
    if None in cells:
        faults.append("missing-values")
    if len(faults) > before:
        return
    if values is not None:
        if np.ptp(values):
            terms[name] = values
        return
    text = [str(cell) for cell in cells]
    if all(cell.casefold() in ("true", "false") for cell in text) and not isinstance(known[0], Typed):
        text = [cell.capitalize() for cell in text]
    levels = sorted(set(text))
    if all(re.match(r"\d{4}-\d\d-\d\d", level) and _is_date(level) for level in levels):
        faults.append("undeclared-date")
    if len(levels) == 1:
        return
    if all(_spells(level) for level in levels):
        levels.sort(key=float)
    for level in levels[1:] if len(levels) == 2 else levels:
        if f"{name}={level}" in terms:
            faults.append("duplicate-term")
        terms[f"{name}={level}"] = np.array([cell == level for cell in text], dtype=float)


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _model(columns: Columns, y: Cells, terms: dict[str, Cells]) -> Verdict:
    """Ridge on standardized columns, by its normal equations."""
    X = np.column_stack([*terms.values()])
    mean, sd = X.mean(axis=0), X.std(axis=0)
    Z, n = (X - mean) / sd, len(y)
    beta = np.linalg.solve(Z.T @ Z / n + LAMBDA * np.eye(len(sd)), Z.T @ (y - y.mean()) / n) / sd
    estimates = dict(zip(terms, beta.tolist(), strict=True))
    wide = max(np.abs(X).max() / sd.min(), np.abs(y).max()) > 1e6  # digits are lost whoever computes it
    return Verdict(0, columns=columns, estimates=estimates, intercept=float(y.mean() - mean @ beta), wide=bool(wide))


def judge_scores(form: str, content: bytes, model: Verdict) -> Verdict:
    """Read a file again and say what must follow when it is scored with a model of the good one."""
    assert model.estimates is not None
    assert model.columns is not None
    sources = {term.partition("=")[0] for term in model.estimates}
    try:
        columns = reread(form, content, wanted=sources)
    except Refused as refused:
        return Verdict(refused.status, frozenset(refused.codes))
    faults = [] if sources <= columns.keys() else ["column-not-found"]
    there = sorted(sources & columns.keys())
    known = {name: _as_known(columns[name], model.columns[name], faults) for name in there}
    if form.startswith("jsonl") and any(columns[name][0] is None for name in there):  # no line so far may have the key
        faults.append("column-not-found")
    if faults:
        return Verdict(3, frozenset(faults))
    eta = np.full(len(next(iter(known.values()))), model.intercept)
    for term, estimate in model.estimates.items():
        name, _, level = term.partition("=")
        cells = known[name]
        eta += estimate * np.array([cell == level for cell in cells] if level else cells, dtype=float)
    if not np.isfinite(eta).all():
        return Verdict(3, frozenset(["bad-row"]))
    return Verdict(0, scores=eta.tolist())


def _as_known(cells: list[Any], trained: list[Any], faults: list[str]) -> list[Any]:
    """Cells as a model takes them, which knows numbers from levels."""
    if any(isinstance(cell, list) for cell in cells):
        faults.append("unsupported-type")
    if None in cells:
        faults.append("missing-values")
    if all(isinstance(cell, float) for cell in trained):
        if not all(cell is None or isinstance(cell, float) or _spells(cell) for cell in cells):
            faults.append("text-in-numeric-column")
        elif any(cell is not None and np.isinf(float(cell)) for cell in cells):
            faults.append("bad-row")
        return [] if faults else [float(cell) for cell in cells]
    words = {str(cell).casefold() if isinstance(cell, bool) else str(cell): str(cell) for cell in trained}
    boolean = words.keys() <= {"true", "false", "True", "False"}
    spelt = [str(cell).casefold() if boolean else str(cell) for cell in cells if cell is not None]
    words |= {word.casefold(): word for word in words.values()} if boolean else {}
    if not words.keys() >= set(spelt):
        faults.append("unknown-level")
    return [] if faults else [words[cell] for cell in spelt]
