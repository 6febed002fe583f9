"""Every format read a second time, with no code of regcli's: by the standard library, pyarrow, numpy and zstandard.

``reread`` gives columns of cells: None where one is missing, floats, booleans, text; or raises ``Refused`` with the
codes that fit the damage.
"""

import bz2
import csv
import gzip
import io
import json
import lzma
import math
import re
import zipfile
import zlib
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

__all__ = ["Columns", "Refused", "Typed", "reread"]

Columns = dict[str, list[Any]]

#: Cells that mean missing, as the help says.
MISSING = ("", "NA", "NaN", "nan", "null")


class Refused(Exception):  # noqa: N818  (what it means)
    """The file cannot be read; ``codes`` are those that say so."""

    def __init__(self, *codes: str, status: int = 3) -> None:
        super().__init__(*codes)
        self.codes = codes
        self.status = status


class Typed(str):
    """Text of a format that knows text from numbers."""

    __slots__ = ()


class Spelt(float):
    """A number of a text, which shows as it is spelt: among words it is a word."""

    spelling: str

    def __str__(self) -> str:
        return self.spelling


def _spelt(text: str) -> Spelt:
    value = Spelt(text)
    value.spelling = text
    return value


def reread(form: str, content: bytes, *, wanted: Collection[str] | None = None) -> Columns:
    """The columns of a file; ``wanted`` are those that are there even if a sparse file gives no cell of them."""
    base, _, packing = form.partition(".")
    data = _unpacked(base, packing, content) if packing else content
    return _svm(data, wanted) if base == "svm" else _READERS[base](data)


def _unpacked(base: str, packing: str, content: bytes) -> bytes:
    """What is packed. Lines are read as they come, so that one may be broken before the packing turns out to be."""
    try:
        return _UNPACK[packing](content)
    except Refused as refused:
        raise Refused(*refused.codes, *(("broken-line",) if base in ("jsonl", "svm", "mtx") else ())) from refused


# -- packings --------------------------------------------------------------------------------------------------------


def _members(mark: bytes, make: Callable[[], Any]) -> Callable[[bytes], bytes]:
    """A reader of members that follow each other, with zeros between and after them."""

    def read(data: bytes) -> bytes:
        out = b""
        if not data.startswith(mark):
            raise Refused("file-unreadable")
        while data:
            machine = make()
            try:
                out += machine.decompress(data)
            except (OSError, lzma.LZMAError, EOFError) as error:
                raise Refused("file-unreadable") from error
            if not machine.eof:
                raise Refused("file-unreadable")
            data = machine.unused_data.lstrip(b"\0")
        return out

    return read


def _gunzip(data: bytes) -> bytes:
    if not data.startswith(b"\x1f\x8b\x08"):
        raise Refused("file-unreadable")
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise Refused("file-unreadable") from error


def _unzstd(data: bytes) -> bytes:
    if not data.startswith(b"\x28\xb5\x2f\xfd"):
        raise Refused("file-unreadable")
    out = b""
    while data:
        machine = zstandard.ZstdDecompressor().decompressobj()
        try:
            out += machine.decompress(data)
        except zstandard.ZstdError as error:
            raise Refused("file-unreadable") from error
        if not machine.eof:
            raise Refused("file-unreadable")
        data = machine.unused_data
    return out


_UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": _gunzip,
    "bz2": _members(b"BZh", bz2.BZ2Decompressor),
    "xz": _members(b"\xfd7zXZ\0", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ)),
    "zst": _unzstd,
}


# -- text ------------------------------------------------------------------------------------------------------------


_NO_TEXT = ("encoding", "nul-byte", "file-unreadable")


def _text(content: bytes) -> str:
    """UTF-8 without a mark at its beginning."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")):
        raise Refused("encoding", "nul-byte")
    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        raise Refused(*_NO_TEXT) from error
    if "\0" in text:
        raise Refused("nul-byte")
    return text


def _delimited(mark: str | None) -> Callable[[bytes], Columns]:
    def read(content: bytes) -> Columns:
        text = _text(content)
        lines = io.StringIO(text, newline="").readlines()
        first = next((line for line in lines if line.strip()), "")
        found = mark or (";" if first.count(";") > first.count(",") else ",")
        rows: list[list[str]] = []
        reader = csv.reader(lines, delimiter=found, strict=True)
        before = 0
        try:
            for row in reader:
                blank = not "".join(lines[before : reader.line_num]).strip(" \t\r\n") and len(row) < 2
                before = reader.line_num
                rows += [] if blank else [row]
        except csv.Error as error:
            raise Refused("broken-quoting", "ragged-row") from error
        if not rows:
            raise Refused("empty-file")
        names = _names(rows[0])
        if len(rows) == 1:
            raise Refused("empty-file")
        if any(len(row) != len(names) for row in rows):
            raise Refused("ragged-row")
        return {name: [_cell(row[at]) for row in rows[1:]] for at, name in enumerate(names)}

    return read


def _names(names: list[str]) -> list[str]:
    if any("\0" in name for name in names):
        raise Refused("nul-byte", "empty-column-name", "duplicate-column")
    if "" in names:
        raise Refused("empty-column-name", "duplicate-column")
    if len(set(names)) < len(names):
        raise Refused("duplicate-column")
    return names


def _cell(text: str) -> Any:  # noqa: ANN401  (a number, text or nothing)
    if text in MISSING:
        return None
    bare = text.strip(" \t\n\v\f\r")
    if re.fullmatch(r"[+-]?(inf|infinity)", text, re.IGNORECASE):
        return _spelt(text)
    if bare.isascii() and re.match(r"[+-]?[.\d]", bare) and "_" not in bare:
        try:
            return _spelt(text)
        except ValueError:
            return text
    return text


def _lines(content: bytes) -> list[str]:
    lines = re.split(r"\r\n|\r|\n", _text(content))
    return [line for line in lines if line.strip(" \t\v\f")]


def _pairs(pairs: list[tuple[str, Any]]) -> Any:  # noqa: ANN401
    return ("object", pairs)


def _jsonl(content: bytes) -> Columns:
    rows: list[dict[str, Any]] = []
    for line in _lines(content):
        try:
            found = json.loads(
                line, object_pairs_hook=_pairs, parse_constant=_spelt, parse_float=_spelt, parse_int=_spelt
            )
        except (ValueError, RecursionError) as error:
            raise Refused("broken-line", "duplicate-column") from error
        if not isinstance(found, tuple):
            raise Refused("broken-line", "duplicate-column")
        keys = _names([key for key, _ in found[1]])
        if any(re.search("[\0\ud800-\udfff]", part) for part in (*keys, *(v for _, v in found[1] if type(v) is str))):
            raise Refused("broken-line")
        rows.append({key: _value(value) for key, value in found[1]})
    if not rows:
        raise Refused("empty-file")
    return {name: [row.get(name) for row in rows] for name in dict.fromkeys(key for row in rows for key in row)}


def _value(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        return None if value in MISSING else Typed(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, Spelt):
        return _known(value)
    return [value]


_NUMBER = r"(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?i:inf|nan))"


def _svm(content: bytes, wanted: Collection[str] | None) -> Columns:
    rows, labels = list[dict[int, float]](), list[float]()
    for line in _lines(content):
        words = line.partition("#")[0].encode().split()
        if not words:
            continue
        label, *pairs = (word.decode() for word in words)
        pairs = pairs[bool(pairs and re.fullmatch(r"qid:\d+", pairs[0])) :]
        if not re.fullmatch(_NUMBER, label, re.ASCII):
            raise Refused("broken-line", "duplicate-column")
        if not all(re.fullmatch(rf"\d{{1,18}}:{_NUMBER}", pair, re.ASCII) for pair in pairs):
            raise Refused("broken-line", "duplicate-column")
        cells = [(int(at), float(cell)) for at, _, cell in (pair.partition(":") for pair in pairs)]
        if len(dict(cells)) < len(cells):
            raise Refused("duplicate-column")
        rows.append(dict(cells))
        labels.append(float(label))
    if not rows:
        raise Refused("empty-file")
    if wanted is not None:
        return {name: [_known(row.get(int(name), 0.0)) for row in rows] for name in wanted}
    last = max([0, *(at for row in rows for at in row)])
    first = min([1, *(at for row in rows for at in row)])
    if last * len(rows) > 10_000_000:
        raise Refused("table-too-large", "value-range", status=7)
    columns = {str(at): [_known(row.get(at, 0.0)) for row in rows] for at in range(first, last + 1)}
    return {**columns, "target": list(map(_known, labels))}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _mtx(content: bytes) -> Columns:
    head, *body = _lines(content) or [""]
    if not head:
        raise Refused("empty-file")
    lines = [line.split() for line in body if not line.lstrip().startswith("%")]
    words = head.lower().split()
    broken = Refused("broken-line", "file-unreadable", "table-too-large")
    if not head.startswith("%%") or len(words) != 5 or words[:2] != ["%%matrixmarket", "matrix"]:
        raise broken
    form, field, symmetry = words[2:]
    wide = {"coordinate": 3, "array": 2}.get(form)
    if wide is None or field not in ("real", "double", "integer", "pattern") or symmetry != "general" or not lines:
        raise broken
    sizes, *entries = lines
    if len(sizes) != wide or not all(re.fullmatch(r"\d{1,15}", size, re.ASCII) for size in sizes):
        raise broken
    n, p, *_ = map(int, sizes)
    if 8 * n * p > 2**31:
        raise Refused("table-too-large", "broken-line", "file-unreadable", status=7)
    if len(entries) != (int(sizes[2]) if wide == 3 else n * p):
        raise broken
    matrix = np.zeros((n, p))
    places = set()
    for at, entry in enumerate(entries):
        cell = "1" if field == "pattern" else entry[-1]
        index = entry if field == "pattern" else entry[:-1]
        if len(index) != (2 if wide == 3 else 0) or not re.fullmatch(_NUMBER, cell, re.ASCII):
            raise broken
        if not all(re.fullmatch(r"\d{1,18}", word, re.ASCII) for word in index):
            raise broken
        row, column = (int(index[0]) - 1, int(index[1]) - 1) if wide == 3 else (at % n, at // n)
        if not (0 <= row < n and 0 <= column < p) or (row, column) in places:
            raise broken
        places.add((row, column))
        matrix[row, column] = float(cell)
    if not matrix.size:
        raise Refused("empty-file")
    return {str(at + 1): list(map(_known, matrix[:, at].tolist())) for at in range(p)}


# -- binary ----------------------------------------------------------------------------------------------------------


def _arrow(table: pa.Table) -> Columns:
    table.validate(full=True)
    if not table.num_rows:
        raise Refused("empty-file")
    names = _names(table.column_names)
    return {name: _arrow_cells(column) for name, column in zip(names, table.columns, strict=True)}


def _arrow_cells(column: Any) -> list[Any]:  # noqa: ANN401
    kind, cells = column.type, column.to_pylist()
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_boolean(kind):
        return cells
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        if any(cell is not None and "\0" in cell for cell in cells):
            raise Refused("nul-byte")
        return [None if cell is None or cell in MISSING else Typed(cell) for cell in cells]
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return [None if cell is None else _known(float(cell)) for cell in cells]
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return [None if cell is None else Typed(cell.isoformat()) for cell in cells]
    return [None if pa.types.is_null(kind) else [cell] for cell in cells]


def _parquet(content: bytes) -> Columns:
    try:
        return _arrow(pq.ParquetFile(io.BytesIO(content)).read(use_threads=False))
    except (pa.ArrowException, OSError, UnicodeDecodeError, ValueError) as error:
        raise Refused("file-unreadable", "encoding") from error


def _feather(content: bytes) -> Columns:
    if not content.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        raise Refused("file-unreadable")
    opened = pa.ipc.open_stream if content.startswith(b"\xff\xff\xff\xff") else pa.ipc.open_file
    try:
        return _arrow(opened(io.BytesIO(content)).read_all())
    except (pa.ArrowException, OSError, UnicodeDecodeError, ValueError) as error:
        raise Refused("file-unreadable", "encoding", "empty-file") from error


def _npz(content: bytes) -> Columns:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(info.file_size for info in archive.infolist()) > 2**31:
                raise Refused("table-too-large", status=7)
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, KeyError, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise Refused("file-unreadable") from error
    except (zipfile.BadZipFile, TypeError, AttributeError) as error:
        raise Refused("file-unreadable") from error
    return _arrays(arrays)


def _arrays(arrays: dict[str, Any]) -> Columns:
    if "X" not in arrays or arrays.keys() - {"X", "y", "names"}:
        raise Refused("file-unreadable")
    matrix, y, names = arrays["X"], arrays.get("y"), arrays.get("names")
    if matrix.ndim != 2 or (y is not None and y.shape != matrix.shape[:1]):
        raise Refused("file-unreadable")
    if any(array.dtype.kind not in "iufbU" for array in (matrix, *([] if y is None else [y]))):
        raise Refused("file-unreadable")
    if names is None:
        labels = [str(at + 1) for at in range(matrix.shape[1])]
    elif names.dtype.kind != "U" or names.size != matrix.shape[1]:
        raise Refused("file-unreadable")
    else:
        labels = names.ravel().tolist()
    columns = [matrix[:, at] for at in range(matrix.shape[1])] + ([] if y is None else [y])
    named = _names([*labels, "target"][: len(columns)])
    return {name: _array_cells(cells) for name, cells in zip(named, columns, strict=True)}


def _array_cells(cells: Any) -> list[Any]:  # noqa: ANN401
    if cells.dtype.kind == "U":
        return [None if cell in MISSING else Typed(cell) for cell in cells.tolist()]
    if cells.dtype.kind == "b":
        return list(cells.tolist())
    return list(map(_known, cells.astype(float).tolist()))


_READERS: dict[str, Callable[[bytes], Columns]] = {
    "csv": _delimited(None),
    "tsv": _delimited("\t"),
    "jsonl": _jsonl,
    "parquet": _parquet,
    "feather": _feather,
    "npz": _npz,
    "mtx": _mtx,
}
