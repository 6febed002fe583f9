"""How well a model fits its training rows, as panels: residuals, ROC, calibration, the curve over one column."""

import numpy as np
from numpy.typing import NDArray

from regcli.report.panels import Dots, Line, Panel
from regcli.results import Course, FittedRows

__all__ = ["calibration", "curve_of_course", "residuals", "roc"]

Array = NDArray[np.float64]

#: Dots in a panel: more cover each other, and take 100 bytes each in a file.
MOST_DOTS = 2_000

#: Of the rows with the largest residuals so many are always among the dots.
EXTREMES = 50

#: Points of an ROC curve.
MOST_CORNERS = 400

#: Groups of rows in the calibration panel, about equally large: deciles, as usual since Hosmer and Lemeshow (1980).
GROUPS = 10


def residuals(rows: FittedRows, *, pearson: bool) -> Panel:
    """Residuals against fitted values; of counts those of Pearson, which are divided by the standard deviation."""
    with np.errstate(divide="ignore", invalid="ignore"):
        values = (rows.y - rows.mean) / (np.sqrt(rows.mean) if pearson else 1.0)
    there = np.flatnonzero((rows.weights > 0) & np.isfinite(values) & np.isfinite(rows.mean))
    fitted, values = rows.mean[there], values[there]
    shown = _some(fitted, np.abs(values))
    low, high = (fitted.min(), fitted.max()) if fitted.size else (0.0, 1.0)
    zero = Line(np.array([low, high]), np.zeros(2), guide=True)
    return Panel(
        "Residuals of the training rows",
        "fitted value",
        "residual / standard deviation" if pearson else "residual",
        lines=(zero,),
        dots=Dots(fitted[shown], values[shown]),
        notes=_told(shown.size, fitted.size),
    )


def roc(rows: FittedRows, area: float | None) -> Panel:
    """True against false positive rate, over all thresholds; rows with equal linear predictors come together.

    ``area`` under it is told as the document has it.
    """
    levels, at = np.unique(-rows.eta, return_inverse=True)
    hits = np.bincount(at, rows.weights * rows.y, levels.size).cumsum()
    alarms = np.bincount(at, rows.weights * (1.0 - rows.y), levels.size).cumsum()
    x, y = np.r_[0.0, alarms / alarms[-1]], np.r_[0.0, hits / hits[-1]]
    chosen = np.unique(np.linspace(0, x.size - 1, min(x.size, MOST_CORNERS)).round().astype(np.intp))
    return Panel(
        "ROC of the training rows" + ("" if area is None else f" (AUC {area:.3f})"),
        "false positive rate",
        "true positive rate",
        lines=(_diagonal(), Line(x[chosen], y[chosen])),
    )


def calibration(rows: FittedRows) -> Panel:
    """Share of positives against predicted probability, in groups of rows by their prediction."""
    there = np.flatnonzero(rows.weights > 0)
    order = there[np.argsort(rows.mean[there], kind="stable")]
    w, mu, y = rows.weights[order], rows.mean[order], rows.y[order]
    ends = w.cumsum()
    group = np.minimum(((ends - w / 2.0) / ends[-1] * GROUPS).astype(np.intp), GROUPS - 1)
    group = group[np.searchsorted(mu, mu, side="left")]  # rows with equal predictions are in one group
    total = np.bincount(group, w, GROUPS)
    full = total > 0
    predicted = np.bincount(group, w * mu, GROUPS)[full] / total[full]
    seen = np.bincount(group, w * y, GROUPS)[full] / total[full]
    return Panel(
        "Calibration of the training rows",
        "predicted probability",
        "share of positives",
        lines=(_diagonal(), Line(predicted, seen, rank=0)),
        dots=Dots(predicted, seen, large=True),
        notes=(f"{int(full.sum())} groups of rows",),
    )


def curve_of_course(course: Course, target: str) -> Panel:
    """The rows, and what models predict over the range of the one column."""
    shown = _some(course.x, np.zeros(course.x.size))
    several = course.lambdas.size > 1
    lines = tuple(
        Line(course.at, mean, f"λ = {lam:.3g}" if several else None, rank)
        for rank, (lam, mean) in enumerate(zip(course.lambdas.tolist(), course.means, strict=True))
    )
    return Panel(
        "Fitted curves" if several else "Fitted curve",
        course.column,
        target,
        lines=lines,
        dots=Dots(course.x[shown], course.y[shown]),
        notes=_told(shown.size, course.x.size),
    )


def _diagonal() -> Line:
    return Line(np.array([0.0, 1.0]), np.array([0.0, 1.0]), guide=True)


def _some(x: Array, size: Array) -> NDArray[np.intp]:
    """Rows that are drawn: all of few; of many evenly by rank of ``x``, both ends with them, and the extreme ones."""
    if x.size <= MOST_DOTS:
        return np.arange(x.size)
    ranks = np.linspace(0, x.size - 1, MOST_DOTS - EXTREMES).round().astype(np.intp)
    extreme = np.argsort(-size, kind="stable")[:EXTREMES]
    return np.unique(np.r_[np.argsort(x, kind="stable")[ranks], extreme])


def _told(shown: int, total: int) -> tuple[str, ...]:
    return () if shown == total else (f"{shown:,} of {total:,} rows",)
