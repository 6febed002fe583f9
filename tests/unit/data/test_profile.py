"""Columns one at a time, against plain Python."""

import math
import statistics

import numpy as np
import pytest

from regcli.data.profile import clipped, column_bytes, profile_column
from regcli.data.table import Column, Levels, Numbers, Table, Unsupported
from regcli.errors import Location


def table(column: Column, rows: int, *, zeros: bool = False) -> Table:
    return Table((), "csv", {"x": column}, rows, lambda _row, _name: Location(), leading_zeros=("x",) * zeros)


def numbers(*values: float) -> Table:
    return table(Numbers(np.array(values, dtype=np.float64)), len(values))


def levels(*cells: str | None, boolean: bool = False) -> Table:
    known = tuple(sorted({cell for cell in cells if cell is not None}))
    codes = np.array([-1 if cell is None else known.index(cell) for cell in cells], dtype=np.int32)
    return table(Levels(codes, known, boolean=boolean), len(cells))


def test_figures_are_those_of_the_cells_that_are_there() -> None:
    cells = [3.5, -1.0, 0.0, 7.25, 0.0, 2.0, 3.5]
    found = profile_column(numbers(*cells, math.nan), "x")
    facts = found.numbers
    assert facts is not None
    assert (found.type, found.missing, found.distinct) == ("number", 1, 5)
    assert (facts.least, facts.most, facts.zeros, facts.infinite) == (-1.0, 7.25, 2, 0)
    assert (facts.q1, facts.median, facts.q3) == tuple(statistics.quantiles(cells, n=4, method="inclusive"))
    assert facts.mean == pytest.approx(statistics.fmean(cells), rel=1e-15)
    assert facts.sd == pytest.approx(statistics.pstdev(cells), rel=1e-15)
    assert found.levels == (("0", 2), ("3.5", 2), ("-1", 1), ("2", 1), ("7.25", 1))
    assert found.examples == ("3.5", "-1", "0")


def test_infinite_cells_are_counted_and_play_no_further_part() -> None:
    found = profile_column(numbers(math.inf, 1.0, 2.0, -math.inf, math.inf, math.nan), "x")
    facts = found.numbers
    assert facts is not None
    assert (facts.infinite, facts.least, facts.most, facts.mean) == (3, 1.0, 2.0, 1.5)
    assert (found.type, found.distinct, found.missing) == ("number", 4, 1)
    assert profile_column(numbers(math.inf, -math.inf), "x").numbers is None


def test_negative_zero_is_zero() -> None:
    found = profile_column(numbers(0.0, -0.0, 1.0), "x")
    assert (found.distinct, found.levels) == (2, (("0", 2), ("1", 1)))
    assert found.numbers is not None
    assert found.numbers.zeros == 2


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (numbers(1, 2, 3), "integer"),
        (numbers(1, 2, 3.5), "number"),
        (numbers(2, 2), "constant"),
        (numbers(2, math.nan), "constant"),
        (numbers(math.nan, math.nan), "empty"),
        (levels("a", "b", "a"), "category"),
        (levels("a", "a", None), "constant"),
        (levels(None, None), "empty"),
        (levels("false", "true", boolean=True), "boolean"),
        (levels("2026-01-31", "2026-02-01"), "date"),
        (levels("2026-01-31 12:30", "2026-02-01T08:00:00Z", None), "date"),
        (levels("31.1.2026", "1.2.26"), "date"),
        (levels("2026-01-31", "soon"), "category"),
        (levels(*map(str, range(51))), "text"),
        (levels(*map(str, range(50))), "category"),
        (table(Unsupported("list"), 3), "unsupported"),
    ],
)
def test_types(column: Table, kind: str) -> None:
    assert profile_column(column, "x").type == kind


def test_a_declared_category_is_no_text() -> None:
    assert profile_column(levels(*map(str, range(60))), "x", declared="category").type == "category"


def test_levels_are_the_most_frequent_ones_in_order() -> None:
    cells = [letter for at, letter in enumerate("abcdefghijklmnopqrstuvwxyz") for _ in range(1 + at // 5)]
    found = profile_column(levels(*cells), "x")
    assert found.distinct == 26
    assert found.levels == tuple((letter, cells.count(letter)) for letter in "zuvwxypqrstklmnofghi")


def test_levels_that_no_row_has_are_not_there() -> None:
    found = profile_column(table(Levels(np.array([1, 1, 2], dtype=np.int32), ("a", "b", "c")), 3), "x")
    assert (found.distinct, found.levels) == (2, (("b", 2), ("c", 1)))


def test_long_cells_are_cut_in_examples() -> None:
    found = profile_column(levels("x" * 10_000, "y"), "x")
    assert [len(example) for example in found.examples] == [200, 1]
    assert clipped("x" * 200) == "x" * 200


def test_examples_come_from_the_first_rows_that_have_some() -> None:
    assert profile_column(levels(*[None] * 5000, "b", "a", "b"), "x").examples == ("b", "a")


def test_leading_zeros_are_told() -> None:
    assert profile_column(table(Numbers(np.array([7.0, 12.0])), 2, zeros=True), "x").leading_zeros
    assert not profile_column(numbers(7, 12), "x").leading_zeros


def test_memory_is_that_of_the_arrays() -> None:
    assert column_bytes(numbers(1, 2, 3), "x") == 24
    assert column_bytes(levels("a", "b"), "x") == 8
