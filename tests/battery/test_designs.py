"""Dense and sparse designs: every product equals that of the plain array."""

import numpy as np
import pytest
from scipy import sparse

from regcli.app.parallel import thread_map
from regcli.problem.design import GRAM_CELLS, PRODUCT, ROW_BLOCK, SPARSE_CELLS, Dense, Sparse, make_design
from regcli.problem.protocols import Array, Design, Integers
from tests.tolerances import EXACT

#: Few rows, many rows (more than one block of every kind), more columns than a block has rows.
SHAPES = [(7, 5), (GRAM_CELLS // 4 + 300, 3), (2 * ROW_BLOCK + 1500, 40), (9, ROW_BLOCK + 100), (1, 4), (6, 1)]


def plain(shape: tuple[int, int]) -> Array:
    rng = np.random.default_rng(list(shape))
    return np.where(rng.random(shape) < 0.3, rng.standard_normal(shape), 0.0)


def build(kind: str, values: Array) -> Design:
    if kind == "dense":
        return Dense(np.asfortranarray(values), np.zeros(values.shape[1]))
    return Sparse(sparse.csc_array(values), np.zeros(values.shape[1]))


def close(found: Array, expected: Array) -> bool:
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    return found.shape == expected.shape and bool(np.all(np.abs(found - expected) <= EXACT * scale))


@pytest.fixture(params=SHAPES, ids=str)
def values(request: pytest.FixtureRequest) -> Array:
    return plain(request.param)


@pytest.fixture(params=["dense", "sparse"])
def design(request: pytest.FixtureRequest, values: Array) -> Design:
    return build(request.param, values)


def test_shape(design: Design, values: Array) -> None:
    assert design.shape == values.shape
    assert not design.shift.any()


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_dot(design: Design, values: Array, share: float) -> None:
    rng = np.random.default_rng(0)
    coefs = rng.standard_normal((3, values.shape[1])) * (rng.random(values.shape[1]) < share)
    assert close(design.dot(coefs), coefs @ values.T)


def test_rdot(design: Design, values: Array) -> None:
    rows = np.random.default_rng(1).standard_normal((4, values.shape[0]))
    assert close(design.rdot(rows), rows @ values)


def test_a_large_product_is_the_same_in_threads() -> None:
    rng = np.random.default_rng(3)
    rows, values = rng.standard_normal((60, 400)), np.asfortranarray(rng.standard_normal((400, 4_001)))
    assert rows.size * values.shape[1] > 2 * PRODUCT  # more tasks than one
    design = Dense(values, np.zeros(values.shape[1]))
    found = design.rdot(rows)
    assert close(found, rows @ values)
    with thread_map(2, np.inf) as over_threads:
        assert np.array_equal(design.rdot(rows, over_threads), found)


def test_products_are_adjoint(design: Design, values: Array) -> None:
    rng = np.random.default_rng(2)
    rows, coefs = rng.standard_normal((1, values.shape[0])), rng.standard_normal((1, values.shape[1]))
    left, right = float(rows[0] @ design.dot(coefs)[0]), float(design.rdot(rows)[0] @ coefs[0])
    assert abs(left - right) <= EXACT * (1 + float(np.abs(rows[0]) @ np.abs(values) @ np.abs(coefs[0])))


@pytest.mark.parametrize("known", [0, 1, 2])
def test_block_grams(design: Design, values: Array, known: int) -> None:
    n, m = values.shape
    rng = np.random.default_rng(3)
    weights, labels = rng.integers(0, 3, n).astype(float), np.arange(n) % 2
    centre, sd = rng.standard_normal((2, m))
    sd = 0.5 + np.abs(sd)
    for columns in orders(m):
        known = min(known, columns.size + 1)
        found = design.block_grams(weights, labels, 2, columns, (centre[columns], sd[columns]), known)
        assert found.shape == (2, columns.size + 1, columns.size + 1 - known)
        table = np.column_stack([np.ones(n), (values[:, columns] - centre[columns]) / sd[columns]])
        for label, part in enumerate(found):
            rows = labels == label
            assert close(part, ((table[rows].T * weights[rows]) @ table[rows])[:, known:])


def test_block_tables_are_those_of_the_columns_beside_a_target(design: Design, values: Array) -> None:
    n = values.shape[0]
    rng = np.random.default_rng(4)
    weights, labels, target = rng.integers(0, 3, n).astype(float), np.arange(n) % 3, np.asarray(rng.standard_normal(n))
    table = np.column_stack([np.ones(n), values, target])
    for label, part in enumerate(design.block_tables(weights, labels, 4, target)):
        rows = labels == label
        assert close(part, (table[rows].T * weights[rows]) @ table[rows])


def test_block_sums(design: Design, values: Array) -> None:
    n = values.shape[0]
    weights, labels = np.linspace(-1.0, 2.0, n), np.arange(n) % 3
    expected = [np.stack([(weights * (labels == label)) @ values**power for label in range(4)]) for power in (1, 2)]
    assert close(design.block_sums(weights, labels, 4), expected[0])
    for found, sums in zip(design.block_moments(weights, labels, 4), expected, strict=True):
        assert close(found, sums)


def test_spans_and_parts_cover_the_rows_in_order(design: Design, values: Array) -> None:
    parts = [design.part(rows) for rows in design.spans()]
    coefs = np.random.default_rng(8).standard_normal((2, values.shape[1]))
    assert close(np.hstack([part.dot(coefs) for part in parts]), coefs @ values.T)


def test_rows(design: Design, values: Array) -> None:
    index = np.array([values.shape[0] - 1, 0, 0])
    assert np.array_equal(design.rows(index), values[index])
    assert design.rows(np.arange(0)).shape == (0, values.shape[1])


def orders(m: int) -> list[Integers]:
    """Some columns, none, all as they stand, all in another order."""
    return [np.arange(0, m, 2), np.arange(0), np.arange(m), np.arange(m)[::-1], np.roll(np.arange(m), 1)]


def test_subset_keeps_the_order_asked_for(design: Design, values: Array) -> None:
    coefs = np.random.default_rng(4).standard_normal((2, values.shape[1]))
    for columns in orders(values.shape[1]):
        part = design.subset(columns)
        assert part.shape == (values.shape[0], columns.size)
        assert np.array_equal(part.rows(np.arange(values.shape[0])), values[:, columns])
        assert close(part.dot(coefs[:, columns]), coefs[:, columns] @ values[:, columns].T)


def test_subset_carries_the_shift() -> None:
    design = make_design(plain((7, 5)) + np.arange(5.0), centred=True)
    columns = np.array([4, 0, 2])
    assert np.array_equal(design.subset(columns).shift, design.shift[columns])


def test_dense_values_and_shift_give_the_matrix_back() -> None:
    rng = np.random.default_rng(5)
    values = np.round(rng.standard_normal((50, 4)), 2) + np.array([0.0, 3.0, -1e8, 1e-3])
    design = make_design(values.copy(), centred=True)
    back = design.rows(np.arange(50)) + design.shift
    assert np.all(np.abs(back - values) <= EXACT * np.abs(values).max(axis=0))
    assert np.all(np.abs(design.rdot(np.full((1, 50), 1 / 50))[0]) <= values.std(axis=0))


def test_nothing_is_taken_without_an_intercept() -> None:
    values = plain((7, 5)) + 10.0
    design = make_design(values.copy(), centred=False)
    assert not design.shift.any()
    assert np.array_equal(design.rows(np.arange(7)), values)


def test_integers_lose_nothing_to_the_shift() -> None:
    values = np.random.default_rng(6).integers(1, 1000, (40, 3)).astype(float)
    design = make_design(values.copy(), centred=True)
    assert np.array_equal(design.rows(np.arange(40)) + design.shift, values)


@pytest.mark.parametrize(("share", "kind"), [(0.05, Sparse), (0.5, Dense)])
def test_large_matrices_of_few_cells_are_sparse(share: float, kind: type) -> None:
    rng = np.random.default_rng(7)
    values = (rng.random((1000, SPARSE_CELLS // 1000)) < share).astype(float)
    design = make_design(values, centred=True)
    assert isinstance(design, kind)
    assert isinstance(make_design(values[:10].copy(), centred=True), Dense)


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_array, sparse.coo_array])
def test_what_comes_sparse_stays_sparse(kind: type[sparse.csr_array]) -> None:
    values = np.where(np.random.default_rng(3).random((40, 7)) < 0.2, 2.5, 0.0)
    design = make_design(kind(values), centred=True)
    assert isinstance(design, Sparse)
    assert np.array_equal(design.rows(np.arange(40)), values)
    assert design.nbytes < values.nbytes
