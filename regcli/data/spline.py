"""Natural cubic splines: where the knots are, and the functions that stand for a column of numbers.

With knots t_1 < ... < t_K the functions are x itself and, for k = 1 .. K - 2,

    [ (x - t_k)+^3 / (t_K - t_k) - (x - t_{K-1})+^3 / (t_K - t_{K-1}) - ... ] / (t_K - t_1)^2,

cubic between the knots, linear beyond the last and zero before the first: any natural cubic spline with these knots is
a sum of them and a constant. Dividing by the squared range keeps them in the units of x.

References
----------
.. [1] Hastie, Tibshirani, Friedman (2009), The Elements of Statistical Learning, section 5.2.1, equations 5.4 and 5.5.
   doi:10.1007/978-0-387-84858-7
.. [2] Harrell (2015), Regression Modeling Strategies, section 2.4.6: where to put few knots.
   doi:10.1007/978-3-319-19425-7
"""

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["DEFAULT_KNOTS", "LEAST_KNOTS", "MOST_KNOTS", "basis_of", "knots_of", "spline"]

#: Knots when nothing is said, and how many may be asked for: with two a natural spline is a straight line, and more
#: than twenty only make neighbouring columns alike.
DEFAULT_KNOTS, LEAST_KNOTS, MOST_KNOTS = 5, 3, 20

#: Shares of the cells below the first and above the last knot: Harrell's table 2.3 for three and for five knots and
#: more; knots between are evenly apart.
_OUTER = {3: 0.10, 4: 0.05, 5: 0.05, 6: 0.05}
_OUTER_MANY = 0.025

Array = NDArray[np.float64]


def knots_of(values: Array, weights: Array, count: int) -> tuple[float, ...]:
    """Knots at quantiles of (r,) values, weighted: cells that are there, so that training sets share knots.

    Fewer than ``count`` where quantiles coincide. The quantile of share q is the first value at or below which at least
    q of the weight lies. Costs O(r log r).
    """
    if not values.size:
        return ()
    order = np.argsort(values, kind="stable")
    values = values[order]
    scaled = weights[order] * math.ldexp(1.0, -math.frexp(float(weights.max()))[1])
    below = np.cumsum(scaled)
    outer = _OUTER.get(count, _OUTER_MANY)
    shares = np.linspace(outer, 1.0 - outer, count) * below[-1]
    slack = values.size * float(np.finfo(np.float64).eps) * below[-1]
    places = np.minimum(np.searchsorted(below, shares - slack), values.size - 1)
    return tuple(np.unique(values[places]).tolist())


def basis_of(knots: tuple[float, ...]) -> int:
    """The number of functions that knots have: x itself, and one for each but two of them.

    With two knots, and with one, where nearly all cells are the same, a natural spline is a straight line.
    """
    return max(1, len(knots) - 1)


def spline(values: Array, knots: tuple[float, ...], which: int) -> Array:
    """Function ``which``, from 1 to the number of knots less one, of (r,) values; nan stays nan.

    Costs a dozen passes over the values. With fewer than three knots only the first, x itself, is not zero.
    """
    if which == 1:
        return np.array(values, dtype=np.float64)
    if which >= len(knots):
        return np.where(np.isnan(values), np.nan, 0.0)
    first, here, before, last = knots[0], knots[which - 2], knots[-2], knots[-1]
    square = (last - first) ** 2
    inside = np.minimum(values, last)
    cubic = np.maximum(inside - here, 0.0) ** 3 / (last - here) - np.maximum(inside - before, 0.0) ** 3 / (
        last - before
    )
    return (cubic + 3.0 * (before - here) * np.maximum(values - last, 0.0)) / square
