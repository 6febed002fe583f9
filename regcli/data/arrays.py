"""Matrices in files: npz (dense or sparse, never pickled) and Matrix Market. Sizes are checked before they are used."""

import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn, Self

import numpy as np
import scipy
from numpy.typing import NDArray

from regcli.data.arrow import row_locator
from regcli.data.columns import (
    absent_values,
    as_boolean,
    levels_without,
    numbers_without,
    rounded_values,
    spelt_levels,
)
from regcli.data.dialect import Dialect, Format
from regcli.data.market import read_market
from regcli.data.plan import NOT_READ, ChunkPlan, declared_numbers
from regcli.data.source import Source, sha256_of
from regcli.data.sparse import LARGEST, TARGET, check_size, numbered, sparse_columns, spelt, spelt_cells
from regcli.data.table import Column, Levels, Numbers, SourceFile, Table
from regcli.data.text import check_names, empty_file, no_rows, nul_byte
from regcli.errors import DataError, Location, RegcliError, ResourceError

__all__ = ["array_chunks", "array_names", "read_array"]

#: Arrays that ``scipy.sparse.save_npz`` writes for each of its formats.
_SPARSE = {
    "csr": ("data", "indices", "indptr"),
    "csc": ("data", "indices", "indptr"),
    "bsr": ("data", "indices", "indptr"),
    "coo": ("data", "row", "col"),
    "dia": ("data", "offsets"),
}


#: Arrays that may stand beside a matrix: what to predict, and names of the columns.
BESIDE = ("y", "names")


@dataclass(frozen=True)
class _Matrix:
    """Columns of a file by their names: those of a sparse matrix, and others (n,) of numbers, booleans or text."""

    rows: int
    columns: Mapping[str, NDArray[Any]]
    sparse: "scipy.sparse.csr_array | None" = None
    sparse_names: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.sparse_names, *self.columns)

    def chosen(self, wanted: Callable[[str], bool]) -> Self:
        """The same without sparse columns that are not wanted, ready to be cut into rows."""
        if self.sparse is None:
            return self
        kept = [at for at, name in enumerate(self.sparse_names) if wanted(name)]
        names = tuple(self.sparse_names[at] for at in kept)
        return replace(self, sparse=self.sparse[:, kept], sparse_names=names)

    def cut(self, rows: slice) -> Self:
        """Some consecutive rows."""
        return replace(
            self,
            rows=len(range(self.rows)[rows]),
            columns={name: cells[rows] for name, cells in self.columns.items()},
            sparse=None if self.sparse is None else self.sparse[rows],
        )


def read_array(source: Source, dialect: Dialect, fmt: Format, is_text: Callable[[str], bool]) -> Table:
    """Read a file whole. Columns without names are called by their numbers, from 1; ``y`` of an npz file ``target``.

    Raises
    ------
    DataError
        ``file-unreadable``, ``broken-line`` with the line of a Matrix Market file, ``empty-file``.
    ResourceError
        ``table-too-large``.
    """
    before, digest = source.state(), sha256_of(source)
    matrix = _load(source, fmt, dialect)
    source.check_state(before)
    columns: dict[str, Column] = {}
    if matrix.sparse is not None:
        columns |= sparse_columns(matrix.sparse, matrix.sparse_names, is_text, _absent(dialect, matrix.sparse.dtype))
    _refuse_nul(matrix, source.name)
    columns |= {name: _column(cells, dialect, as_text=is_text(name)) for name, cells in matrix.columns.items()}
    file = SourceFile(source.name, digest, matrix.rows)
    return Table((file,), "npz" if fmt == "npz" else "mtx", columns, matrix.rows, row_locator(source.name))


def array_names(source: Source, dialect: Dialect, fmt: Format) -> tuple[str, ...]:
    """The names of the columns."""
    return _load(source, fmt, dialect).names


def array_chunks(source: Source, dialect: Dialect, fmt: Format, plan: ChunkPlan) -> Iterator[Table]:
    """Cut what is read whole into chunks of at most ``plan.rows`` rows."""
    whole = _load(source, fmt, dialect)
    if plan.keep_raw is True:
        check_size(source.name, min(whole.rows, plan.rows), len(whole.names))
    matrix = whole.chosen(lambda name: not plan.passes_over(name) or plan.keeps(name))
    _refuse_nul(matrix, source.name)
    for start in range(0, whole.rows, plan.rows):
        table = _chunk(matrix.cut(slice(start, start + plan.rows)), start, source.name, dialect, plan, fmt)
        yield replace(table, columns={name: table.columns.get(name, NOT_READ) for name in whole.names})


def _chunk(matrix: _Matrix, start: int, file: str, dialect: Dialect, plan: ChunkPlan, fmt: Format) -> Table:
    locate, columns, doubtful = row_locator(file, start), dict[str, Column](), dict[str, Levels]()
    raw = {name: _spelt(cells) for name, cells in matrix.columns.items() if plan.keeps(name)}
    if matrix.sparse is not None:
        names, absent = matrix.sparse_names, _absent(dialect, matrix.sparse.dtype)
        columns |= sparse_columns(matrix.sparse, names, lambda name: name not in plan.numeric, absent)
        raw |= spelt_cells(matrix.sparse, names, plan.keeps)
    for name, cells in matrix.columns.items():
        if plan.passes_over(name):
            continue
        wanted = name in plan.numeric
        column = _column(cells, dialect, as_text=not wanted and cells.dtype.kind != "b")
        if wanted and isinstance(column, Levels):
            doubtful[name] = column
        columns[name] = column
    found, bad_cells = declared_numbers(doubtful, plan, locate, missing=dialect.na_values)
    return Table(
        files=(SourceFile(file, "", matrix.rows),),
        format="npz" if fmt == "npz" else "mtx",
        columns={name: column for name, column in {**columns, **found}.items() if not plan.passes_over(name)},
        rows=matrix.rows,
        locate=locate,
        bad_cells=bad_cells,
        raw=raw if plan.keep_raw else None,
    )


def _refuse_nul(matrix: _Matrix, file: str) -> None:
    for name, cells in matrix.columns.items():
        texts = cells.tolist() if cells.dtype.kind == "U" else []
        row = next((row for row, text in enumerate(texts) if "\0" in text), None)
        if row is not None:
            where = Location(file=file, row=row + 1, column=name)
            raise nul_byte(f"column {name!r} has a NUL byte in its text", where)


def _spelt(cells: NDArray[Any]) -> NDArray[np.object_]:
    return cells.astype(object) if cells.dtype.kind == "U" else spelt_text(cells)


def spelt_text(cells: NDArray[Any]) -> NDArray[np.object_]:
    """Booleans and numbers as Python writes them, whole numbers without a point."""
    if cells.dtype.kind in "iub":
        return np.array([*map(str, cells.tolist()), None], dtype=object)[:-1]
    return spelt(cells)


def _absent(dialect: Dialect, kind: np.dtype[Any]) -> frozenset[float]:
    """Numbers that mean missing in cells of some type."""
    return rounded_values(absent_values(dialect.na_values, dialect.decimal), kind)


def _column(cells: NDArray[Any], dialect: Dialect, *, as_text: bool) -> Column:
    kind = cells.dtype.kind
    if kind == "U":
        return spelt_levels(cells.astype(object), dialect.na_values)
    if kind == "b":
        levels = spelt_levels(spelt_text(cells))
        typed = Levels(levels.codes, levels.levels, typed=True)
        return typed if as_text else as_boolean(typed)
    absent = _absent(dialect, cells.dtype)
    if as_text:
        levels = levels_without(spelt_levels(spelt_text(cells), ("nan",)), absent)
        return Levels(levels.codes, levels.levels, typed=True)
    return Numbers(numbers_without(cells.astype(np.float64), absent))


def _load(source: Source, fmt: Format, dialect: Dialect) -> _Matrix:
    try:
        matrix = _npz(source) if fmt == "npz" else _market(source, dialect)
    except RegcliError:
        raise
    except (ValueError, OSError, EOFError, KeyError, TypeError, IndexError, OverflowError, zlib.error) as error:
        _refuse(source.name, str(error))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:  # unknown packings, passwords
        _refuse(source.name, str(error))
    if not matrix.names:
        raise empty_file(source.name)
    if not matrix.rows:
        raise no_rows(source.name, matrix.names)
    return matrix


def _refuse(name: str, said: str) -> NoReturn:
    raise DataError(
        "file-unreadable",
        f"{name} is not an npz file of a matrix: {said}",
        where=Location(file=name),
        hint="npz holds arrays X, y and names, or what scipy.sparse.save_npz writes",
    )


def _market(source: Source, dialect: Dialect) -> _Matrix:
    with source.open() as stream:
        matrix = read_market(stream, source.name, dialect)
    if matrix is None:
        raise empty_file(source.name)
    return _Matrix(matrix.shape[0], {}, matrix.tocsr(), numbered(matrix.shape[1]))


# --- npz ------------------------------------------------------------------------------------------------------------


def _npz(source: Source) -> _Matrix:
    with source.raw() as stream, zipfile.ZipFile(stream) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        if sum(sizes.values()) > LARGEST:
            raise ResourceError(
                "table-too-large",
                f"{source.name} unpacks to {sum(sizes.values()) / 1e9:.1f} GB of at most {LARGEST / 1e9:.1f}",
                where=Location(file=source.name),
                hint="take fewer rows, or write them as Parquet",
            )
        strange = [name for name in sizes if not name.endswith(".npy")]
        if strange:  # nothing that may have been a column is passed over
            raise ValueError(f"{strange[0]!r} in it is no array")
        arrays = {name.removesuffix(".npy"): _array(archive, name, size) for name, size in sizes.items()}
    if "format" in arrays:
        made, beside = _from_scipy(source.name, arrays), {name: arrays[name] for name in BESIDE if name in arrays}
        names = _names(beside, made.shape)
        return _Matrix(made.shape[0], _labels(beside, names, made.shape[0], source.name), made.tocsr(), names)
    if "X" not in arrays:
        raise ValueError(f"it has no array X, but {', '.join(map(repr, arrays)) or 'none at all'}")
    return _named(arrays, source.name)


def _array(archive: zipfile.ZipFile, name: str, size: int) -> NDArray[Any]:
    """One array, of the size that its header says; never a pickle."""
    with archive.open(name) as stream:
        version = np.lib.format.read_magic(stream)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in read:
            raise ValueError(f"array {name} is of another version")
        shape, _, dtype = read[version](stream)
    if dtype.hasobject:
        raise ValueError(f"array {name} holds Python objects")
    if any(length < 0 for length in shape) or int(np.prod([1, *shape], dtype=object)) * dtype.itemsize > size:
        raise ValueError(f"array {name} is shorter than its header says")
    with archive.open(name) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)


def _from_scipy(name: str, arrays: dict[str, NDArray[Any]]) -> Any:  # noqa: ANN401  (a sparse array of some format)
    from scipy import sparse  # noqa: PLC0415

    word = arrays["format"].item()
    form = word.decode("ascii") if isinstance(word, bytes) else str(word)
    if form not in _SPARSE:
        raise ValueError(f"the sparse format {form!r} is not known")
    _refuse_strange(arrays, {"format", "shape", "_is_array", *_SPARSE[form], *BESIDE})
    shape = tuple(int(length) for length in arrays["shape"].tolist())
    if len(shape) != 2 or min(shape) < 0:
        raise ValueError(f"the shape is {shape}")
    parts = tuple(arrays[part] for part in _SPARSE[form])
    if parts[0].dtype.kind not in "iufb":
        raise ValueError(f"the cells are of type {parts[0].dtype}")
    check_size(name, *shape, parts[0].size)
    make = getattr(sparse, f"{form}_array")
    made = make((parts[0], parts[1:]) if form == "coo" else parts, shape=shape)
    if form in {"csr", "csc", "bsr"}:
        made.check_format(full_check=True)
    return made


def _named(arrays: dict[str, NDArray[Any]], file: str) -> _Matrix:
    """Columns of the arrays X (n, p), y (n,) and names (p,)."""
    _refuse_strange(arrays, {"X", *BESIDE})
    X = arrays["X"]
    if X.dtype.kind not in "iufbU":
        raise ValueError(f"array X is of type {X.dtype}")
    if X.ndim != 2:
        raise ValueError(f"array X has {X.ndim} dimensions")
    check_size(file, *X.shape)
    names = _names(arrays, X.shape)
    labels = _labels(arrays, names, len(X), file)
    return _Matrix(len(X), {**{name: X[:, at] for at, name in enumerate(names)}, **labels})


def _refuse_strange(arrays: Mapping[str, object], known: Collection[str]) -> None:
    """What is not known might be meant for something."""
    strange = sorted(set(arrays) - set(known))
    if strange:
        raise ValueError(f"it has arrays that are not known: {', '.join(strange)}")


def _names(arrays: Mapping[str, NDArray[Any]], shape: tuple[int, ...]) -> tuple[str, ...]:
    """Names of the columns of a matrix."""
    if "names" not in arrays:
        return numbered(shape[1])
    names = arrays["names"]
    if names.dtype.kind != "U":
        raise ValueError(f"array names is of type {names.dtype}")
    if names.size != shape[1]:
        raise ValueError(f"there are {names.size} names for {shape[1]} columns of X")
    return tuple(map(str, names.ravel().tolist()))


def _labels(
    arrays: Mapping[str, NDArray[Any]], names: Collection[str], rows: int, file: str
) -> dict[str, NDArray[Any]]:
    """The column of the array y, if there is one, after those of a matrix, whose names are checked with it."""
    y = arrays.get("y")
    check_names([*names, *[TARGET] * (y is not None)], file, lambda _: None)
    if y is None:
        return {}
    if y.dtype.kind not in "iufbU":
        raise ValueError(f"array y is of type {y.dtype}")
    if y.shape != (rows,):
        raise ValueError(f"y has the shape {y.shape}, and X has {rows} rows")
    return {TARGET: y}
