"""Which reader reads which format: each is loaded for a file of its format, and all have one form."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from regcli.data.dialect import Dialect, Format
from regcli.data.plan import ChunkPlan
from regcli.data.source import Source, open_source, open_stream
from regcli.data.table import Table
from regcli.data.text import read_names

__all__ = ["How", "Reader", "hopeless", "reader_of"]


@dataclass(frozen=True)
class How:
    """How one file is read whole.

    ``is_text`` says of which columns cells stay as spelt; ``expected`` are columns that a format without them (LIBSVM)
    takes to be zero; ``threads`` read blocks of text, and no cell depends on them. ``named`` are columns that somebody
    named, which are there even where a file holds them as an index.
    """

    dialect: Dialect
    is_text: Callable[[str], bool]
    expected: Collection[str]
    threads: int
    named: Collection[str] = ()

    def meant(self, name: str) -> bool:
        """Whether a column is asked for by its name."""
        return name in self.named or name in self.expected or self.is_text(name)


@dataclass(frozen=True)
class Reader:
    """What can be done with a file of one format: read it whole, in chunks by its name, or the columns' names alone."""

    whole: Callable[[Source, How], Table]
    chunks: Callable[[str, Dialect, ChunkPlan], Iterator[Table]]
    names: Callable[[Source, Dialect], tuple[str, ...]]


def reader_of(fmt: Format) -> Reader:
    """The reader of a format. Loads its module."""
    match fmt:
        case "parquet":
            return _parquet()
        case "feather":
            return _feather()
        case "jsonl":
            return _jsonl()
        case "svm":
            return _svm()
        case "npz" | "mtx":
            return _array(fmt)
        case "csv" | "tsv":
            return _text(fmt)


def _parquet() -> Reader:
    from regcli.data.parquet import parquet_chunks, parquet_names, read_parquet

    return Reader(
        whole=lambda source, how: read_parquet(source, how.dialect, how.is_text, how.meant),
        chunks=_from_its_end("parquet", parquet_chunks),
        names=lambda source, _: parquet_names(source),
    )


def _feather() -> Reader:
    from regcli.data.feather import feather_chunks, feather_names, read_feather

    return Reader(
        whole=lambda source, how: read_feather(source, how.dialect, how.is_text, how.meant),
        chunks=_from_its_end("feather", feather_chunks),
        names=lambda source, _: feather_names(source),
    )


def _jsonl() -> Reader:
    from regcli.data.jsonl import jsonl_chunks, jsonl_names, read_jsonl

    return Reader(
        whole=lambda source, how: read_jsonl(source, how.dialect, how.is_text),
        chunks=_as_it_comes(jsonl_chunks),
        names=jsonl_names,
    )


def _svm() -> Reader:
    from regcli.data.svm import read_svm, svm_chunks, svm_names

    return Reader(
        whole=lambda source, how: read_svm(source, how.dialect, how.is_text, how.expected),
        chunks=_as_it_comes(svm_chunks),
        names=svm_names,
    )


def _array(fmt: Format) -> Reader:
    from regcli.data.arrays import array_chunks, array_names, read_array

    return Reader(
        whole=lambda source, how: read_array(source, how.dialect, fmt, how.is_text),
        chunks=_from_its_end(fmt, lambda source, dialect, plan: array_chunks(source, dialect, fmt, plan)),
        names=lambda source, dialect: array_names(source, dialect, fmt),
    )


def _text(fmt: Format) -> Reader:
    """Of text either half is loaded when it is used: most runs read whole tables or chunks, not both."""

    def whole(source: Source, how: How) -> Table:
        from regcli.data.whole import read_text

        return read_text(source, how.dialect, fmt, how.is_text, threads=how.threads)

    def chunks(stream: BinaryIO, name: str, dialect: Dialect, plan: ChunkPlan) -> Iterator[Table]:
        from regcli.data.chunks import text_chunks

        return text_chunks(stream, name, dialect, fmt, plan)

    return Reader(whole, _as_it_comes(chunks), lambda source, dialect: read_names(source, dialect, fmt)[0].names)


def _from_its_end(
    fmt: Format, chunks: Callable[[Source, Dialect, ChunkPlan], Iterator[Table]]
) -> Callable[[str, Dialect, ChunkPlan], Iterator[Table]]:
    """Chunks of a format that is read from its end, and so whole where it comes from a pipe."""
    return lambda name, dialect, plan: chunks(open_source(name, hopeless(fmt, dialect)), dialect, plan)


def _as_it_comes(
    chunks: Callable[[BinaryIO, str, Dialect, ChunkPlan], Iterator[Table]],
) -> Callable[[str, Dialect, ChunkPlan], Iterator[Table]]:
    """Chunks of a format that is read from its beginning."""

    def read(name: str, dialect: Dialect, plan: ChunkPlan) -> Iterator[Table]:
        with open_stream(name) as stream:
            yield from chunks(stream, name, dialect, plan)

    return read


#: What files of binary formats begin with. An Arrow stream begins with the length of its schema.
_BEGINNINGS = {"parquet": (b"PAR1",), "feather": (b"ARROW1", b"FEA1", b"\xff\xff\xff\xff"), "npz": (b"PK",)}


def hopeless(fmt: Format, dialect: Dialect) -> Callable[[bytes], bool]:
    """Whether a beginning cannot be that of a table, so that what may never end need not be read on."""
    if fmt in _BEGINNINGS:
        return lambda head: not head.startswith(_BEGINNINGS[fmt])
    return lambda head: b"\0" in head and not dialect.encoding.startswith(("utf-16", "utf-32"))
