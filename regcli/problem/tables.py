"""Second moments of a gaussian problem by block of rows: the data are read once for all that is made of them."""

from dataclasses import dataclass

import numpy as np

from regcli.problem.lanes import Partition
from regcli.problem.protocols import Array, Design, ParallelMap
from regcli.problem.spans import even_spans

__all__ = ["Tables", "Target", "centre_target", "tables_ahead", "tables_fit", "take_tables"]

#: Second moments of all blocks and lanes may take this many bytes, or half of the matrix where that is more.
STATISTICS = 256 * 2**20

#: Cells of a task while sums are collected, and the most tasks: each has sums of its own.
SPAN_CELLS, MOST_SPANS = 4_000_000, 4


def tables_fit(design: Design, partition: Partition) -> bool:
    """Whether the second moments of all blocks and lanes can be in memory together."""
    n, m = design.shape
    return 8 * (m + 2) ** 2 * (partition.n_blocks + 2 * partition.n_lanes) <= max(STATISTICS, 4 * n * m)


@dataclass(frozen=True, slots=True)
class Target:
    """What a gaussian problem explains: ``values`` (n,), which are y - offset - ``middle``."""

    y: Array
    offset: Array
    values: Array
    middle: float


def centre_target(partition: Partition, y: Array, offset: Array, *, intercept: bool) -> Target:
    """A target (n,) about the first lane's mean where there is an intercept, else as it is."""
    values, middle = y - offset, 0.0
    if intercept:
        weights = partition.lane_weights(0)
        middle = float(weights @ values) / float(weights.sum())
    return Target(y, offset, values - middle, middle)


@dataclass(frozen=True, slots=True)
class Tables:
    """Second moments of [1, x, t] over the rows of every block, (m + 2, m + 2) each: x are base columns, t the target.

    They are those of one design, one partition of its rows and one target.
    """

    design: Design
    partition: Partition
    target: Target
    blocks: list[Array]

    def of(self, design: Design, partition: Partition, y: Array, offset: Array) -> bool:
        """Whether these are what they are made of."""
        same = self.design is design and self.partition is partition
        return same and self.target.y is y and self.target.offset is offset

    def moments(self) -> tuple[Array, Array]:
        """Sums of the columns and of their squares, (B, m) each."""
        return np.stack([block[0, 1:-1] for block in self.blocks]), np.stack(
            [block.diagonal()[1:-1] for block in self.blocks]
        )

    def residuals(self, shares: Array, intercepts: Array) -> tuple[Array, Array, Array]:
        """Of r = y - offset - intercept over a lane's rows: sums (L,), of squares (L,), of products with x (L, m).

        ``shares`` (L, B) are what the weights of a block's rows are multiplied by in each lane.
        """
        edges = np.stack([block[-1] for block in self.blocks])  # sums of t, of t x, of t t
        level = (intercepts - self.target.middle)[:, None]
        count = shares @ np.stack([block[0, 0] for block in self.blocks])
        first, sums = shares @ self.moments()[0], shares @ edges
        own, products, squares = sums[:, 0], sums[:, 1:-1], sums[:, -1]
        squares = squares - level[:, 0] * (2.0 * own - level[:, 0] * count)
        return own - level[:, 0] * count, np.maximum(squares, 0.0), products - level * first


def tables_ahead(
    design: Design, partition: Partition, target: tuple[Array, Array], parallel_map: ParallelMap, *, intercept: bool
) -> Tables | None:
    """The tables of a target and an offset (n,) where they fit into memory, before there are lanes."""
    if not tables_fit(design, partition):
        return None
    return take_tables(design, partition, centre_target(partition, *target, intercept=intercept), parallel_map)


def take_tables(design: Design, partition: Partition, target: Target, parallel_map: ParallelMap) -> Tables:
    """Take the second moments of a target and of all columns, in one pass over the rows. Costs O(n m^2)."""

    def over(rows: slice) -> Array:
        weights, labels = partition.row_weights[rows], partition.block[rows]
        return design.part(rows).block_tables(weights, labels, partition.n_blocks, target.values[rows])

    n, m = design.shape
    first, *rest = parallel_map(over, even_spans(n, min(max(n * m // SPAN_CELLS, 1), MOST_SPANS)))
    for part in rest:
        first += part
    return Tables(design, partition, target, [*first])
