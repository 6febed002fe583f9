"""Dealing rows to folds and setting rows aside."""

import numpy as np
import pytest

from regcli.problem.folds import deal_folds, fold_partition, set_aside, whole_partition


@pytest.mark.parametrize(("n", "count"), [(10, 3), (100, 7), (12, 12), (5, 2), (1001, 10)])
def test_sizes_differ_by_at_most_one(n: int, count: int) -> None:
    sizes = np.bincount(deal_folds(n, count, seed=4), minlength=count)
    assert sizes.sum() == n
    assert np.ptp(sizes) <= 1


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5])
def test_every_class_is_spread_over_the_folds(share: float) -> None:
    classes = (np.random.default_rng(0).random(203) < share).astype(np.intp)
    folds = deal_folds(203, 5, seed=1, classes=classes)
    assert np.ptp(np.bincount(folds, minlength=5)) <= 1
    for level in (0, 1):
        assert np.ptp(np.bincount(folds[classes == level], minlength=5)) <= 1


def test_the_deal_is_the_same_everywhere() -> None:
    assert deal_folds(12, 3, 0).tolist() == [1, 2, 0, 2, 2, 1, 2, 0, 1, 0, 1, 0]
    assert deal_folds(12, 3, 1).tolist() == [1, 2, 0, 2, 0, 0, 1, 2, 2, 1, 0, 1]
    assert deal_folds(12, 5, 7, np.arange(12) % 2).tolist() == [4, 2, 0, 3, 3, 0, 0, 4, 2, 1, 1, 1]
    assert np.flatnonzero(set_aside(12, 0.25, 0)).tolist() == [0, 4, 6]
    assert np.flatnonzero(set_aside(12, 0.25, 0, np.arange(12) % 2)).tolist() == [0, 3, 4, 9]


def test_a_seed_is_one_order_and_a_split_another_than_the_folds() -> None:
    assert np.array_equal(deal_folds(50, 5, 9), deal_folds(50, 5, 9))
    assert not np.array_equal(deal_folds(50, 5, 9), deal_folds(50, 5, 10))
    assert not np.array_equal(set_aside(50, 0.2, 9), deal_folds(50, 5, 9) == 0)


@pytest.mark.parametrize(("n", "share", "size"), [(10, 0.2, 2), (10, 0.01, 1), (11, 0.5, 6), (100, 0.33, 33)])
def test_the_share_set_aside(n: int, share: float, size: int) -> None:
    assert set_aside(n, share, seed=2).sum() == size


def test_classes_are_set_aside_in_proportion() -> None:
    classes = np.repeat(np.array([0, 1]), [80, 20])
    marked = set_aside(100, 0.25, 3, classes)
    assert marked[classes == 0].sum() == 20
    assert marked[classes == 1].sum() == 5


def test_lanes_of_folds() -> None:
    folds = np.array([0, 1, 2, 1, 0])
    partition = fold_partition(folds, 3, np.array([1.0, 2.0, 3.0, 0.0, 1.0]))
    assert (partition.n_lanes, partition.n_blocks) == (4, 3)
    assert partition.train.astype(int).tolist() == [[1, 1, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0]]
    assert partition.test.astype(int).tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert [rows.tolist() for rows in partition.block_rows()] == [[0, 4], [1, 3], [2]]
    assert partition.totals().tolist() == [7.0, 5.0, 5.0, 4.0]
    assert partition.keep(np.array([2])).train.tolist() == [[True, False, True]]


def test_one_lane_of_all_rows() -> None:
    partition = whole_partition(np.array([1.0, 0.0, 2.0]))
    assert (partition.train.tolist(), partition.test.tolist()) == ([[True]], [[False]])
    assert partition.totals().tolist() == [3.0]
    assert [rows.tolist() for rows in partition.block_rows()] == [[0, 1, 2]]


def test_a_fold_may_be_empty() -> None:
    partition = fold_partition(np.array([0, 2]), 3, np.ones(2))
    assert [rows.tolist() for rows in partition.block_rows()] == [[0], [], [1]]
