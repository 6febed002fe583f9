"""Rows that are equal, columns that are equal, and columns that are multiples of each other, or nearly so."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from regcli.data.distinct import count_distinct, hashed, numbered
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
    "equal_cells",
    "near_collinear",
    "scaled",
    "standardized",
]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Who is told how much is done, of how much.
Tell = Callable[[int, int], None]

#: The sizes of a column's correlations (k,) with all columns of its component, in a sample, both by their places there.
_Sizes = Callable[[int], Array]

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

#: Rows by which multiples are told from other columns, before all are compared, and digits that agree there.
_HEAD, _DIGITS = 64, 6

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
    """Columns that nearly are multiples of the first: their correlations with it are at least this large.

    ``exact`` where they are multiples, to the last digits that are written.
    """

    columns: tuple[str, ...]
    correlation: float
    exact: bool = False


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
    """Groups of columns that say the same in every row: equal numbers, or levels that go together under any names.

    Levels that differ in every row go together with any others that do: they are the same where the cells are.
    """
    seen: dict[tuple[str, bytes], list[str]] = {}
    for name in names:
        column = table.columns[name]
        if isinstance(column, Numbers | Levels):
            seen.setdefault(_digest(column), []).append(name)
    return tuple(tuple(group) for group in seen.values() if len(group) > 1)


def _digest(column: Numbers | Levels) -> tuple[str, bytes]:
    """What columns that say the same have in common, and others have not."""
    if isinstance(column, Numbers):
        if column.places is not None:
            return "number", _hash(column.places, column.cells)
        return "number", _hash(_cells(column))
    codes = numbered(_cells(column))
    filled = column.codes[column.codes >= 0]
    if count_distinct(filled.astype(np.intp)) < filled.size:
        return "levels", _hash(codes)
    return "spelt", _hash(codes, np.array([column.levels[code] for code in filled.tolist()], dtype=object))


def _hash(*parts: NDArray[Any]) -> bytes:
    """A hash of numbers, or of texts with their lengths."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if part.dtype == object:
            for text in part:
                spelt = text.encode("utf-8", "surrogatepass")
                digest.update(len(spelt).to_bytes(8, "little") + spelt)
        else:
            digest.update(np.ascontiguousarray(part).data)
    return digest.digest()


def equal_cells(table: Table, names: Sequence[str]) -> bool:
    """Whether columns that say the same say it in the same words: numbers do, and levels that are spelt alike."""
    first, *others = (table.columns[name] for name in names)
    if not isinstance(first, Levels):
        return True
    return all(isinstance(other, Levels) and _spelt_alike(first, other) for other in others)


def _spelt_alike(one: Levels, other: Levels) -> bool:
    """Whether the levels of two columns that go together have the same names."""
    pairs = np.unique(np.column_stack([one.codes, other.codes]), axis=0)
    return all(i < 0 or one.levels[i] == other.levels[j] for i, j in pairs.tolist())


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
    """Columns whose correlations are at least ``NEARLY``, and the number of rows they were looked for in.

    Every group is a column and those that correlate with it, so that they may go and it stays; a column is in one such
    group, and of the columns that stay no two correlate so. Multiples are groups of their own, of which the first takes
    part in the others.

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
    rows, 200 pairs at most.

    Columns without their zeros of which the sample would hold fewer than 40 cells are compared with each other instead,
    by the cells that they have, on all rows as long as these are a billion products; with fewer than ten cells they are
    not compared.
    """
    if table.rows < _LEAST_COMMON:
        return (), 0
    thin = _thin(table, names)
    groups, rows = _near_groups(table, [name for name in names if name not in thin], tell)
    among = [name for name, column in thin.items() if column.cells.size >= _LEAST_COMMON]
    if len(among) > 1:
        more, some = _thin_groups(table, [thin[name] for name in among], among, tell)
        groups, rows = [*groups, *more], min(rows or some, some)
    place = {name: at for at, name in enumerate(names)}
    ordered = sorted(groups, key=lambda group: (min(place[name] for name in group.columns), not group.exact))
    return tuple(ordered), rows


def _near_groups(table: Table, names: Sequence[str], tell: Tell | None) -> tuple[list[Collinear], int]:
    """Columns whose correlations are large, and the rows that were looked at."""
    rows = _sample(table.rows, max(len(names), 1))
    found = {name: sampled for name in names if (sampled := _sampled(table.columns[name], rows)) is not None}
    if len(found) < 2:
        return [], 0
    names, X = list(found), np.column_stack(list(found.values()))
    measure = _Measure(table, whole=rows.size == table.rows)
    out = []
    for members, degrees in _components(_near_pairs(X), len(names), tell):
        sizes = partial(_sizes_of, *_filled(X[:, members]))
        out += _told_apart(measure, [names[at] for at in members], degrees, sizes)
    return out, int(rows.size)


def _filled(X: Array) -> tuple[Array, Array | None]:
    """Standardized columns with zeros in place of missing cells, and where there are cells, None for everywhere."""
    known = ~np.isnan(X)
    return np.where(known, X, 0.0), None if known.all() else known.astype(np.float64)


def _sizes_of(Z: Array, M: Array | None, at: int) -> Array:
    """Correlations of one of these columns with all."""
    one = slice(at, at + 1)
    return _pairwise(Z[:, one], Z, None if M is None else (M[:, one], M))[0]


def _thin(table: Table, names: Sequence[str]) -> dict[str, Numbers]:
    """Columns of which a sample of rows would hold too few cells that are not zero."""
    share = _sample(table.rows, max(len(names), 1)).size / table.rows
    if share == 1.0:
        return {}
    columns = {name: column for name in names if isinstance(column := table.columns[name], Numbers) and is_thin(column)}
    return {name: column for name, column in columns.items() if column.cells.size * share < _LEAST_CELLS}


def _thin_groups(
    table: Table, columns: Sequence[Numbers], names: Sequence[str], tell: Tell | None
) -> tuple[list[Collinear], int]:
    """The same of thin columns."""
    share = _MOST_PRODUCTS / max(count_products(columns), 1.0)
    rows = np.arange(table.rows) if share >= 1.0 else _drawn(table.rows, max(int(table.rows * share), _LEAST_ROWS))
    measure = _Measure(table, whole=rows.size == table.rows)
    out = []
    for members, degrees in _components(thin_pairs(columns, rows, _CANDIDATE), len(names), tell):
        pairs = np.concatenate([*thin_pairs([columns[at] for at in members], rows, _CANDIDATE)])
        i, j = pairs[:, :2].T.astype(np.intp)
        upper = scipy.sparse.csr_array((pairs[:, 2], (i, j)), shape=(len(members), len(members)))
        both = scipy.sparse.csr_array(upper + upper.T)
        out += _told_apart(measure, [names[at] for at in members], degrees, partial(_row_of, both))
    return out, int(rows.size)


def _row_of(sizes: Any, at: int) -> Array:  # noqa: ANN401  (scipy's types are not known)
    """A row of a sparse matrix, with its zeros."""
    return np.asarray(sizes[[at]].toarray()[0], dtype=np.float64)


class _Measure:
    """Correlations of pairs on all rows, as many as there may be; ``whole`` where the sample is all of them."""

    def __init__(self, table: Table, *, whole: bool) -> None:
        self.table = table
        self._left = 0 if whole else _MOST_MEASURED

    def __call__(self, one: str, other: str, sampled: float) -> float:
        """The size of a correlation that is ``sampled`` in some rows; 0 where all of them have none."""
        if not self._left:
            return sampled
        self._left -= 1
        exact = _measured(self.table.columns[one], self.table.columns[other])
        return 0.0 if exact is None else abs(exact)


def _told_apart(measure: _Measure, names: Sequence[str], degrees: Array, sizes: _Sizes) -> list[Collinear]:
    """The groups of columns that large correlations join: multiples, and columns with those that correlate with them.

    ``degrees`` (k,) counts the large correlations of each column: those with many are taken first.
    """
    multiples = _multiples(measure.table, names)
    left = np.array([all(name not in group[1:] for group in multiples) for name in names])
    out = [Collinear(tuple(group), 1.0, exact=True) for group in multiples]
    for at in np.lexsort((np.arange(len(names)), -degrees)).tolist():
        if not left[at] or not degrees[at]:
            continue
        left[at] = False
        sampled = sizes(at)
        near = {}
        for other in np.flatnonzero(left & (sampled >= _CANDIDATE)).tolist():
            size = measure(names[at], names[other], float(sampled[other]))
            if size >= NEARLY:
                near[other] = size
        if near:
            left[[*near]] = False
            out.append(Collinear((names[at], *(names[other] for other in near)), min(near.values())))
    return out


def _multiples(table: Table, names: Sequence[str]) -> list[list[str]]:
    """Groups of columns each of which is a number times the first one plus a number, in the same rows.

    Some rows are brought to one scale and compared; what agrees there is compared on all rows.
    """
    seen: dict[bytes, list[list[str]]] = {}
    for name in names:
        values = as_numbers(table.columns[name])
        if values is None:
            continue
        groups = seen.setdefault(_head(values), [])
        for group in groups:
            first = as_numbers(table.columns[group[0]])
            if first is not None and are_multiples(first, values):
                group.append(name)
                break
        else:
            groups.append([name])
    return [group for groups in seen.values() for group in groups if len(group) > 1]


def _head(values: Array) -> bytes:
    """What a column has in common with its multiples: its first cell and the first that are not like it, scaled."""
    known = np.flatnonzero(~np.isnan(values))
    rows = np.concatenate([known[:1], known[values[known] != values[known[:1]]][:_HEAD]])
    return rows.tobytes() + (np.round(scaled(values[rows, None]), _DIGITS) + 0.0).tobytes()  # one zero


def scaled(columns: Array) -> Array:
    """Columns (n, p) from their first cell, in units of the way to the cell farthest from it.

    All multiples of a column are the same then; one that is constant is NaN. Of cells that are as far but for rounding,
    which is not the same in multiples, the first counts.
    """
    away = columns - columns[:1]
    far = np.abs(away)
    farthest = np.take_along_axis(away, (far >= far.max(axis=0) * (1.0 - _APART)).argmax(axis=0)[None], axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray(away / farthest)


def are_multiples(one: Array, other: Array) -> bool:
    """Whether one column is a number times the other plus a number, over the rows (n,) that have both."""
    known = ~(np.isnan(one) | np.isnan(other))
    if not known.any():
        return False
    return bool(np.abs(scaled(one[known, None]) - scaled(other[known, None])).max() <= _APART)


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
    Z, M = _filled(X)
    p = X.shape[1]
    for start in range(0, p, BLOCK):
        block = slice(start, min(start + BLOCK, p))
        sizes = _pairwise(Z[:, block], Z[:, start:], None if M is None else (M[:, block], M[:, start:]))
        i, j = np.nonzero(np.triu(sizes, 1) >= _CANDIDATE)
        yield np.column_stack([i + start, j + start, sizes[i, j]])


def _components(blocks: Iterable[Array], p: int, tell: Tell | None) -> Iterator[tuple[list[int], Array]]:
    """Columns (of p) that large correlations join, in order; and how many each of them has.

    There may be many pairs (k, 3) of a component: of those of each ``BLOCK`` columns and those found before them a tree
    is kept.
    """
    from scipy.sparse.csgraph import connected_components, minimum_spanning_tree  # noqa: PLC0415  (0.1 s)

    degrees = np.zeros(p)
    tree = scipy.sparse.coo_array((p, p))
    for done, new in enumerate(blocks, start=1):
        i, j = new[:, :2].T.astype(np.intp)
        degrees += np.bincount(np.concatenate([i, j]), minlength=p)
        (a, b), ones = tree.coords, np.ones(tree.data.size + len(new))
        edges = scipy.sparse.coo_array((ones, (np.concatenate([a, i]), np.concatenate([b, j]))), shape=(p, p))
        tree = minimum_spanning_tree(edges).tocoo()
        if tell is not None:
            tell(min(done * BLOCK, p), p)
    labels = connected_components(tree, directed=False)[1]
    order = np.argsort(labels, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        if members.size > 1:
            yield members.tolist(), degrees[members]


def _pairwise(A: Array, B: Array, there: tuple[Array, Array] | None) -> Array:
    """Correlations of some columns with others, whose missing cells are zeros; ``there`` marks cells of both."""
    if there is None:
        return np.minimum(np.abs(A.T @ B / len(A)), 1.0)
    a, b = there
    count, sum_a, sum_b = a.T @ b, A.T @ b, a.T @ B
    spread_a, spread_b = count * ((A * A).T @ b) - sum_a**2, count * (a.T @ (B * B)) - sum_b**2
    spread = np.sqrt(np.maximum(spread_a, 0.0) * np.maximum(spread_b, 0.0))
    enough = (count >= _LEAST_COMMON) & (spread > 1e-9 * count**2)
    out = np.divide(count * (A.T @ B) - sum_a * sum_b, spread, out=np.zeros_like(spread), where=enough)
    return np.minimum(np.abs(out), 1.0)
