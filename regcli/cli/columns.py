"""Names of the columns of a table from its first bytes, in less time than a press of a key may take."""

import csv
import sys
from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO, Any, cast

__all__ = ["column_names"]

_DELIMITERS = ",;\t|"

#: Bytes of a line; one that is longer is not the header of a table.
_LONGEST = 1 << 20

#: Lines of JSON that keys are taken from: a key may be missing in the first ones.
_OBJECTS = 20


def column_names(path: Path) -> list[str]:
    """The columns of a file, as far as its beginning tells; none of what cannot be read, whose error the command tells.

    Of Parquet and Feather the schema is read, of text the header, packed or not, of JSON Lines the first objects.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    packing = suffixes.pop() if suffixes and suffixes[-1] in _PACKINGS else ""
    reader = _READERS.get(suffixes[-1] if suffixes else "")
    if reader is None or (packing and reader is _arrow):
        return []
    try:
        return reader(path, packing) if path.is_file() else []
    except Exception:  # noqa: BLE001  (completion answers or is silent, whatever a damaged file makes a library raise)
        return []


def _text(path: Path, packing: str) -> list[str]:
    with _PACKINGS[packing](path) as stream:
        first = stream.readline(_LONGEST).decode("utf-8-sig")
        delimiter = max(_DELIMITERS, key=first.count)
        # Quoted names may hold line ends: the reader takes as many lines as it needs, up to its limit for a cell.
        lines = chain([first], (line.decode() for line in iter(partial(stream.readline, _LONGEST), b"")))
        return next(csv.reader(lines, delimiter=delimiter), [])


def _objects(path: Path, packing: str) -> list[str]:
    import json

    keys: dict[str, None] = {}
    with _PACKINGS[packing](path) as stream:
        for _ in range(_OBJECTS):
            line = stream.readline(_LONGEST)
            if not line.strip():
                break
            keys.update(dict.fromkeys(json.loads(line)))
    return list(keys)


def _arrow(path: Path, _packing: str) -> list[str]:
    pa = _pyarrow()
    if path.suffix.lower() == ".parquet":
        from pyarrow._parquet import ParquetReader  # what pyarrow.parquet loads besides takes as long again

        reader = ParquetReader()
        reader.open(str(path))
        return list(reader.schema_arrow.names)
    from pyarrow import ipc

    try:
        return list(ipc.open_file(pa.OSFile(str(path))).schema.names)
    except pa.ArrowInvalid:
        return list(ipc.open_stream(pa.OSFile(str(path))).schema.names)


def _pyarrow() -> Any:  # noqa: ANN401  (it ships no types)
    """Pyarrow without numpy, which it can do without and which takes twice as long to load."""
    if "numpy" not in sys.modules and "pyarrow" not in sys.modules:
        sys.modules["numpy"] = None  # type: ignore[assignment]  # this process completes a word and ends
    import pyarrow as pa

    return pa


def _gzip(path: Path) -> IO[bytes]:
    import gzip

    return cast("IO[bytes]", gzip.open(path, "rb"))


def _bzip2(path: Path) -> IO[bytes]:
    import bz2

    return bz2.open(path, "rb")


def _xz(path: Path) -> IO[bytes]:
    import lzma

    return lzma.open(path, "rb")


def _zstd(path: Path) -> IO[bytes]:
    pa, out = _pyarrow(), bytearray()
    with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as stream:
        while len(out) < _LONGEST and out.count(b"\n") < _OBJECTS and (piece := stream.read(1 << 14)):
            out += piece
    import io

    return io.BytesIO(bytes(out))


_PACKINGS: Mapping[str, Callable[[Path], IO[bytes]]] = {
    "": lambda path: path.open("rb"),
    ".gz": _gzip,
    ".bz2": _bzip2,
    ".xz": _xz,
    ".zst": _zstd,
}

_READERS: Mapping[str, Callable[[Path, str], list[str]]] = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), _text),
    ".jsonl": _objects,
    **dict.fromkeys((".parquet", ".feather", ".arrow", ".ipc"), _arrow),
}
