"""Columns that leave their zeros out are told of as they would be with them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from regcli.data import alike
from regcli.data.alike import duplicate_columns, duplicate_rows, near_collinear
from regcli.data.profile import profile_column
from regcli.data.suspects import aim_at, find_leak
from regcli.data.table import Numbers, Table
from regcli.errors import Location

Array = NDArray[np.float64]

N = 3_000
RNG = np.random.default_rng(12)


def cells(share: float) -> Array:
    return np.where(RNG.random(N) < share, np.round(RNG.normal(size=N), 3), 0.0)


def table(columns: dict[str, Array], *, thin: bool) -> Table:
    held = {name: Numbers(values) for name, values in columns.items()}
    if thin:
        places = {name: np.flatnonzero(values).astype(np.int32) for name, values in columns.items()}
        held = {name: Numbers(values[places[name]], places[name], N) for name, values in columns.items()}
    return Table((), "svm", held, N, lambda _row, _name: Location())


def planted() -> dict[str, Array]:
    """Two hundred columns, among them a few that go together."""
    columns = {f"x{at}": cells(0.01) for at in range(190)}
    columns["twice"] = 2 * columns["x3"]
    columns["near"] = columns["x5"] * (1 + 0.02 * RNG.normal(size=N))
    columns["opposite"] = -columns["x7"] + 0.01 * (columns["x8"] != 0)
    columns["same"] = columns["x9"].copy()
    columns["rare"] = columns["again"] = cells(0.001)
    columns["again"] = columns["rare"] * 3
    columns["none"] = np.zeros(N)
    return columns


COLUMNS = planted()


@pytest.mark.parametrize(
    "values",
    [
        cells(0.02),
        np.where(RNG.random(N) < 0.03, RNG.integers(-2, 3, N), 0.0),
        np.abs(cells(0.4)),
        np.zeros(N),
        np.where(np.arange(N) == 7, np.nan, cells(0.02)),
        np.where(np.arange(N) == 7, np.inf, cells(0.02)),
        np.where(RNG.random(N) < 0.02, 1e200, 0.0),
    ],
)
def test_a_profile_is_that_of_all_cells(values: Array) -> None:
    full, thin = (profile_column(table({"x": values}, thin=thin), "x") for thin in (False, True))
    assert (full.numbers is None) == (thin.numbers is None)
    if full.numbers is not None and thin.numbers is not None:
        assert replace(full, numbers=None) == replace(thin, numbers=None)
        assert full.numbers == thin.numbers
        finite = values[np.isfinite(values)]
        assert [thin.numbers.q1, thin.numbers.median, thin.numbers.q3] == np.quantile(
            finite, [0.25, 0.5, 0.75]
        ).tolist()
        assert thin.numbers.mean == pytest.approx(finite.mean(), rel=1e-12, abs=1e-15 * np.abs(finite).max())
        if np.abs(finite).max() < 1e150:
            assert thin.numbers.sd == pytest.approx(finite.std(), rel=1e-12)
    assert thin.missing == np.isnan(values).sum()


@pytest.mark.parametrize("budget", [1e9, 1e3])
def test_thin_columns_that_go_together_are_found_and_no_others(budget: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where some of the rows are looked at first."""
    right = {frozenset(("x3", "twice")), frozenset(("x5", "near")), frozenset(("x7", "opposite"))}
    names = [name for name in COLUMNS if name != "same"]
    monkeypatch.setattr(alike, "_SAMPLE_CELLS", 1)
    monkeypatch.setattr(alike, "_MOST_PRODUCTS", budget)
    groups, rows = near_collinear(table(COLUMNS, thin=True), names)
    assert {frozenset(group.columns) for group in groups} == right
    assert rows == (N if budget == 1e9 else 1_000)
    for group in groups:
        one, other = (COLUMNS[name] for name in group.columns)
        assert group.correlation == pytest.approx(abs(np.corrcoef(one, other)[0, 1]), rel=1e-9)


def test_equal_columns_and_rows_are_those_of_all_cells() -> None:
    full, thin = table(COLUMNS, thin=False), table(COLUMNS, thin=True)
    assert duplicate_columns(thin, list(COLUMNS)) == duplicate_columns(full, list(COLUMNS)) == (("x9", "same"),)
    some = list(COLUMNS)[:40]
    assert duplicate_rows(thin, some) == duplicate_rows(full, some)
    assert duplicate_rows(thin, some)[0] > N / 2


@pytest.mark.parametrize(
    ("make", "tells"),
    [
        (lambda _: np.round(RNG.normal(size=N), 3), False),
        (lambda column: (column != 0) * 1.0, True),
        (lambda column: 3 * column - 1, True),
        (lambda column: (column > 0) * 1.0 + (column < 0) * 2.0, True),
        (lambda column: np.where(np.arange(N) == 5, np.nan, 3 * column), True),
        (lambda column: column + 0.05 * cells(0.5), False),
        (lambda _: (np.arange(N) % 2) * 1.0, False),
    ],
)
def test_leaks_are_those_of_all_cells(make: Callable[[Array], Array], tells: bool) -> None:  # noqa: FBT001  (a parameter of the cases)
    values = np.where(RNG.random(N) < 0.03, RNG.integers(-3, 4, N), 0.0)
    columns, found = {"x": values, "y": make(values)}, []
    for thin in (False, True):
        data = table(columns, thin=thin)
        aim = aim_at(data, "y")
        assert aim is not None
        found.append(find_leak(data, "x", aim))
    assert found[0] == found[1]
    assert (found[0] is not None) == tells
