"""Rows that are equal, columns that are equal, and columns that nearly are multiples of each other."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from regcli.data.distinct import hashed, numbered
from regcli.data.table import Column, Levels, Numbers, Table
from regcli.data.thin import BLOCK, count_products, is_thin, thin_pairs

__all__ = [
    "NEARLY",
    "SEED",
    "Collinear",
    "are_multiples",
    "as_numbers",
    "correlation",
    "duplicate_columns",
    "duplicate_rows",
    "near_collinear",
    "scaled",
    "standardized",
]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Who is told how much is done, of how much.
Tell = Callable[[int, int], None]

#: Two columns and the size of their correlation.
_Link = tuple[str, str, float]

#: Correlations at least this large make columns near-collinear: a variance inflation of 50 and more.
NEARLY = 0.99

#: Candidates are taken from the sample a little below that, and then measured on all rows.
_CANDIDATE = 0.985

#: Cells of the sample: 5,000 columns get 2,000 rows, whose correlations take some seconds.
_SAMPLE_CELLS = 10_000_000

#: Rows of the sample at the least (fewer tell little) and at the most (more tell nothing new).
_LEAST_ROWS, _MOST_ROWS = 1_000, 100_000

#: Pairs that are measured on all rows; further ones are taken as the sample has them.
_MOST_MEASURED = 200

#: Rows two columns must have in common to be compared.
_LEAST_COMMON = 10

#: Cells that are not zero, in the sample, that tell columns from each other: of fewer, chance makes some equal.
_LEAST_CELLS = 40

#: Products of cells of thin columns: some ten seconds.
_MOST_PRODUCTS = 1e9

SEED = 0

#: Odd, so that multiplying by it loses nothing: 2^64 over the golden ratio, which spreads bits well.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


#: How far cells of multiples may be apart, in units of a column's range: what ten written digits leave.
_APART = 1e-9


@dataclass(frozen=True, slots=True)
class Collinear:
    """Columns that nearly are multiples of each other: any two are joined by correlations of at least this size."""

    columns: tuple[str, ...]
    correlation: float


# -- equal rows and columns ------------------------------------------------------------------------------------------


def duplicate_rows(table: Table, names: Sequence[str]) -> tuple[int, tuple[int, int] | None]:
    """Count rows that equal an earlier one in the columns ``names``; the first such row, and the one it repeats.

    Rows are compared by 64-bit hashes, and those with equal hashes cell by cell. Memory: three integers a row.
    """
    columns = [table.columns[name] for name in names if isinstance(table.columns[name], Numbers | Levels)]
    if not columns or table.rows < 2:
        return 0, None
    hashes = np.zeros(table.rows, dtype=np.uint64)
    for column in columns:
        hashes = hashes * _SPREAD + hashed(_cells(column))
    order = np.argsort(hashes, kind="stable")
    same = hashes[order[1:]] == hashes[order[:-1]]
    earlier, later = order[:-1][same], order[1:][same]
    if not later.size:
        return 0, None
    equal = np.ones(later.size, dtype=bool)
    for column in columns:
        cells = _cells(column)
        equal &= cells[earlier] == cells[later]
    if not equal.any():
        return 0, None
    at = int(np.argmin(np.where(equal, later, table.rows)))
    return int(equal.sum()), (int(later[at]), int(earlier[at]))


def _cells(column: Column) -> NDArray[np.int64]:
    """Cells as integers that are equal where the cells are, missing ones too."""
    if isinstance(column, Numbers):
        values = column.values + 0.0  # one zero
        values[np.isnan(values)] = np.nan  # one NaN
        return values.view(np.int64)
    assert isinstance(column, Levels)  # noqa: S101  (callers pass nothing else)
    return column.codes.astype(np.int64)


def duplicate_columns(table: Table, names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Groups of columns that say the same in every row: equal numbers, or levels that go together under any names."""
    seen: dict[tuple[bool, bytes], list[str]] = {}
    for name in names:
        column = table.columns[name]
        if not isinstance(column, Numbers | Levels):
            continue
        number = isinstance(column, Numbers)
        if isinstance(column, Numbers) and column.places is not None:
            digest = hashlib.blake2b(column.places.tobytes() + column.cells.tobytes(), digest_size=16).digest()
        else:
            cells = _cells(column) if number else numbered(_cells(column))
            digest = hashlib.blake2b(np.ascontiguousarray(cells).data, digest_size=16).digest()
        seen.setdefault((number, digest), []).append(name)
    return tuple(tuple(group) for group in seen.values() if len(group) > 1)


# -- correlation -----------------------------------------------------------------------------------------------------


def as_numbers(column: Column) -> Array | None:
    """A column as numbers (n,), NaN where a cell is missing or infinite; two levels are 0 and 1, other text is None."""
    if isinstance(column, Numbers):
        return np.where(np.isfinite(column.values), column.values, np.nan)
    if not isinstance(column, Levels):
        return None
    present = np.unique(column.codes[column.codes >= 0])
    if present.size != 2:
        return None
    return np.where(column.codes < 0, np.nan, (column.codes == present[1]).astype(np.float64))


def correlation(x: Array, y: Array) -> float | None:
    """Pearson's correlation over the rows that have both; None where there are few such rows, or one is constant."""
    gone = np.isnan(x) | np.isnan(y)
    if gone.any():
        x, y = x[~gone], y[~gone]
    if x.size < _LEAST_COMMON:
        return None
    x, y = standardized(x), standardized(y)
    return None if not x.any() or not y.any() else float(np.clip(x @ y / x.size, -1.0, 1.0))


def standardized(values: Array) -> Array:
    """Values less their mean, divided by their standard deviation; zeros where there is none."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        size = np.abs(values).max(initial=0.0)
        scaled = values / size if size > 0 else values  # squares neither overflow nor vanish
        centred = scaled - scaled.mean()
        sd = np.sqrt(np.mean(centred * centred))
        # Below that, what is left after the mean is gone is rounding.
        return centred / sd if sd > 1e-14 else np.zeros_like(values)


def near_collinear(table: Table, names: Sequence[str], tell: Tell | None = None) -> tuple[tuple[Collinear, ...], int]:
    """Groups of columns joined by correlations of at least ``NEARLY``, and the number of rows they were looked for in.

    Parameters
    ----------
    table : Table
        The data.
    names : sequence of str
        Columns to compare. Numbers and columns of two levels take part; two of them are compared over the rows that
        have both.
    tell : function, optional
        Told how many columns have been compared with all later ones, and of how many.

    Notes
    -----
    p columns of n rows are compared on m rows drawn with a fixed seed, m p at most ten million: p^2 m multiplications,
    five times that where cells are missing, and some (256, p) matrices. What the sample joins is measured again on all
    rows, pairs that together join each group, 200 at most.

    Columns without their zeros of which the sample would hold fewer than 40 cells are compared with each other instead,
    by the cells that they have, on all rows as long as these are a billion products; with fewer than ten cells they are
    not compared.
    """
    if table.rows < _LEAST_COMMON:
        return (), 0
    thin = _thin(table, names)
    rest = [name for name in names if name not in thin]
    links, rows = _near_links(table, rest, tell)
    among = [name for name, column in thin.items() if column.cells.size >= _LEAST_COMMON]
    if len(among) > 1:
        more, some = _thin_links(table, [thin[name] for name in among], among, tell)
        links, rows = [*links, *more], min(rows or some, some)
    return _groups(names, links), rows


def _near_links(table: Table, names: Sequence[str], tell: Tell | None) -> tuple[list[_Link], int]:
    """Pairs of columns whose correlations are large, and the rows that were looked at."""
    rows = _sample(table.rows, max(len(names), 1))
    found = {name: sampled for name in names if (sampled := _sampled(table.columns[name], rows)) is not None}
    if len(found) < 2:
        return [], 0
    names, X = list(found), np.column_stack(list(found.values()))
    links = []
    for number, (i, j, size) in enumerate(_forest(_near_pairs(X), len(names), tell)):
        exact: float | None = size
        if rows.size < table.rows and number < _MOST_MEASURED:
            exact = _measured(table.columns[names[i]], table.columns[names[j]])
        if exact is not None and abs(exact) >= NEARLY:
            links.append((names[i], names[j], abs(exact)))
    return links, int(rows.size)


def _thin(table: Table, names: Sequence[str]) -> dict[str, Numbers]:
    """Columns of which a sample of rows would hold too few cells that are not zero."""
    share = _sample(table.rows, max(len(names), 1)).size / table.rows
    if share == 1.0:
        return {}
    columns = {name: column for name in names if isinstance(column := table.columns[name], Numbers) and is_thin(column)}
    return {name: column for name, column in columns.items() if column.cells.size * share < _LEAST_CELLS}


def _thin_links(
    table: Table, columns: Sequence[Numbers], names: Sequence[str], tell: Tell | None
) -> tuple[list[_Link], int]:
    """The same of thin columns. What some rows join is measured again on all."""
    share = _MOST_PRODUCTS / max(count_products(columns), 1.0)
    rows = np.arange(table.rows) if share >= 1.0 else _drawn(table.rows, max(int(table.rows * share), _LEAST_ROWS))
    links = []
    for i, j, size in _forest(thin_pairs(columns, rows, _CANDIDATE), len(names), tell):
        exact = size if rows.size == table.rows else _measured(columns[i], columns[j])
        if exact is not None and abs(exact) >= NEARLY:
            links.append((names[i], names[j], abs(exact)))
    return links, int(rows.size)


def scaled(columns: Array) -> Array:
    """Columns (n, p) from their first cell, in units of the way to the cell farthest from it.

    All multiples of a column are the same then; one that is constant is NaN.
    """
    away = columns - columns[:1]
    farthest = np.take_along_axis(away, np.abs(away).argmax(axis=0)[None], axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray(away / farthest)


def are_multiples(one: Array, other: Array) -> bool:
    """Whether one column is a number times the other plus a number, over the rows (n,) that have both."""
    known = ~(np.isnan(one) | np.isnan(other))
    if not known.any():
        return False
    return bool(np.abs(scaled(one[known, None]) - scaled(other[known, None])).max() <= _APART)


def _groups(names: Sequence[str], linked: Sequence[_Link]) -> tuple[Collinear, ...]:
    """Names that are linked, in order, with the weakest link of each group."""
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415  (0.1 s that a fit need not pay)

    place = {name: at for at, name in enumerate(names)}
    links = [(place[one], place[other], size) for one, other, size in linked]
    left, right = [i for i, _, _ in links], [j for _, j, _ in links]
    graph = scipy.sparse.coo_array((np.ones(len(links)), (left, right)), shape=(len(names), len(names)))
    labels = connected_components(graph, directed=False)[1].tolist()
    weakest: dict[int, float] = {}
    for i, _, size in links:
        weakest[labels[i]] = min(size, weakest.get(labels[i], 1.0))
    members: dict[int, list[str]] = {label: [] for label in dict.fromkeys(labels) if label in weakest}
    for name, label in zip(names, labels, strict=True):
        if label in members:
            members[label].append(name)
    return tuple(Collinear(tuple(group), weakest[label]) for label, group in members.items())


def _sample(n: int, p: int) -> Rows:
    """Rows that are looked at, in order: all, or as many as the cells allow."""
    count = min(max(_SAMPLE_CELLS // p, _LEAST_ROWS), _MOST_ROWS)
    return np.arange(n) if n <= count else _drawn(n, count)


def _drawn(n: int, count: int) -> Rows:
    """So many of n rows, in order."""
    drawn = np.argsort(np.random.PCG64(SEED).random_raw(n), kind="stable")[:count]
    return np.sort(drawn)


def _sampled(column: Column, rows: Rows) -> Array | None:
    """A column's sampled rows, standardized, NaN where a cell is missing; None where they do not vary."""
    values = as_numbers(column)
    if values is None:
        return None
    out = values[rows]
    known = ~np.isnan(out)
    out[known] = standardized(out[known])
    return out if out[known].any() else None


def _measured(one: Column, other: Column) -> float | None:
    """The correlation over all rows."""
    x, y = as_numbers(one), as_numbers(other)
    return None if x is None or y is None else correlation(x, y)


def _near_pairs(X: Array) -> Iterator[Array]:
    """Pairs (k, 3) of columns of X (m, p) with a large correlation, and its size, block by block."""
    known = ~np.isnan(X)
    Z = np.where(known, X, 0.0)
    M = None if known.all() else known.astype(np.float64)
    p = X.shape[1]
    for start in range(0, p, BLOCK):
        sizes = _pairwise(Z, M, slice(start, min(start + BLOCK, p)))
        i, j = np.nonzero(np.triu(sizes, 1) >= _CANDIDATE)
        yield np.column_stack([i + start, j + start, sizes[i, j]])


def _forest(blocks: Iterable[Array], p: int, tell: Tell | None) -> list[tuple[int, int, float]]:
    """The pairs (i, j) of p columns that join what large correlations join, the largest ones that do.

    There are less than p, however many pairs are nearly collinear: of the pairs (k, 3) of each ``BLOCK`` columns and
    those found before them, a tree of each group is kept. The strongest come first.
    """
    from scipy.sparse.csgraph import minimum_spanning_tree  # noqa: PLC0415  (see above)

    kept = np.zeros((0, 3))
    for done, new in enumerate(blocks, start=1):
        edges = np.concatenate([kept, new])
        places = (edges[:, 0].astype(np.intp), edges[:, 1].astype(np.intp))
        # An edge of weight zero would be none.
        tree = minimum_spanning_tree(scipy.sparse.coo_array((2.0 - edges[:, 2], places), shape=(p, p))).tocoo()
        kept = np.column_stack([*tree.coords, 2.0 - tree.data])
        if tell is not None:
            tell(min(done * BLOCK, p), p)
    strongest = kept[np.lexsort((kept[:, 1], kept[:, 0], -kept[:, 2]))]
    return [(int(i), int(j), float(size)) for i, j, size in strongest.tolist()]


def _pairwise(Z: Array, M: Array | None, block: slice) -> Array:
    """Correlations of a block of columns with themselves and all later ones; M marks cells that are there."""
    A, B = Z[:, block], Z[:, block.start :]
    if M is None:
        return np.minimum(np.abs(A.T @ B / len(Z)), 1.0)
    a, b = M[:, block], M[:, block.start :]
    count, sum_a, sum_b = a.T @ b, A.T @ b, a.T @ B
    spread_a, spread_b = count * ((A * A).T @ b) - sum_a**2, count * (a.T @ (B * B)) - sum_b**2
    spread = np.sqrt(np.maximum(spread_a, 0.0) * np.maximum(spread_b, 0.0))
    enough = (count >= _LEAST_COMMON) & (spread > 1e-9 * count**2)
    out = np.divide(count * (A.T @ B) - sum_a * sum_b, spread, out=np.zeros_like(spread), where=enough)
    return np.minimum(np.abs(out), 1.0)
