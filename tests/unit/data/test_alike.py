"""Equal rows and columns, and columns that nearly are multiples of each other."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from regcli.data.alike import (
    NEARLY,
    Collinear,
    are_multiples,
    as_numbers,
    correlation,
    duplicate_columns,
    duplicate_rows,
    equal_cells,
    near_collinear,
)
from regcli.data.table import Column, Levels, Numbers, Table, Unsupported
from regcli.errors import Location

Array = NDArray[np.float64]


def table(**columns: Column) -> Table:
    first = next(iter(columns.values()))
    rows = len(first.values) if isinstance(first, Numbers) else len(first.codes) if isinstance(first, Levels) else 0
    return Table((), "csv", columns, rows, lambda _row, _name: Location())


def numbers(values: object) -> Numbers:
    return Numbers(np.array(values, dtype=np.float64))


def levels(text: str) -> Levels:
    """One letter a row; a point is a missing cell."""
    known = tuple(sorted(set(text) - {"."}))
    return Levels(np.array([-1 if c == "." else known.index(c) for c in text], dtype=np.int32), known)


# -- rows ------------------------------------------------------------------------------------------------------------


def test_rows_that_repeat_are_counted_and_the_first_is_named() -> None:
    data = table(a=numbers([1, 2, 1, 0.0, 1, -0.0]), b=levels("xyxzxz"))
    assert duplicate_rows(data, ["a", "b"]) == (3, (2, 0))
    assert duplicate_rows(data, ["b"]) == (3, (2, 0))
    assert duplicate_rows(data, []) == (0, None)


def test_missing_cells_are_equal_to_each_other_alone() -> None:
    data = table(a=numbers([np.nan, 1, np.nan, 2]), b=levels(".x..y"[:4]))
    assert duplicate_rows(data, ["a", "b"]) == (1, (2, 0))
    assert duplicate_rows(table(a=numbers([np.nan, -1.0]), b=levels("..")), ["a", "b"]) == (0, None)


def test_rows_are_counted_as_python_counts_them() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.integers(0, 30, 2000), rng.integers(0, 20, 2000)
    data = table(a=numbers(a), b=Levels(b.astype(np.int32), tuple(map(str, range(20)))))
    pairs = list(zip(a.tolist(), b.tolist(), strict=True))
    count, pair = duplicate_rows(data, ["a", "b"])
    assert count == len(pairs) - len(set(pairs))
    later = next(at for at, cells in enumerate(pairs) if cells in pairs[:at])
    assert pair is not None
    assert pair[0] == later
    assert pairs[pair[1]] == pairs[later]


# -- equal columns ---------------------------------------------------------------------------------------------------


def test_equal_columns_are_grouped() -> None:
    data = table(
        a=numbers([1, 2, np.nan]), b=numbers([1, 2, np.nan]), c=numbers([1, 2, 3]), d=levels("xyx"), e=levels("qpq"),
        f=levels("xyz"), g=Unsupported("list"), h=numbers([-0.0, 1, 1]), i=numbers([0, 1, 1]),
    )  # fmt: skip
    assert duplicate_columns(data, list(data.columns)) == (("a", "b"), ("d", "e"), ("h", "i"))
    assert duplicate_columns(data, ["a", "c"]) == ()


def test_levels_that_differ_in_every_row_are_the_same_where_they_are_spelt_alike() -> None:
    data = table(
        a=levels("wxyz"), b=levels("pqrs"), c=levels("wxyz"), d=levels(".xyz"), e=levels(".pqr"), f=levels("wxy.")
    )
    assert duplicate_columns(data, list(data.columns)) == (("a", "c"),)
    assert equal_cells(data, ["a", "c"])
    renamed = table(a=levels("xyx."), b=levels("pqp."), c=levels("xyx."))
    assert duplicate_columns(renamed, ["a", "b", "c"]) == (("a", "b", "c"),)
    assert not equal_cells(renamed, ["a", "b", "c"])
    assert equal_cells(renamed, ["a", "c"])
    assert equal_cells(table(a=numbers([1, 2]), b=numbers([1, 2])), ["a", "b"])


# -- correlation -----------------------------------------------------------------------------------------------------


def test_correlation_is_numpys_on_the_rows_that_have_both() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 200))
    y += 0.5 * x
    x[3], y[7] = np.nan, np.nan
    both = ~np.isnan(x) & ~np.isnan(y)
    assert correlation(x, y) == pytest.approx(np.corrcoef(x[both], y[both])[0, 1], rel=1e-12)


def test_correlation_holds_at_the_ends_of_double_precision() -> None:
    x = np.arange(20.0)
    for scale, shift in ((1e300, 0.0), (1e-300, 0.0), (-1.0, 1e9)):
        assert correlation(x, x * scale + shift) == pytest.approx(np.sign(scale), rel=1e-12)
    assert correlation(x, np.full(20, 1e9)) is None
    assert correlation(x[:9], x[:9]) is None


def test_two_levels_are_numbers_and_three_are_not() -> None:
    two = as_numbers(levels("b.ab"))
    assert two is not None
    np.testing.assert_array_equal(two, [1, np.nan, 0, 1])
    assert as_numbers(levels("abc")) is None
    infinite = as_numbers(numbers([1, np.inf]))
    assert infinite is not None
    np.testing.assert_array_equal(infinite, [1, np.nan])


def size_of(data: Table, one: str, other: str) -> float:
    x, y = as_numbers(data.columns[one]), as_numbers(data.columns[other])
    return 0.0 if x is None or y is None else abs(correlation(x, y) or 0.0)


def check_groups(data: Table, found: tuple[Collinear, ...]) -> None:
    """What is said of every group is true, and of all pairs, measured on all rows, one column at the most stays."""
    gone = set()
    for group in found:
        first, *others = group.columns
        assert group.correlation == pytest.approx(min(size_of(data, first, name) for name in others), rel=1e-9)
        assert group.correlation >= NEARLY
        gone |= set(others)
    for one, other in itertools.combinations(data.columns, 2):
        assert size_of(data, one, other) < NEARLY or gone & {one, other}
    near = [name for group in found if not group.exact for name in group.columns]
    assert len(near) == len(set(near))


@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_near_collinear_groups_hold_for_all_pairs(gaps: float) -> None:
    rng = np.random.default_rng(2)
    base = rng.normal(size=(400, 12))
    made = {f"x{j}": base[:, j] for j in range(12)}
    made |= {"u": base[:, 0] * 3 + 1, "v": -base[:, 0] + rng.normal(size=400) * 0.05, "w": base[:, 5] + 1e6}
    made["almost"] = base[:, 7] + rng.normal(size=400) * 0.25  # a correlation of 0.97
    columns: dict[str, Column] = {}
    for name, values in made.items():
        columns[name] = numbers(np.where(rng.random(400) < gaps, np.nan, values))
    flags = rng.random(400) < 0.5
    columns["flag"] = Levels(flags.astype(np.int32), ("no", "yes"))
    columns["other"] = Levels((~flags).astype(np.int32), ("away", "here"))
    columns["constant"] = numbers(np.full(400, 3.0))
    data = table(**columns)
    found, rows = near_collinear(data, list(data.columns))
    assert rows == 400
    check_groups(data, found)
    exact = [("x0", "u"), ("x5", "w"), ("flag", "other")] if not gaps else [("flag", "other")]
    assert [group.columns for group in found if group.exact] == exact
    near = [group.columns for group in found if not group.exact]
    assert near == ([("x0", "v")] if not gaps else [("x0", "u", "v"), ("x5", "w")])


@pytest.mark.parametrize("seed", range(5))
def test_a_chain_is_told_by_columns_and_what_correlates_with_them(seed: int) -> None:
    """Neighbours correlate with more than 0.99, the ends with far less."""
    rng = np.random.default_rng(seed)
    walk = rng.normal(size=(300, 1)) + 0.08 * rng.normal(size=(300, 25)).cumsum(axis=1)
    data = table(**{f"c{j}": numbers(walk[:, j]) for j in range(25)})
    assert size_of(data, "c0", "c24") < 0.95
    found, _ = near_collinear(data, list(data.columns))
    assert len(found) > 2
    check_groups(data, found)


def test_multiples_within_a_group_are_told_as_such() -> None:
    rng = np.random.default_rng(4)
    a = rng.integers(1, 6, 400).astype(float)
    b = a + rng.normal(size=400) * 0.05
    data = table(a=numbers(a), b=numbers(b), lin=numbers(a * 0.3), hair=numbers(a + rng.normal(size=400) * 1e-7))
    found, _ = near_collinear(data, list(data.columns))
    assert [(group.columns, group.exact) for group in found] == [(("a", "lin"), True), (("a", "b", "hair"), False)]


def test_cells_as_far_from_the_first_but_for_rounding_do_not_hide_multiples() -> None:
    a = np.tile([2.0, 1.0, 3.0], 20)  # 0.9 - 0.6 is more than 0.6 - 0.3
    assert are_multiples(a, 0.3 * a)


def test_of_many_rows_some_are_looked_at_and_what_is_found_is_measured_on_all() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=150_000)
    noisy = x + rng.normal(size=x.size) * 0.1
    data = table(x=numbers(x), y=numbers(noisy), z=numbers(rng.normal(size=x.size)), odd=numbers(x))
    lone = data.columns["odd"]
    assert isinstance(lone, Numbers)
    lone.values[70_000] = 1e4  # a single row takes the correlation away, and mostly is not in the sample
    found, rows = near_collinear(data, list(data.columns))
    assert rows == 100_000
    assert [group.columns for group in found] == [("x", "y")]
    assert found[0].correlation == pytest.approx(abs(np.corrcoef(x, noisy)[0, 1]), rel=1e-12)
    assert near_collinear(data, list(data.columns)) == (found, rows)


def test_a_few_rows_tell_nothing() -> None:
    data = table(a=numbers(range(9)), b=numbers(range(9)))
    assert near_collinear(data, ["a", "b"]) == ((), 0)


def test_columns_that_all_go_together_are_one_group_at_little_cost() -> None:
    """As in spectra: of 600 columns 180,000 pairs are collinear, and one tree is kept."""
    rng = np.random.default_rng(6)
    x = rng.normal(size=100)
    data = table(**{f"x{j}": numbers(x * (j + 1) + rng.normal(size=100) * 1e-3) for j in range(600)})
    (group,) = near_collinear(data, list(data.columns))[0]
    assert group.columns == tuple(data.columns)
    assert 0.99999 < group.correlation <= 1.0
