"""What missing cells are filled with: held against NumPy and against rows repeated by their weight."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from regcli.data.fills import Fills, learn_fills, level_shares, most_frequent, power, weighted_mean, weighted_median
from regcli.data.table import Column
from regcli.data.terms import Factor, Feature
from tests.tolerances import EXACT
from tests.unit.data.made import numbers, text

Array = NDArray[np.float64]
NAN = float("nan")


@pytest.mark.parametrize("size", [1, 2, 3, 10, 101, 1000])
@pytest.mark.parametrize("weight", [1.0, 0.1, 3e-291, 7e300])
def test_equal_weights_give_the_usual_mean_and_median(size: int, weight: float) -> None:
    values = np.random.default_rng(size).normal(size=size).round(1)
    weights = np.full(size, weight)
    assert weighted_mean(values, weights) == pytest.approx(values.mean(), rel=EXACT, abs=EXACT)
    assert weighted_median(values, weights) == np.median(values)


@pytest.mark.parametrize("seed", range(20))
def test_whole_weights_are_rows_repeated(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, weights = rng.normal(size=12).round(1), rng.integers(1, 5, 12)
    repeated = np.repeat(values, weights)
    for unit in (1.0, 0.1, 1 / 3):
        scaled = np.asarray(weights * unit, dtype=np.float64)
        assert weighted_mean(values, scaled) == pytest.approx(repeated.mean(), rel=EXACT, abs=EXACT)
        assert weighted_median(values, scaled) == np.median(repeated)


@pytest.mark.parametrize("fill", [weighted_mean, weighted_median])
def test_equal_values_are_their_own_middle(fill: Callable[[Array, Array], float]) -> None:
    rng = np.random.default_rng(1)
    for value in (0.1, 1 / 3, 1e150, -1e-150):
        assert fill(np.full(7, value), rng.random(7)) == value
    assert fill(np.zeros(0), np.zeros(0)) == 0.0


def test_shares_and_the_most_frequent_level() -> None:
    codes, weights = np.array([0, 1, 1, 2]), np.array([3.0, 1.0, 1.0, 1.0])
    assert level_shares(codes, weights, 4).tolist() == [0.5, 2 / 6, 1 / 6, 0.0]
    assert most_frequent(codes, weights, 4).tolist() == [1.0, 0.0, 0.0, 0.0]
    assert level_shares(codes[:0], weights[:0], 2).tolist() == [0.0, 0.0]
    assert most_frequent(codes[:0], weights[:0], 2).tolist() == [0.0, 0.0]
    assert level_shares(np.array([1, 1]), np.array([0.1, 0.7]), 2).tolist() == [0.0, 1.0]


def test_of_equally_frequent_levels_the_first() -> None:
    tied = np.array([1, 1, 1, 0]), np.array([0.1, 0.1, 0.1, 0.3])
    assert most_frequent(*tied, 2).tolist() == [1.0, 0.0]


FEATURES = (
    Feature("mean", "number", missing="mean"),
    Feature("median", "number", missing="median"),
    Feature("flagged", "number", missing="indicator", flag=True),
    Feature("share", "category", ("a", "b"), ("b",), missing="mean"),
    Feature("mode", "category", ("a", "b"), ("b",), missing="median"),
    Feature("level", "category", ("a", "b"), ("b",), missing="indicator", flag=True),
    Feature("whole", "category", ("a", "b"), ("b",), missing="indicator"),
)


def test_rows_without_weight_and_missing_cells_teach_nothing() -> None:
    values, cells = numbers(1, 5, NAN, 100, 3), text("a", "b", None, "a", "b")
    columns: dict[str, Column] = {feature.source: values if feature.kind == "number" else cells for feature in FEATURES}
    fills = learn_fills(FEATURES, columns, np.arange(5), np.array([1.0, 2.0, 4.0, 0.0, 1.0]))
    assert fills.numbers == {"mean": 3.5, "median": 4.0, "flagged": 3.5}
    assert fills.levels == {
        "share": {"a": 0.25, "b": 0.75},
        "mode": {"a": 0.0, "b": 1.0},
        "level": {"a": 0.0, "b": 0.0},
        "whole": {"a": 0.25, "b": 0.75},
    }


def test_a_fill_is_raised_as_the_numbers_are() -> None:
    fills = Fills({"x": 0.1}, {"c": {"a": 0.25}})
    assert fills.of(Factor("x", "value", power=3)) == power(np.array([0.1]), 3)[0] == 0.1 * 0.1 * 0.1
    assert fills.of(Factor("c", "level", "a")) == 0.25
