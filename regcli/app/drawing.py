"""What a picture shows beyond the document: the training rows, and predictions over the range of a single column."""

import numpy as np
from numpy.typing import NDArray

from regcli.app.prepare import Prepared
from regcli.data.derive import NUMBER_FUNCTIONS
from regcli.data.table import Numbers
from regcli.problem.families import FAMILIES
from regcli.results import Course, Drawn, FittedRows, Model, PathResult

__all__ = ["draw_fit", "draw_path"]

Array = NDArray[np.float64]

#: Points of a curve: one about every pixel of a panel, so that a polynomial of degree 15 is still smooth.
POINTS = 400

#: Strengths of a path that get a curve of their own: more cannot be told apart in one panel.
CURVES = 6


def draw_fit(prepared: Prepared, model: Model, eta: Array) -> Drawn:
    """What the picture of a fit shows; ``eta`` (n,) are the linear predictors of the training rows, with the offset."""
    rows = FittedRows(prepared.y, eta, FAMILIES[prepared.family].mean(eta), prepared.weights)
    lam = np.array([np.nan if model.facts.lam is None else model.facts.lam])
    course = _course(prepared, np.array([model.intercept]), model.coefs[None], lam)
    return Drawn(rows, course)


def draw_path(prepared: Prepared, result: PathResult) -> Drawn:
    """What the picture of a path shows."""
    chosen = np.unique(np.linspace(0, result.lambdas.size - 1, CURVES).round().astype(np.intp))
    course = _course(prepared, result.intercepts[chosen], result.coefs[chosen], result.lambdas[chosen])
    return Drawn(None, course)


def _course(prepared: Prepared, intercepts: Array, coefs: Array, lambdas: Array) -> Course | None:
    """Predictions of models (k,), (k, p) over the range of the single column; None where there is no such column.

    The offset is taken out of the target: subtracted, or, with a log link, divided by. With a logit link there is no
    way to do that, and no curve.
    """
    x, encoder, family = prepared.single, prepared.encoder, FAMILIES[prepared.family]
    shifted = bool(np.any(prepared.offset != 0))
    if x is None or not np.isfinite(x).any() or (shifted and family.classes):
        return None
    seen = (prepared.fit_weights > 0) & np.isfinite(x)
    if not seen.any():
        return None
    at = np.linspace(x[seen].min(), x[seen].max(), POINTS)
    with np.errstate(all="ignore"):  # a function may have no value between the values of the rows
        columns = {
            f.column: Numbers(at if f.function is None else NUMBER_FUNCTIONS[f.function](at)) for f in encoder.features
        }
        X = encoder.matrix(columns, np.arange(at.size))
        means = family.mean(intercepts[:, None] + np.asarray((X @ coefs.T).T))
    y = prepared.y
    if shifted:
        y = y / np.exp(prepared.offset) if family.link == "log" else y - prepared.offset
    return Course(encoder.sources[0], x[seen], y[seen], at, means, lambdas)
