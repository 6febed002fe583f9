"""Counts of work: what products count, that parts and threads share a tally, and what -v says of it."""

from collections.abc import Callable

import numpy as np
import pytest
from joblib import Parallel, delayed
from scipy import sparse

from regcli.problem.design import Dense, Sparse
from regcli.problem.protocols import Design
from regcli.problem.tally import Counts, Tally

N, M, LANES = 30, 6, 4
VALUES = np.random.default_rng(1).standard_normal((N, M))
STORED = np.where(np.arange(N * M).reshape(N, M) % 3 == 0, VALUES, 0.0)
LABELS = np.arange(N) % 2


def dense() -> Dense:
    return Dense(np.asfortranarray(VALUES), np.zeros(M))


def sparse_one() -> Sparse:
    return Sparse(sparse.csc_array(STORED), np.zeros(M))


@pytest.mark.parametrize("make", [dense, sparse_one])
def test_a_pass_reads_every_cell_once_and_multiplies_it_once_a_lane(make: Callable[[], Design]) -> None:
    design = make()
    design.rdot(np.ones((LANES, N)))
    design.dot(np.ones((LANES, M)))
    design.block_sums(np.ones(N), LABELS, 2)
    counts = design.tally.counts
    assert counts.passes(design.cells) == 3
    assert counts.products(design.cells) == 2 * LANES + 2
    assert design.cells == (N * M if isinstance(design, Dense) else N * M // 3)


@pytest.mark.parametrize("make", [dense, sparse_one])
def test_columns_without_a_coefficient_are_not_read(make: Callable[[], Design]) -> None:
    design, coefs = make(), np.zeros((LANES, M))
    coefs[0, 2] = 1.0
    design.dot(coefs)
    column = design.subset(np.array([2])).cells
    assert design.tally.counts.cells == 2 * column  # once more for the subset
    assert design.tally.counts.multiplications == LANES * column


@pytest.mark.parametrize("make", [dense, sparse_one])
def test_parts_and_subsets_count_where_the_whole_does(make: Callable[[], Design]) -> None:
    design = make()
    part, some = design.part(slice(0, 10)), design.subset(np.array([4, 1]))
    assert part.tally is some.tally is design.tally
    rows = design.rows(np.arange(N))
    assert design.tally.counts == Counts(cells=some.cells + (rows.size if isinstance(design, Dense) else design.cells))


def test_second_moments_count_the_half_that_is_computed() -> None:
    design, columns = dense(), np.arange(M)
    design.block_grams(np.ones(N), LABELS, 2, columns)
    assert design.tally.counts == Counts(cells=N * M, multiplications=N * (M + 1) * (M + 2) // 2)
    design.block_grams(np.ones(N), LABELS, 2, columns, known=3)
    assert design.tally.counts.multiplications == N * (M + 1) * (M + 2) // 2 + N * (M + 1) * (M + 1 - 3)


def test_second_moments_of_sparse_columns_count_pairs_of_cells() -> None:
    design, filled = sparse_one(), (STORED != 0).astype(np.intp)
    design.block_grams(np.ones(N), LABELS, 2, np.arange(M))
    assert design.tally.counts == Counts(cells=design.cells, multiplications=int((filled.T @ filled).sum()))
    design.block_grams(np.ones(N), LABELS, 2, np.arange(M), known=3)
    more = int((filled.T @ filled)[:, 2:].sum())
    assert design.tally.counts.multiplications == int((filled.T @ filled).sum()) + more


def test_nothing_that_threads_count_is_lost() -> None:
    tally = Tally()

    def count(_task: int) -> None:
        for _ in range(2000):
            tally.read(3, 5)
            tally.solved()

    Parallel(n_jobs=4, backend="threading")(delayed(count)(task) for task in range(4))
    assert tally.counts == Counts(cells=24_000, multiplications=120_000, solves=8000)


def test_work_is_told_in_one_line() -> None:
    counts = Counts(cells=31_000, multiplications=140_000, factorizations=1096) - Counts(cells=1000)
    assert counts.told(10_000) == "3.0 passes over the data, 14 products, 1,096 factorizations"
    assert Counts(steps=7).told(10).endswith(", 0 factorizations, 7 conjugate-gradient steps")
