"""Files of every format, and what can happen to them on the way: damage whose outcome is known, and any other."""

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import scipy.io
import scipy.sparse as sp

__all__ = ["FILES", "Mutant", "mutant"]

_ROWS = 40


def _columns() -> dict[str, list[float]]:
    rng = np.random.default_rng(7)
    cells = np.round(rng.normal(size=(_ROWS, 3)), 3) * (rng.random((_ROWS, 3)) < 0.7)
    target = np.round(cells @ [1.0, -2.0, 0.5] + rng.normal(size=_ROWS), 3)
    return {"1": cells[:, 0].tolist(), "2": cells[:, 1].tolist(), "3": cells[:, 2].tolist(), "target": target.tolist()}


def _written(write: Callable[[io.BytesIO], object]) -> bytes:
    sink = io.BytesIO()
    write(sink)
    return sink.getvalue()


def _files() -> dict[str, bytes]:
    columns = _columns()
    names, rows = list(columns), list(zip(*columns.values(), strict=True))
    matrix = np.array(rows)
    mixed = pa.table({**columns, "t": [f"w{i % 4}" for i in range(_ROWS)], "b": [i % 2 == 0 for i in range(_ROWS)]})
    csv = ("\n".join([",".join(names), *(",".join(map(repr, row)) for row in rows)]) + "\n").encode()
    jsonl = "".join(
        "{" + ", ".join(f'"{k}": {v!r}' for k, v in zip(names, row, strict=True)) + "}\n" for row in rows
    ).encode()
    svm = "".join(f"{row[3]!r} " + " ".join(f"{at + 1}:{row[at]!r}" for at in range(3)) + "\n" for row in rows).encode()
    zstd = pa.BufferOutputStream()
    with pa.CompressedOutputStream(zstd, "zstd") as stream:
        stream.write(csv)
    arrow = pa.BufferOutputStream()
    with pa.ipc.new_stream(arrow, mixed.schema) as writer:
        writer.write_table(mixed)
    return {
        "t.csv": csv,
        "t.tsv": csv.replace(b",", b"\t"),
        "t.jsonl": jsonl,
        "t.svm": svm,
        "t.mtx": _written(lambda sink: scipy.io.mmwrite(sink, sp.coo_array(matrix))),
        "t.csv.gz": gzip.compress(csv, mtime=0),
        "t.csv.bz2": bz2.compress(csv),
        "t.csv.xz": lzma.compress(csv),
        "t.csv.zst": zstd.getvalue().to_pybytes(),
        "t.jsonl.gz": gzip.compress(jsonl, mtime=0),
        "t.parquet": _written(lambda sink: pq.write_table(mixed, sink)),
        "t.feather": _written(lambda sink: pyarrow.feather.write_feather(mixed, sink, compression="uncompressed")),
        "z.feather": _written(lambda sink: pyarrow.feather.write_feather(mixed, sink, compression="lz4")),
        "t.arrow": arrow.getvalue().to_pybytes(),
        "t.npz": _written(lambda sink: np.savez(sink, X=matrix[:, :3], y=matrix[:, 3])),
        "z.npz": _written(lambda sink: np.savez_compressed(sink, X=matrix[:, :3], y=matrix[:, 3])),
        "s.npz": _written(lambda sink: sp.save_npz(sink, sp.csr_array(matrix))),
    }


#: A good file of each kind, by its name.
FILES = _files()

#: Formats that end with something without which they cannot be read, or know how long they are.
_BOUND = (".gz", ".bz2", ".xz", ".zst", ".parquet", ".feather", ".npz")

#: Formats with a checksum over what they hold.
_SUMMED = (".gz", ".bz2", ".xz", ".npz")

#: Pieces that mean something to one reader or another.
_PIECES = (
    b"\0", b"\xff", b"\n", b"\r", b",", b"\t", b":", b'"', b"{", b"}", b"[", b"null", b"nan", b"inf", b"1e999", b"-",
    b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"999999999", b" ",
)  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A damaged file; ``status`` is the exit status that must follow, None where more than one is right."""

    name: str
    content: bytes
    how: str
    status: int | None = None


def mutant(rng: Random) -> Mutant:  # noqa: PLR0911  (a return for each kind of damage)
    """Damage one file in one to three places."""
    name = rng.choice(sorted(FILES))
    good = FILES[name]
    at = rng.randrange(len(good))
    match rng.randrange(8):
        case 0:
            return Mutant(name, good[:at], f"cut at {at}", 3 if name.endswith(_BOUND) else None)
        case 1:
            return Mutant(name, b"", "emptied", 3)
        case 2:
            other = FILES[rng.choice(sorted(FILES))]
            return Mutant(name, good[:at] + other[rng.randrange(len(other)) :], f"another file from {at}")
        case 3:
            end = min(len(good), at + rng.randint(1, 40))
            return Mutant(name, good[:at] + good[end:], f"without {at}:{end}")
        case 4:
            piece = rng.choice(_PIECES)
            return Mutant(name, good[:at] + piece + good[at:], f"{piece!r} put in at {at}")
        case 5:
            return Mutant(name, good + good[at:], f"its end from {at} twice")
        case _:
            data = bytearray(good)
            places = [rng.randrange(len(good)) for _ in range(rng.randint(1, 3))]
            for place in places:
                data[place] = rng.randrange(256)
            return Mutant(name, bytes(data), f"other bytes at {places}")
