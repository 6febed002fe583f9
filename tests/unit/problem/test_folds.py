"""Dealing rows and groups to folds, cutting time into folds, setting rows aside."""

import numpy as np
import pytest
from sklearn.model_selection import TimeSeriesSplit

from regcli.problem.folds import (
    Splits,
    deal_folds,
    deal_groups,
    fold_partition,
    fold_splits,
    last_aside,
    leave_one_out,
    set_aside,
    time_splits,
    whole_partition,
    whole_splits,
)
from regcli.problem.lanes import Partition
from regcli.problem.protocols import Array, Integers


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


@pytest.mark.parametrize("many", [60, 2**63, 10**30])
def test_gaps_and_windows_may_be_beyond_all_rows(many: int) -> None:
    times, weights = np.arange(60), np.ones(60)
    assert time_splits(times, 5, many, None, weights) is None
    wide, plain = time_splits(times, 5, 2, many, weights), time_splits(times, 5, 2, None, weights)
    assert wide is not None
    assert plain is not None
    assert np.array_equal(wide.partitions[0].train, plain.partitions[0].train)
    assert not last_aside(times, 0.2, many)[0].any()


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


# -- groups ----------------------------------------------------------------------------------------------------------


def made_groups(count: int, seed: int) -> Integers:
    """Group of each row; groups have 1 to 20 rows, in mixed order."""
    rng = np.random.default_rng(seed)
    return np.asarray(rng.permutation(np.repeat(np.arange(count), rng.integers(1, 21, count))), dtype=np.intp)


def class_shares(folds: Integers, classes: Integers, count: int) -> Array:
    """Share of every class's rows in every fold (classes, folds)."""
    return np.array(
        [
            np.bincount(folds[classes == level], minlength=count) / (classes == level).sum()
            for level in np.unique(classes)
        ]
    )


@pytest.mark.parametrize("classed", [False, True])
@pytest.mark.parametrize("repeat", [0, 3])
@pytest.mark.parametrize(("n_groups", "count"), [(3, 3), (11, 4), (60, 10)])
def test_no_group_is_split(n_groups: int, count: int, repeat: int, classed: bool) -> None:  # noqa: FBT001
    groups = made_groups(n_groups, seed=n_groups)
    classes = (np.random.default_rng(1).random(groups.size) < 0.3).astype(np.intp) if classed else None
    folds = deal_groups(groups, count, 5, classes, repeat)
    assert all(np.unique(folds[groups == group]).size == 1 for group in range(n_groups))
    assert np.array_equal(np.unique(folds), np.arange(count))


@pytest.mark.parametrize("seed", range(20))
def test_folds_of_groups_differ_by_less_than_a_group(seed: int) -> None:
    groups = made_groups(40, seed)
    sizes = np.bincount(deal_groups(groups, 7, seed), minlength=7)
    assert np.ptp(sizes) <= np.bincount(groups).max()
    assert np.ptp(sizes) <= 0.25 * sizes.mean(), "dealing large groups first leaves the small ones to even out"


@pytest.mark.parametrize("size", [1, 4])
def test_groups_of_one_size_are_dealt_like_rows(size: int) -> None:
    groups = np.repeat(np.arange(23), size)
    sizes = np.bincount(deal_groups(groups, 5, 2), minlength=5)
    assert sorted(sizes) == [4 * size, 4 * size, 5 * size, 5 * size, 5 * size]


def test_groups_of_one_class_each_are_spread_as_evenly_as_rows() -> None:
    groups = np.repeat(np.arange(30), 3)
    classes = (groups % 5 == 0).astype(np.intp)
    for seed in range(10):
        folds = deal_groups(groups, 4, seed, classes)
        for level, spread in ((0, 3), (1, 3)):
            assert np.ptp(np.bincount(folds[classes == level], minlength=4)) <= spread


def test_groups_are_dealt_by_class_where_there_are_classes() -> None:
    """Groups are wholly of one class or the other: without classes their shares are left to chance."""
    worst: dict[bool, list[float]] = {False: [], True: []}
    for seed in range(20):
        groups = made_groups(40, seed)
        classes = (np.random.default_rng(seed).random(40) < 0.25).astype(np.intp)[groups]
        for classed, found in worst.items():
            folds = deal_groups(groups, 4, seed, classes if classed else None)
            found.append(float(np.abs(class_shares(folds, classes, 4) - 0.25).max()))
    assert max(worst[True]) < 0.2
    assert np.mean(worst[True]) < 0.6 * np.mean(worst[False])


def test_names_of_groups_do_not_change_their_sizes() -> None:
    groups = made_groups(25, seed=2)
    renamed = np.random.default_rng(0).permutation(25)[groups]
    one, other = (np.bincount(deal_groups(names, 5, 1), minlength=5) for names in (groups, renamed))
    assert np.ptp(one) <= 20
    assert np.ptp(other) <= 20


def test_the_deal_of_groups_is_the_same_everywhere() -> None:
    groups = np.array([0, 1, 2, 2, 3, 3, 3, 4, 5, 5, 6, 6])
    assert deal_groups(groups, 3, 0).tolist() == [1, 2, 2, 2, 0, 0, 0, 1, 0, 0, 1, 1]
    assert deal_groups(groups, 3, 1).tolist() == [1, 1, 0, 0, 2, 2, 2, 2, 0, 0, 1, 1]
    assert deal_groups(groups, 3, 0, repeat=1).tolist() == [2, 1, 0, 0, 2, 2, 2, 1, 0, 0, 1, 1]
    assert np.flatnonzero(set_aside(12, 0.3, 0, groups=groups)).tolist() == [0, 7, 10, 11]


def test_every_seed_and_every_repeat_deals_anew() -> None:
    groups = made_groups(40, seed=0)
    classes = np.arange(groups.size) % 2
    deals = [deal_groups(groups, 5, seed, None, repeat) for seed in (0, 1) for repeat in (0, 1, 2)]
    deals += [deal_folds(groups.size, 5, seed, None, repeat) for seed in (0, 1) for repeat in (0, 1, 2)]
    deals += [deal_folds(groups.size, 5, seed, classes, repeat) for seed in (0, 1) for repeat in (0, 1, 2)]
    assert len({deal.tobytes() for deal in deals}) == len(deals)
    again = [deal_groups(groups, 5, seed, None, repeat) for seed in (0, 1) for repeat in (0, 1, 2)]
    assert all(np.array_equal(one, other) for one, other in zip(deals, again, strict=False))


# -- time ------------------------------------------------------------------------------------------------------------


def rows_of(partition: Partition, lane: int) -> tuple[Integers, Integers]:
    """Training and test rows of a lane."""
    return (
        np.flatnonzero(partition.train[lane][partition.block]),
        np.flatnonzero(partition.test[lane][partition.block]),
    )


def folds_in_time(splits: Splits) -> list[tuple[Integers, Integers]]:
    """Training and test rows of every fold, in order."""
    (partition,) = splits.partitions
    train, test = rows_of(partition, 0)
    assert (train.size, test.size) == (partition.block.size, 0)
    return [rows_of(partition, lane) for lane in range(1, partition.n_lanes)]


@pytest.mark.parametrize("n", [7, 20, 53])
@pytest.mark.parametrize("count", [3, 5, 6])
@pytest.mark.parametrize("gap", [0, 1, 4])
@pytest.mark.parametrize("window", [None, 1, 3, 10, 1000])
def test_distinct_times_are_cut_as_scikit_learn_does(n: int, count: int, gap: int, window: int | None) -> None:
    times = np.random.default_rng(n).permutation(n)
    order = np.argsort(times)
    splits = time_splits(times, count, gap, window, np.ones(n))
    try:
        expected = list(TimeSeriesSplit(count, gap=gap, max_train_size=window).split(order))
    except ValueError:  # too few rows before the first fold
        assert splits is None
        return
    assert splits is not None
    assert splits.n_folds == count
    for (train, test), (before, after) in zip(folds_in_time(splits), expected, strict=True):
        assert np.array_equal(train, np.sort(order[before]))
        assert np.array_equal(test, np.sort(order[after]))


@pytest.mark.parametrize("seed", range(30))
def test_rows_at_one_time_stay_together_and_nothing_is_trained_on_that_comes_later(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, count, gap = int(rng.integers(24, 60)), int(rng.integers(3, 6)), int(rng.integers(0, 4))
    window = int(rng.integers(2, 15)) if seed % 2 else None
    times = np.unique(rng.integers(0, 2 * n // 3, n), return_inverse=True)[1]
    splits = time_splits(times, count, gap, window, np.ones(n))
    assert splits is not None
    folds = folds_in_time(splits)
    tested = np.concatenate([test for _, test in folds])
    assert np.unique(tested).size == tested.size
    for train, test in folds:
        earlier = np.flatnonzero(times < times[test].min())
        assert train.size == min(earlier.size - gap, n if window is None else window)
        assert np.isin(train, earlier).all()
        assert not np.isin(times[test], times[np.setdiff1d(np.arange(n), test)]).any()
        left_out = np.setdiff1d(earlier, train)  # the rows of the gap come after those trained on, the others before
        assert (times[left_out] >= times[train].max()).sum() >= gap
    assert times[tested].min() > times[np.setdiff1d(np.arange(n), tested)].max()


def test_ties_move_the_beginning_of_a_fold_back() -> None:
    splits = time_splits(np.array([0, 1, 2, 2, 2, 3, 3, 4, 4, 5]), 3, 1, 3, np.ones(10))
    assert splits is not None
    train, test = zip(*folds_in_time(splits), strict=True)
    assert [rows.tolist() for rows in test] == [[2, 3, 4], [5, 6], [7, 8, 9]]
    assert [rows.tolist() for rows in train] == [[0], [1, 2, 3], [3, 4, 5]]


@pytest.mark.parametrize(
    ("times", "count", "gap"),
    [
        ([0, 1, 2], 3, 0),  # no row for the first training set
        ([0] * 12, 3, 0),  # one time only
        ([0, 0, 0, 0, 0, 0, 0, 1, 1, 2], 3, 0),  # two folds would begin at one time
        ([0, 1, 2, 3, 4, 5, 6, 7], 3, 2),  # the gap takes all rows before the first fold
    ],
)
def test_times_that_do_not_make_folds(times: list[int], count: int, gap: int) -> None:
    assert time_splits(np.array(times), count, gap, None, np.ones(len(times))) is None


@pytest.mark.parametrize(("share", "first"), [(0.1, 9), (0.2, 8), (0.3, 6), (0.35, 6), (0.5, 5), (0.01, 9)])
def test_the_last_share_in_time_with_all_rows_of_its_first_time(share: float, first: int) -> None:
    times = np.array([0, 1, 2, 3, 4, 5, 6, 6, 8, 9])
    order = np.random.default_rng(0).permutation(10)
    for gap in (0, 2, 20):
        train, held = last_aside(times[order], share, gap)
        assert np.array_equal(np.sort(order[held]), np.arange(first, 10))
        assert np.array_equal(np.sort(order[train]), np.arange(max(0, first - gap)))


# -- one at a time, repeats, groups aside ----------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1, 2, 5, 11, 12, 40])
def test_leave_one_out_has_the_same_lanes_in_any_chunks(chunk: int) -> None:
    weights = np.random.default_rng(0).integers(0, 3, 11).astype(float)
    splits = leave_one_out(weights, chunk)
    whole, *parts = splits.partitions
    assert (splits.n_folds, whole.n_lanes, set(splits.repeats)) == (11, 1, {0})
    assert len(splits.repeats) == len(splits.partitions)
    assert max(part.n_lanes for part in parts) <= chunk
    assert len(parts) == -(-11 // chunk)
    lanes = [(part, lane) for part in parts for lane in range(part.n_lanes)]
    for row, (part, lane) in enumerate(lanes):
        train, test = rows_of(part, lane)
        assert test.tolist() == [row]
        assert np.array_equal(train, np.delete(np.arange(11), row))
        assert np.array_equal(part.lane_weights(lane), np.where(np.arange(11) == row, 0.0, weights))
        assert part.totals()[lane] == pytest.approx(weights.sum() - weights[row])


def test_repeats_have_a_partition_each_and_all_rows_once() -> None:
    repeats = [deal_folds(20, 4, 0, None, repeat) for repeat in range(3)]
    splits = fold_splits(repeats, np.ones(20))
    assert (splits.n_folds, splits.repeats) == (12, (0, 1, 2))
    assert [part.n_lanes for part in splits.partitions] == [5, 4, 4]
    for at, (part, folds) in enumerate(zip(splits.partitions, repeats, strict=True)):
        lanes = range(1 if at == 0 else 0, part.n_lanes)
        for fold, lane in enumerate(lanes):
            train, test = rows_of(part, lane)
            assert np.array_equal(test, np.flatnonzero(folds == fold))
            assert np.array_equal(train, np.flatnonzero(folds != fold))
    assert whole_splits(np.ones(20)).n_folds == 0


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_whole_groups_are_set_aside(share: float) -> None:
    for seed in range(10):
        groups = made_groups(30, seed)
        marked = set_aside(groups.size, share, seed, groups=groups)
        assert not np.isin(groups[marked], groups[~marked]).any()
        assert marked.any()
        assert abs(marked.sum() - share * groups.size) <= np.bincount(groups).max() / 2 + 1
        assert np.array_equal(marked, set_aside(groups.size, share, seed, groups=groups))
        assert not np.array_equal(marked, set_aside(groups.size, share, 77, groups=groups))
