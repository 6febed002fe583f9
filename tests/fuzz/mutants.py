"""Files of every format, and what can happen to them: other bytes, cells, lines, columns or spellings.

What must follow is not written here: ``tests/fuzz/judge.py`` reads the changed file a second time.
"""

import bz2
import gzip
import io
import json
import lzma
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import scipy.io
import scipy.sparse as sp
import zstandard

__all__ = ["FORMATS", "GOOD", "PACK", "PACKED", "Mutant", "files_of", "mutant"]

FORMATS = (
    "csv", "tsv", "jsonl", "parquet", "feather", "svm", "npz", "mtx", "csv.gz", "csv.bz2", "csv.xz", "csv.zst",
)  # fmt: skip

#: Every other format of text, each in another packing.
PACKED = ("tsv.bz2", "jsonl.zst", "svm.xz", "mtx.gz")

Cell = float | str | bool

#: Few enough to be quick, and enough that a cell of text among numbers is less than a tenth of them.
_ROWS = 14


def _good() -> dict[str, list[Cell]]:
    rng = np.random.default_rng(7)
    cells = np.round(rng.normal(size=(_ROWS, 3)), 3) * (rng.random((_ROWS, 3)) < 0.8)
    target = np.round(cells @ [1.0, -2.0, 0.5] + rng.normal(size=_ROWS), 3)
    columns: dict[str, list[Cell]] = {str(at + 1): cells[:, at].tolist() for at in range(3)}
    return {
        **columns,
        "t": [f"w{row % 3}" for row in range(_ROWS)],
        "flag": [row % 2 == 0 for row in range(_ROWS)],
        "target": target.tolist(),
    }


#: The table that every good file holds; formats of matrices hold its numbers.
GOOD = _good()

_NUMBERS = {name: cells for name, cells in GOOD.items() if name not in ("t", "flag")}

#: Each packing of text.
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}


def _written(write: Callable[[io.BytesIO], object]) -> bytes:
    sink = io.BytesIO()
    write(sink)
    return sink.getvalue()


def _csv(mark: str = ",", end: str = "\n") -> bytes:
    rows = zip(*GOOD.values(), strict=True)
    lines = [
        mark.join(GOOD),
        *(mark.join(cell if isinstance(cell, str) else repr(cell) for cell in row) for row in rows),
    ]
    return "".join(line + end for line in lines).encode()


def _jsonl() -> bytes:
    rows = zip(*GOOD.values(), strict=True)
    return "".join(json.dumps(dict(zip(GOOD, row, strict=True))) + "\n" for row in rows).encode()


def _svm() -> bytes:
    rows = zip(*_NUMBERS.values(), strict=True)
    cells = (" ".join(f"{at}:{cell!r}" for at, cell in enumerate(row[:3], 1) if cell) for row in rows)
    return "".join(f"{y!r} {row}\n" for y, row in zip(GOOD["target"], cells, strict=True)).encode()


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _files() -> dict[str, tuple[bytes, ...]]:
    """Good files of each format: the first is the usual one, the others hold the same in other words."""
    matrix = np.array([*zip(*_NUMBERS.values(), strict=True)], dtype=float)
    table = pa.table(GOOD)
    text = _csv()
    quoted = "".join(",".join(f'"{cell}"' for cell in line.split(",")) + "\n" for line in text.decode().splitlines())
    return {
        "csv": (text, _csv(end="\r\n"), b"\xef\xbb\xbf" + text, quoted.encode(), text + b"\n \n", text[:-1], _csv(";")),
        "tsv": (_csv("\t"), _csv("\t", "\r\n"), _csv("\t")[:-1]),
        "jsonl": (_jsonl(), _jsonl().replace(b"\n", b"\r\n"), _jsonl().replace(b": ", b":"), _jsonl()[:-1] + b"\n\n"),
        "parquet": (
            _written(lambda sink: pq.write_table(table, sink)),
            _written(lambda sink: pq.write_table(table, sink, compression="none", use_dictionary=False)),
            _written(lambda sink: pq.write_table(table, sink, compression="zstd", row_group_size=5)),
            _written(lambda sink: pq.write_table(table, sink, write_page_checksum=True, data_page_version="2.0")),
        ),
        "feather": (
            _written(lambda sink: pyarrow.feather.write_feather(table, sink, compression="uncompressed")),
            _written(lambda sink: pyarrow.feather.write_feather(table, sink, compression="lz4")),
            _written(lambda sink: pyarrow.feather.write_feather(table, sink, compression="zstd", chunksize=5)),
            _stream(table),
        ),
        "svm": (_svm(), _svm().replace(b"\n", b" # said\r\n"), _svm().replace(b" ", b"\t")),
        "npz": (
            _written(lambda sink: np.savez(sink, X=matrix[:, :3], y=matrix[:, 3])),
            _written(lambda sink: np.savez_compressed(sink, X=np.asfortranarray(matrix[:, :3]), y=matrix[:, 3])),
        ),
        "mtx": (
            _written(lambda sink: scipy.io.mmwrite(sink, sp.coo_array(matrix), precision=17)),
            _written(lambda sink: scipy.io.mmwrite(sink, matrix, precision=17)),
        ),
        **{f"csv.{name}": (pack(text), pack(text[:99]) + pack(text[99:])) for name, pack in PACK.items()},
    }


def _packed(files: dict[str, tuple[bytes, ...]]) -> dict[str, tuple[bytes, ...]]:
    """The usual files in a packing."""
    names = {name: name.split(".") for name in PACKED}
    return {name: (PACK[packing](files[base][0]),) for name, (base, packing) in names.items()}


_FILES = _files()
_FILES |= _packed(_FILES)


def files_of(name: str) -> tuple[bytes, ...]:
    """Good files of a format, which hold the same table."""
    return _FILES[name]


#: Pieces that mean something to one reader or another.
_PIECES = (
    b"\0", b"\xff", b"\n", b"\r", b",", b"\t", b":", b'"', b"{", b"}", b"[", b"null", b"nan", b"inf", b"1e999", b"-",
    b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"999999999", b" ",
    b";", b"#", b"%", b".", b"e5", b"\xc3\xa9", b"\xe2\x80\xa8", b"\x1a",
)  # fmt: skip

#: What stands in the place of a number: other numbers, and what is none.
_CELLS = (
    "1e999", "-inf", "Infinity", "NaN", "nan", "NA", "null", "", " ", "x", " 1.5 ", "+1", "1.", ".5", "-.5e-2", "0x10",
    "1_0", "1,5", "TRUE", "false", "\u0661", "1e5", "1E+05", "-0", "00012", "--1", "1e", "1e160", "4e-200",
    "2024-01-31", "1 2", "'1'", "9007199254740993", "0.1000000000000000055511151231257827", "[1]",
    '"3"', '{"a": 1}', "123456789" * 9,
)  # fmt: skip

#: A number in text.
_TEXTS = ("csv", "tsv", "jsonl", "svm", "mtx")


@dataclass(frozen=True)
class Mutant:
    """A file of a format, and what was done to it."""

    format: str
    content: bytes
    how: str


def mutant(form: str, seed: int) -> Mutant:
    """The changed file of this number. Of packed ones a part is changed before it is packed."""
    rng = Random(f"{form} {seed}")  # noqa: S311  (no secret)
    good = rng.choice(_FILES[form])
    base, _, packing = form.partition(".")
    if packing and rng.random() < 0.4:
        content, how = _changed(rng, base, rng.choice(_FILES[base]))
        return Mutant(form, PACK[packing](content), f"{how}, then packed")
    return Mutant(form, *_changed(rng, form, good))


def _changed(rng: Random, form: str, good: bytes) -> tuple[bytes, str]:
    if rng.random() < 0.5:
        if form in _TEXTS:
            return rng.choice((_other_cell, _other_cell, _other_cell, _other_line))(rng, good)
        return _other_arrays(rng) if form == "npz" else _other_columns(rng, form)
    return _other_bytes(rng, form, good)


def _other_cell(rng: Random, good: bytes) -> tuple[bytes, str]:
    """Another cell where a number or a word stands."""
    text = good.decode()
    starts = [at for at in range(1, len(text)) if text[at].isalnum() and text[at - 1] in ',;\t\n" :']
    at = rng.choice(starts)
    end = at
    while text[end] not in ',;\t\r\n" :}':
        end += 1
        if end == len(text):
            break
    cell = rng.choice(_CELLS)
    return (text[:at] + cell + text[end:]).encode(), f"{cell!r} in the place of {text[at:end]!r} at {at}"


def _other_line(rng: Random, good: bytes) -> tuple[bytes, str]:
    """Lines that are gone, double, or in another order; blanks around them."""
    lines = good.split(b"\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(5):
        case 0:
            return b"\n".join(lines[:at] + lines[at + 1 :]), f"without line {at + 1}"
        case 1:
            return b"\n".join(lines[: at + 1] + lines[at:]), f"line {at + 1} twice"
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
            return b"\n".join(lines), f"lines {at + 1} and {other + 1} exchanged"
        case 3:
            return b"\n".join([*lines[:at], b"", b" \t ", *lines[at:]]), f"blank lines before line {at + 1}"
        case _:
            return b"\n".join([*lines[:at], lines[at] + b"  ", *lines[at + 1 :]]), f"blanks at the end of line {at + 1}"


#: What a column of numbers may be turned into: other values of other types.
_COLUMNS: dict[str, Callable[[list[Cell]], Any]] = {
    "single": lambda cells: pa.array(cells, pa.float32()),
    "decimals": lambda cells: pa.array([Decimal(repr(cell)) for cell in cells], pa.decimal128(20, 6)),
    "integers": lambda cells: pa.array([round(float(cell) * 9) for cell in cells], pa.int16()),
    "large integers": lambda cells: pa.array([2**63 + at for at in range(len(cells))], pa.uint64()),
    "text": lambda cells: [repr(cell) for cell in cells],
    "booleans": lambda cells: [float(cell) > 0 for cell in cells],
    "dates": lambda cells: [date(2024, 1, 1 + at) for at in range(len(cells))],
    "moments": lambda cells: [datetime(2024, 1, 1, at, tzinfo=UTC) for at in range(len(cells))],
    "lists": lambda cells: [[cell] for cell in cells],
    "objects": lambda cells: [{"a": cell} for cell in cells],
    "bytes": lambda cells: [repr(cell).encode() for cell in cells],
    "nothing": lambda cells: [None] * len(cells),
    "one value": lambda cells: [cells[0]] * len(cells),
    "one word": lambda cells: ["w"] * len(cells),
    "classes": lambda cells: pa.array([f"k{at % 4}" for at in range(len(cells))]).dictionary_encode(),
}

#: What a cell of a column of numbers may become.
_VALUES = (float("inf"), float("-inf"), float("nan"), None, 1e160, -1e149, 4e-200, -0.0, 1e15)


def _other_columns(rng: Random, form: str) -> tuple[bytes, str]:
    """A table of Arrow with another cell, another column, other names or without rows."""
    columns: dict[str, Any] = {name: list(cells) for name, cells in GOOD.items()}
    names, name = list(columns), rng.choice(("1", "2", "3", "target"))
    match rng.randrange(8):
        case 0 | 1 | 2:
            value, row = rng.choice(_VALUES), rng.randrange(_ROWS)
            columns[name][row] = value
            how = f"{value} in row {row + 1} of {name}"
        case 3 | 4 | 5:
            kind = rng.choice(sorted(_COLUMNS))
            columns[name] = _COLUMNS[kind](columns[name])
            how = f"{name} as {kind}"
        case 6:
            at, new = rng.randrange(len(names)), rng.choice((*names, "", "y", "x=1", "\u00e9\x1b[2J"))
            names[at], how = new, f"column {at + 1} called {new!r}"
        case _:
            keep = rng.choice((0, 1, 2, 5))
            columns, how = {each: cells[:keep] for each, cells in columns.items()}, f"the first {keep} rows"
    table = pa.table(list(columns.values()), names=names)
    if form == "feather":
        return _stream(table), how
    return _written(lambda sink: pq.write_table(table, sink)), how


def _other_arrays(rng: Random) -> tuple[bytes, str]:
    """Arrays with another cell, of another type or shape, more of them or fewer."""
    X = np.array([GOOD[name] for name in ("1", "2", "3")], dtype=float).T
    arrays: dict[str, Any] = {"X": X, "y": np.array(GOOD["target"], dtype=float)}
    name = rng.choice(("X", "y"))
    match rng.randrange(6):
        case 0 | 1:
            value = rng.choice([value for value in _VALUES if value is not None])
            arrays[name] = arrays[name].copy()
            arrays[name].flat[rng.randrange(arrays[name].size)] = value
            how = f"{value} in {name}"
        case 2:
            kind = rng.choice(("f4", "i2", "?", "O", "c16", "U9", "M8[s]", ">f8", "f2"))
            arrays[name], how = arrays[name].astype(kind), f"{name} of type {kind}"
        case 3:
            shape = rng.choice(((-1,), (-1, 1), (1, -1), (-1, 1, 1), (7, -1)))
            arrays[name], how = arrays[name].reshape(shape), f"{name} in the shape {shape}"
        case 4:
            new = rng.choice(("y", "Y", "z", "names", "format"))
            arrays[new], how = arrays.pop(name), f"{name} called {new}"
        case _:
            arrays["names"] = np.array(
                rng.choice((["a", "b", "c"], ["a", "a", "c"], ["a", ""], ["y", "1", "2"], [1, 2, 3]))
            )
            how = f"names {arrays['names'].tolist()}"
    return _written(lambda sink: np.savez(sink, **arrays)), how


def _other_bytes(rng: Random, form: str, good: bytes) -> tuple[bytes, str]:  # noqa: PLR0911  (one for each damage)
    at = rng.randrange(len(good))
    match rng.randrange(10):
        case 0:
            return good[:at], f"cut at {at}"
        case 1 if rng.random() < 0.1:
            return b"", "emptied"
        case 2:
            other = _FILES[rng.choice(FORMATS)][0]
            return good[:at] + other[rng.randrange(len(other)) :], f"another file from {at}"
        case 3:
            end = min(len(good), at + rng.randint(1, 40))
            return good[:at] + good[end:], f"without {at}:{end}"
        case 4:
            piece = rng.choice(_PIECES)
            return good[:at] + piece + good[at:], f"{piece!r} put in at {at}"
        case 5:
            return good + good[at:], f"its end from {at} twice"
        case 6:
            tail = rng.choice((b"\0", b"\0\0\0\0", b"\n", b"x", b"\x1f\x8b\x08", good))
            return good + tail, f"{tail[:9]!r} behind it"
        case 7:
            return rng.choice(_FILES[form]), "nothing"
        case _:
            data = bytearray(good)
            places = [rng.randrange(len(good)) for _ in range(rng.randint(1, 3))]
            for place in places:
                data[place] = rng.randrange(256)
            return bytes(data), f"other bytes at {places}"
