"""Which columns a strength begins with, and which strengths are passed through on the way to it.

References
----------
.. [1] Tibshirani et al. (2012), "Strong rules for discarding predictors in lasso-type problems", J. R. Stat. Soc. B
   74(2). doi:10.1111/j.1467-9868.2011.01004.x
"""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import numpy as np

from regcli.problem.protocols import Array
from regcli.solvers.engine import Problem

__all__ = ["NEAR", "SOON", "ahead", "is_stale", "kept_share", "stations", "weights_ahead"]

#: Columns whose score reaches this share of their L1 weight are part of a lane's quadratic; where one is missing all
#: that reach the smaller share come along. (Letting columns in from 0.6 on takes twice the time on 500 x 20,000.)
NEAR, SOON = 0.97, 0.9

#: A quadratic with this many times the columns it needs, and some to spare, is made anew.
STALE, SPARE = 2, 64

#: Largest step between strengths, as a ratio: the strong rule keeps columns with at least 3/4 of their L1 weight then,
#: and all of them from 1/2 on.
STRIDE = 0.8

#: Strengths are told apart from those at ``STRIDE`` by rounding; steps below the least share tell of rounding alone.
SLACK, LEAST_STEP = 1e-9, 1e-4


def is_stale(size: int, needed: int) -> bool:
    """Whether a quadratic of so many columns is better made anew with those that are needed."""
    return size > STALE * needed + SPARE


def kept_share(last: float, lam: float, least: float) -> float:
    """Share of its L1 weight at ``lam`` that its score at ``last`` must reach to be kept: the strong rule."""
    back = last / lam if np.isfinite(last) and lam > 0 else 1.0
    return max(2.0 - back, least)


def weights_ahead(before: Sequence[float], lam: float) -> list[float] | None:
    """Weights (k,) with which values at k strengths make those at the next: of the polynomial in lambda through them.

    None where strengths do not fall, by more than ``STRIDE`` or by next to nothing, or there are less than two of them.
    """
    steps = list(pairwise([*before, lam]))
    least, most = (1.0 - SLACK) * STRIDE, 1.0 - LEAST_STEP
    if len(steps) < 2 or not all(least * last <= now <= most * last for last, now in steps):
        return None
    return [prod((lam - rest) / (own - rest) for rest in before if rest != own) for own in before]


def ahead(past: Sequence[tuple[float, Array]], lam: float) -> Array | None:
    """Guess what comes at a strength, on the line through the last two (strength, values); None where it is far.

    Scores and coefficients of a lasso with squared loss are on it while no coefficient enters or leaves.
    """
    weights = weights_ahead([last for last, _ in past[-2:]], lam)
    return None if weights is None else weights[0] * past[-2][1] + weights[1] * past[-1][1]


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
