"""Natural cubic splines: the functions span all of them, and knots are where they are said to be."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from regcli.data.spline import knots_of, spline
from tests.tolerances import EXACT


@pytest.mark.parametrize(
    "knots", [(0.0, 1.0, 3.0), (-5.0, -4.5, 2.0, 2.25, 10.0), tuple(np.linspace(1e3, 1e3 + 7, 8).tolist())]
)
def test_the_functions_span_the_natural_splines(knots: tuple[float, ...]) -> None:
    rng = np.random.default_rng(len(knots))
    heights = rng.normal(size=len(knots))
    inside = np.linspace(knots[0], knots[-1], 301)
    natural = CubicSpline(knots, heights, bc_type="natural")
    columns = [np.ones(301), *(spline(inside, knots, which) for which in range(1, len(knots)))]
    basis = np.column_stack(columns)
    basis[:, 1] -= knots[0]
    coefs, *_ = np.linalg.lstsq(basis, natural(inside), rcond=None)
    assert np.abs(basis @ coefs - natural(inside)).max() <= 1e-10 * np.abs(heights).max()


def test_beyond_the_last_knot_they_are_straight_and_before_the_first_zero() -> None:
    knots = (0.0, 1.0, 2.5, 4.0)
    beyond = np.array([4.0, 5.0, 1e6, 1e12])
    for which in (2, 3):
        values = spline(beyond, knots, which)
        slope = (values[1] - values[0]) / 1.0
        assert values == pytest.approx(values[0] + slope * (beyond - 4.0), rel=EXACT)
        assert (spline(np.array([-1e9, -1.0, 0.0]), knots, which) == 0).all()
        step = 1e-6
        left = float(np.diff(spline(np.array([4.0 - step, 4.0]), knots, which))[0]) / step
        assert left == pytest.approx(slope, rel=1e-5)


def test_the_first_is_the_number_itself_and_nan_stays() -> None:
    values = np.array([1.5, np.nan, -2.0])
    assert spline(values, (0.0, 1.0, 2.0), 1)[[0, 2]].tolist() == [1.5, -2.0]
    for which in (1, 2, 3):
        assert np.isnan(spline(values, (0.0, 1.0, 2.0), which)[1])


def test_functions_of_knots_that_are_not_there_are_zero() -> None:
    assert (spline(np.arange(5.0), (0.0, 1.0, 2.0), 3) == 0).all()


def test_knots_are_cells_at_quantiles() -> None:
    values = np.arange(100.0)[::-1].copy()
    assert knots_of(values, np.ones(100), 3) == (9.0, 49.0, 89.0)
    assert knots_of(values, np.ones(100), 5) == (4.0, 27.0, 49.0, 72.0, 94.0)
    assert knots_of(values, np.full(100, 1e-300), 3) == (9.0, 49.0, 89.0)


def test_weights_move_knots_and_rows_twice_are_a_weight_of_two() -> None:
    rng = np.random.default_rng(2)
    values, weights = rng.normal(size=50), rng.integers(1, 4, 50)
    assert knots_of(values, weights.astype(float), 6) == knots_of(np.repeat(values, weights), np.ones(weights.sum()), 6)


def test_few_values_give_few_knots() -> None:
    assert knots_of(np.array([1.0, 1.0, 1.0, 2.0]), np.ones(4), 5) == (1.0, 2.0)
    assert knots_of(np.array([]), np.array([]), 5) == ()
