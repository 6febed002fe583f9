"""Columns without their zeros, and matrices of them: they say what the whole columns say."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from regcli.data.columns import concatenate_numbers
from regcli.data.sparse import check_size, sparse_columns
from regcli.data.stored import Part, Stored, joined, products
from regcli.data.table import Column, Numbers
from regcli.data.target import Target
from regcli.data.terms import Feature
from regcli.data.training import describe
from regcli.errors import ResourceError
from tests.unit.data.made import table

Array = NDArray[np.float64]

#: Whole columns: usual, without a zero, all zero, with missing and infinite cells, all missing.
COLUMNS = {
    "usual": [0.0, 1.5, 0.0, -2.0, 0.0, 0.0, 7.0],
    "full": [3.0, 1.5, 1.0, -2.0, 4.0, 4.0, 7.0],
    "zero": [0.0] * 7,
    "odd": [0.0, np.nan, np.inf, 0.0, -np.inf, 2.0, np.nan],
    "empty": [np.nan] * 7,
}


def stored(values: Array) -> Numbers:
    """The column without its zeros."""
    places = np.flatnonzero(values != 0)
    return Numbers(values[places], places.astype(np.int32), values.size)


@pytest.fixture(params=COLUMNS)
def values(request: pytest.FixtureRequest) -> Array:
    return np.array(COLUMNS[request.param])


def test_a_column_without_zeros_says_what_the_whole_one_says(values: Array) -> None:
    whole, part = Numbers(values), stored(values)
    assert np.array_equal(part.values, values, equal_nan=True)
    assert np.array_equal(part.missing, whole.missing)
    assert (part.size, part.empty, part.gapped) == (whole.size, whole.empty, whole.gapped)
    assert np.array_equal(part.extent, whole.extent, equal_nan=True)
    for column in (part, whole):
        assert np.array_equal([column.cell(row) for row in range(values.size)], values, equal_nan=True)
    assert set(part.occurring.tolist()) == set(whole.occurring.tolist())
    tests: list[Callable[[Array], NDArray[np.bool_]]] = [np.isinf, lambda cells: cells < 1, lambda cells: cells > -3]
    for test in tests:
        assert np.array_equal(part.where(test), whole.where(test))


@pytest.mark.parametrize("rows", [[], [0], [1, 2, 5], [0, 3, 4, 6], list(range(7))])
def test_some_rows_of_a_column(values: Array, rows: list[int]) -> None:
    some = np.array(rows, dtype=np.intp)
    taken = stored(values).taken(some)
    assert taken.places is not None
    assert taken.size == len(rows)
    assert np.array_equal(taken.values, values[some], equal_nan=True)


def test_columns_are_stacked_without_zeros_if_all_are() -> None:
    parts = [np.array(COLUMNS[name]) for name in ("usual", "odd", "zero")]
    together = concatenate_numbers([stored(part) for part in parts])
    assert together.places is not None
    assert np.array_equal(together.values, np.concatenate(parts), equal_nan=True)
    mixed = concatenate_numbers([stored(parts[0]), Numbers(parts[1])])
    assert np.array_equal(mixed.values, np.concatenate(parts[:2]), equal_nan=True)


def test_places_of_cells_are_rows() -> None:
    assert [stored(np.array(COLUMNS["usual"])).row_of(at) for at in range(3)] == [1, 3, 6]
    assert Numbers(np.array(COLUMNS["usual"])).row_of(2) == 2


@pytest.mark.parametrize("seed", range(20))
def test_the_profile_of_a_column_does_not_depend_on_how_it_is_kept(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = np.round(rng.normal(size=41 + seed), seed % 3) * (rng.random(41 + seed) < 0.05 * seed)
    cells[rng.random(cells.size) < 0.05] = np.nan
    features, rows = (Feature("x", "number"),), np.flatnonzero(rng.random(cells.size) < 0.9)
    target = Target(np.zeros(rows.size), None, None, ())
    found = [
        describe(table({"x": column}, cells.size), features, rows, target)["columns"]["x"]
        for column in (Numbers(cells), stored(cells))
    ]
    moments = {key: found[1].pop(key) for key in ("mean", "sd")}
    assert {key: found[0].pop(key) for key in ("mean", "sd")} == pytest.approx(moments, rel=1e-12, abs=1e-15)
    assert found[0] == found[1]
    deciles = np.nanquantile(cells[rows], [k / 10 for k in range(11)])
    assert found[0]["quantiles"] == np.maximum.accumulate(deciles).tolist()


# -- matrices --------------------------------------------------------------------------------------------------------

rng = np.random.default_rng(8)
BLOCKS = [np.where(rng.random((30, k)) < 0.2, rng.normal(size=(30, k)), 0.0) for k in (1, 3, 2)]


@pytest.mark.parametrize("kept", [(True, True, True), (True, False, True), (False, True, False), (False, False, False)])
def test_columns_side_by_side_and_their_products(kept: tuple[bool, ...]) -> None:
    parts: list[Part] = [
        Stored.of(sparse.csc_array(block)) if sparse_ else block for block, sparse_ in zip(BLOCKS, kept, strict=True)
    ]
    pairs = [(0, 1), (1, 4), (2, 3), (5, 0), (4, 4)]
    made = joined(30, [*parts, *products(parts, pairs)])
    whole = np.hstack(BLOCKS)
    expected = np.column_stack([whole, *(whole[:, left] * whole[:, right] for left, right in pairs)])
    assert isinstance(made, np.ndarray) == (not any(kept))
    assert np.array_equal(made if isinstance(made, np.ndarray) else made.toarray(), expected)


def kinds(rows: int, columns: int, share: float) -> set[bool]:
    """Whether the columns of a matrix leave out their zeros."""
    matrix = sparse.csr_array(sparse.random_array((rows, columns), density=share, rng=np.random.default_rng(1)))
    found: dict[str, Column] = {**sparse_columns(matrix, tuple(map(str, range(columns))), lambda _: False)}
    assert all(isinstance(column, Numbers) for column in found.values())
    assert np.array_equal(
        np.column_stack([column.values for column in found.values() if isinstance(column, Numbers)]), matrix.toarray()
    )
    return {isinstance(column, Numbers) and column.places is not None for column in found.values()}


def test_zeros_are_left_out_of_large_tables_with_few_other_cells() -> None:
    assert kinds(2_000, 500, 0.09) == {True}
    assert kinds(2_000, 500, 0.11) == {False}
    assert kinds(1_999, 500, 0.01) == {False}  # less than a million cells


def test_what_is_too_large_without_zeros_is_refused() -> None:
    check_size("t", 10**6, 10**6, 10**8)
    for rows, columns, count in ((10**6, 10**6, 2 * 10**8), (10**9, 3, 10), (10, 2 * 10**6, 10), (10**5, 10**5, None)):
        with pytest.raises(ResourceError) as caught:
            check_size("t", rows, columns, count)
        assert caught.value.code == "table-too-large"
