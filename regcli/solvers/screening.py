"""Which columns a strength begins with, and which strengths are passed through on the way to it.

References
----------
.. [1] Tibshirani et al. (2012), "Strong rules for discarding predictors in lasso-type problems", J. R. Stat. Soc. B
   74(2). doi:10.1111/j.1467-9868.2011.01004.x
"""

from collections.abc import Sequence

import numpy as np

from regcli.problem.protocols import Array
from regcli.solvers.engine import Problem

__all__ = ["NEAR", "SOON", "ahead", "is_stale", "kept_share", "stations"]

#: Columns whose score reaches this share of their L1 weight are part of a lane's quadratic; where one is missing all
#: that reach the smaller share come along. (Letting columns in from 0.6 on takes twice the time on 500 x 20,000.)
NEAR, SOON = 0.97, 0.9

#: A quadratic with this many times the columns it needs, and some to spare, is made anew.
STALE, SPARE = 2, 64

#: Largest step between strengths, as a ratio: the strong rule keeps columns with at least 3/4 of their L1 weight then,
#: and all of them from 1/2 on.
STRIDE = 0.8


def is_stale(size: int, needed: int) -> bool:
    """Whether a quadratic of so many columns is better made anew with those that are needed."""
    return size > STALE * needed + SPARE


def kept_share(last: float, lam: float, least: float) -> float:
    """Share of its L1 weight at ``lam`` that its score at ``last`` must reach to be kept: the strong rule."""
    back = last / lam if np.isfinite(last) and lam > 0 else 1.0
    return max(2.0 - back, least)


def ahead(past: Sequence[tuple[float, Array]], lam: float) -> Array | None:
    """Guess what comes at a strength, on the line through the last two (strength, values); None where it is far.

    Scores and coefficients of a lasso with squared loss are on it while no coefficient enters or leaves.
    """
    if len(past) < 2 or not STRIDE * past[-2][0] <= past[-1][0] < past[-2][0] or lam < STRIDE * past[-1][0]:
        return None
    (before, first), (last, second) = past[-2:]
    return second + (second - first) * ((lam - last) / (last - before))


def stations(problem: Problem, score: Array, last: float, lam: float) -> list[float]:
    """Strengths to pass through where the next one is far: without them most columns would look needed at once.

    ``score`` (L, p) is that at the ``last`` strength, which is infinite before the first.
    """
    penalty = problem.penalty
    if lam <= 0 or penalty.l1_ratio == 0:
        return []
    start = last
    if not np.isfinite(last):
        units = problem.objective.lanes.unit
        start = max(penalty.lambda_max(own, unit) for own, unit in zip(score, units, strict=True))
    count = int(np.log(lam / start) / np.log(STRIDE)) if lam < start else 0
    return [start * STRIDE**step for step in range(1, count)]
