"""Lanes: every training set of a cross-validation at once, over one matrix.

A lane is a set of training blocks and a set of test blocks of the same rows. Lane 0 is the full data. Whatever differs
between training sets is here: which rows count, the centre and scale of every column, what is learnt in the fold.
A lane holds block numbers and shares the row weights; nothing here is (n, L).
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from scipy import sparse

from regcli.problem.protocols import Array, Bools, Design, Integers

__all__ = ["Lanes", "Partition", "make_lanes"]

#: Below this ratio of a column's variance to its squared mean (both after the shift) the variance is computed a second
#: time from the data, about the lane's own mean: subtraction would have cost more than six digits.
CANCELLED = 1e-6

#: A spread below this share of the shifted mean costs a product of two such columns six digits.
TINY = 1e-3

#: Means beyond this many sds make a column that is not centred dwarf the others: eigenvectors of all columns together
#: would lose six digits of theirs.
FAR = 1e3

#: Values of a lane's columns are sums of up to four products of shifted cells with what the lane learnt. Two that ought
#: to be equal differ by less than this, in units of the sum of the products' sizes.
ROUNDING = 8 * float(np.finfo(np.float64).eps)

#: Cells gathered at a time while statistics are collected: 4 MB.
STATISTICS_CELLS = 500_000


@dataclass(frozen=True)
class Partition:
    """Rows in blocks, and which blocks each lane trains and tests on.

    Parameters
    ----------
    block : (n,) integers
        Block of each row, 0 to B - 1.
    train, test : (L, B) booleans
        Blocks of each lane. A row whose weight is zero belongs to its block like any other: it is not held out.
    row_weights : (n,) array
        Weights as given, 0 or more.
    """

    block: Integers
    train: Bools
    test: Bools
    row_weights: Array

    @property
    def n_lanes(self) -> int:
        """Number of lanes L."""
        return self.train.shape[0]

    @property
    def n_blocks(self) -> int:
        """Number of blocks B."""
        return self.train.shape[1]

    def block_rows(self) -> list[Integers]:
        """Rows of every block, in order."""
        order = np.argsort(self.block, kind="stable")
        ends = np.cumsum(np.bincount(self.block, minlength=self.n_blocks))
        return list(np.split(order, ends[:-1]))

    def totals(self) -> Array:
        """Training weight of each lane (L,)."""
        per_block = np.bincount(self.block, weights=self.row_weights, minlength=self.n_blocks)
        return np.asarray(self.train @ per_block, dtype=np.float64)

    def lane_weights(self, lane: int) -> Array:
        """Training weights of one lane (n,) as given, zero for all other rows."""
        return self.train[lane][self.block] * self.row_weights

    def keep(self, lanes: Integers) -> Self:
        """Some of the lanes."""
        return replace(self, train=self.train[lanes], test=self.test[lanes])


@dataclass(frozen=True)
class Lanes:
    """Training sets with the centre and scale that each of them implies.

    ``centre`` (L, p) is the weighted mean of the shifted columns, 0 without an intercept. ``sd`` (L, p) is the weighted
    1/n standard deviation, 1 where a column is constant in the lane; ``varies`` (L, p) says where it is not. ``unit``
    (L, p) turns a coefficient in units of sd into the one that is penalised. ``l2_scale`` (L,) multiplies the L2 part.
    ``level`` says that no column as it counts has a mean beyond ``FAR`` sds, so that all have much the same length.
    ``maps[l]`` is the lane matrix T_l (m, p) of what the lane learnt: its columns are B T_l. None is the identity. All
    lanes have one or none has, and all store the same cells, zeros among them.
    """

    partition: Partition
    totals: Array
    centre: Array
    sd: Array
    unit: Array
    varies: Bools
    l2_scale: Array
    level: bool
    maps: tuple[sparse.csc_array | None, ...]

    @property
    def n_lanes(self) -> int:
        """Number of lanes L."""
        return self.totals.size

    @cached_property
    def cancelled(self) -> Bools:
        """Lanes (L,) in which the spread of a column is tiny beside its shifted mean: products lose digits to it."""
        return np.asarray((self.varies & (self.sd < TINY * np.abs(self.centre))).any(axis=1))

    def weights(self, lane: int) -> Array:
        """Training weights of one lane (n,), with sum one."""
        part = self.partition
        factor = part.train[lane] / self.totals[lane]
        return factor[part.block] * part.row_weights

    def apply_weights(self, rows: Array) -> Array:
        """Multiply (L, n) rows by each lane's weights, in place."""
        part = self.partition
        for lane in range(self.n_lanes):
            rows[lane] *= part.row_weights
            rows[lane] *= (part.train[lane] / self.totals[lane])[part.block]
        return rows

    def used_base(self) -> Integers:
        """Base columns that the columns are made of, in the order in which these first use them."""
        indices = np.asarray(self.maps[0].indices) if self.maps[0] is not None else np.arange(self.sd.shape[1])
        base, first = np.unique(indices, return_index=True)
        return base[np.argsort(first)].astype(np.intp)

    def on_base(self, base: Integers) -> Self:
        """The same columns made of some base columns in another order."""
        return replace(self, maps=tuple(None if lane_map is None else lane_map[base] for lane_map in self.maps))

    def shares(self) -> Array:
        """What a row's weight is multiplied by in each lane (L, B), by its block: zero for blocks not trained on."""
        return np.asarray(self.partition.train / self.totals[:, None])

    def to_base(self, coefs: Array) -> Array:
        """Coefficients on the columns' own scale (L, p) to those of the base columns (L, m)."""
        if self.maps[0] is None:
            return coefs
        return np.stack(
            [row if lane_map is None else lane_map @ row for row, lane_map in zip(coefs, self.maps, strict=True)]
        )

    def columns(self, values: Array, lane: int) -> Array:
        """Rows of a lane's columns (r, p), from those of the base columns (r, m)."""
        return _mapped(values, self.maps[lane])

    def from_base(self, products: Array) -> Array:
        """Products with the base columns (L, m) to products with the lanes' columns (L, p)."""
        if self.maps[0] is None:
            return products
        return np.stack(
            [row if lane_map is None else lane_map.T @ row for row, lane_map in zip(products, self.maps, strict=True)]
        )

    def keep(self, lanes: Integers) -> Self:
        """Some of the lanes."""
        return replace(
            self,
            partition=self.partition.keep(lanes),
            totals=self.totals[lanes],
            centre=self.centre[lanes],
            sd=self.sd[lanes],
            unit=self.unit[lanes],
            varies=self.varies[lanes],
            l2_scale=self.l2_scale[lanes],
            maps=tuple(self.maps[int(lane)] for lane in lanes),
        )

    def restrict(self, columns: Integers) -> Self:
        """Some of the columns."""
        return replace(
            self,
            centre=self.centre[:, columns],
            sd=self.sd[:, columns],
            unit=self.unit[:, columns],
            varies=self.varies[:, columns],
            maps=tuple(None if lane_map is None else lane_map[:, columns] for lane_map in self.maps),
        )


@dataclass(frozen=True)
class _Moments:
    """Sums over rows of one block: weight, first and second moments (p,), least and largest value of weighted rows.

    ``noise`` (p,) is how far apart rounding may bring values that are equal: 0 where columns are base columns.
    """

    weight: float
    first: Array
    second: Array
    least: Array
    most: Array
    noise: Array


def make_lanes(
    design: Design,
    partition: Partition,
    *,
    intercept: bool,
    standardized: Bools,
    maps: tuple[sparse.csc_array | None, ...] | None = None,
    moments: tuple[Array, Array] | None = None,
) -> Lanes:
    """Learn every lane's centre and scale.

    Parameters
    ----------
    design : Design
        The base columns (n, m).
    partition : Partition
        Blocks, lanes and weights.
    intercept : bool
        Whether columns are centred.
    standardized : (p,) booleans
        Columns that are scaled before the penalty applies.
    maps : tuple of (m, p) matrices or None
        Lane matrices.
    moments : pair of (B, m) arrays, optional
        Weighted sums of the columns and of their squares over every block, where they are known.

    Notes
    -----
    Statistics of a lane are sums over its training blocks, never the total minus a block: differences lose digits and
    can give negative variances. A column is constant in a lane if its least and largest value over the lane's weighted
    rows are equal; where what the lane learnt has a part in the values, if they are equal but for rounding. Costs one
    pass over the data, O(n p).
    """
    maps = maps or (None,) * partition.n_lanes
    statistics = (
        _plain_statistics(design, partition, moments)
        if maps[0] is None
        else _mapped_statistics(design, partition, maps)
    )
    means, variance, varies = statistics
    sd = np.sqrt(np.where(varies, variance, 1.0))
    return Lanes(
        partition=partition,
        totals=partition.totals(),
        centre=means if intercept else np.zeros_like(means),
        sd=sd,
        unit=np.where(standardized, 1.0, 1.0 / sd),
        varies=varies,
        l2_scale=np.ones(partition.n_lanes),
        level=intercept or not np.any(varies & (np.abs(means) > FAR * sd)),
        maps=maps,
    )


def _plain_statistics(
    design: Design, partition: Partition, moments: tuple[Array, Array] | None
) -> tuple[Array, Array, Bools]:
    """Means, variances and whether columns vary (L, p), from sums over blocks.

    Where a variance is small beside the squared mean, as that of a constant column is, the lane's rows are asked again.
    """
    totals, used = partition.totals()[:, None], partition.train.astype(np.float64)
    rows = (partition.row_weights, partition.block, partition.n_blocks)
    first, second = design.block_moments(*rows) if moments is None else moments
    means = used @ first / totals
    variance = used @ second / totals - means * means
    varies = variance > CANCELLED * means * means
    for lane in np.flatnonzero(~varies.all(axis=1)):
        columns = np.flatnonzero(~varies[lane])
        part = design.subset(columns)
        own = _lane_moments(part, partition, int(lane), None)
        again = _variance(part, partition, int(lane), None, np.arange(columns.size), means[lane, columns])
        varies[lane, columns] = (own.least < own.most) & (again > 0)
        variance[lane, columns] = again
    return means, variance, varies


def _mapped_statistics(
    design: Design, partition: Partition, maps: tuple[sparse.csc_array | None, ...]
) -> tuple[Array, Array, Bools]:
    """The same for lanes whose columns are their own, each from its rows."""
    per_lane = [_lane_moments(design, partition, lane, lane_map) for lane, lane_map in enumerate(maps)]
    means = np.stack([lane.first / lane.weight for lane in per_lane])
    variance = np.stack([lane.second / lane.weight for lane in per_lane]) - means * means
    varies = np.stack([lane.most - lane.least > lane.noise for lane in per_lane])
    cancelled = varies & (variance < CANCELLED * means * means)
    for lane in np.flatnonzero(cancelled.any(axis=1)):
        columns = np.flatnonzero(cancelled[lane])
        variance[lane, columns] = _variance(design, partition, int(lane), maps[lane], columns, means[lane, columns])
    return means, variance, varies & (variance > 0)


def _mapped(values: Array, lane_map: sparse.csc_array | None) -> Array:
    """Rows of a lane's columns (r, p), from those of the base columns (r, m)."""
    return values if lane_map is None else np.asarray((lane_map.T @ values.T).T)


def _moments(design: Design, rows: Integers, partition: Partition, lane_map: sparse.csc_array | None) -> _Moments:
    """Moments of the rows of one block."""
    p = design.shape[1] if lane_map is None else lane_map.shape[1]
    total = _Moments(0.0, np.zeros(p), np.zeros(p), np.full(p, np.inf), np.full(p, -np.inf), np.zeros(p))
    rows = rows[partition.row_weights[rows] > 0]
    step = max(1, STATISTICS_CELLS // design.shape[1])
    for start in range(0, rows.size, step):
        part = rows[start : start + step]
        base, weights = design.rows(part), partition.row_weights[part]
        values = _mapped(base, lane_map)
        total = _add(
            [
                total,
                _Moments(
                    float(weights.sum()),
                    weights @ values,
                    weights @ np.square(values),
                    values.min(axis=0),
                    values.max(axis=0),
                    np.zeros(p) if lane_map is None else ROUNDING * (np.abs(base).max(axis=0) @ abs(lane_map)),
                ),
            ]
        )
    return total


def _lane_moments(design: Design, partition: Partition, lane: int, lane_map: sparse.csc_array | None) -> _Moments:
    """Moments of all training rows of a lane whose columns are its own."""
    blocks = partition.block_rows()
    return _add([_moments(design, blocks[b], partition, lane_map) for b in np.flatnonzero(partition.train[lane])])


def _add(parts: list[_Moments]) -> _Moments:
    """Add moments in order."""
    return _Moments(
        sum(part.weight for part in parts),
        np.sum([part.first for part in parts], axis=0),
        np.sum([part.second for part in parts], axis=0),
        np.min([part.least for part in parts], axis=0),
        np.max([part.most for part in parts], axis=0),
        np.max([part.noise for part in parts], axis=0),
    )


def _variance(
    design: Design,
    partition: Partition,
    lane: int,
    lane_map: sparse.csc_array | None,
    columns: Integers,
    mean: Array,
) -> Array:
    """Variance of some columns of a lane about their own mean, from the data."""
    weights = partition.train[lane][partition.block] * partition.row_weights
    rows = np.flatnonzero(weights > 0)
    total, square, first = 0.0, np.zeros(columns.size), np.zeros(columns.size)
    step = max(1, STATISTICS_CELLS // design.shape[1])
    for start in range(0, rows.size, step):
        part = rows[start : start + step]
        values = _mapped(design.rows(part), lane_map)[:, columns] - mean
        total += float(weights[part].sum())
        first += weights[part] @ values
        square += weights[part] @ np.square(values)
    return square / total - np.square(first / total)
