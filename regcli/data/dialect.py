"""How a text table is written: delimiter, decimal mark, encoding, missing cells."""

import codecs
import csv
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePath
from shlex import quote
from typing import Literal

from regcli.data.scan import Record, records
from regcli.data.unpack import SUFFIXES as PACKED
from regcli.errors import DataError, Location, UsageError

__all__ = [
    "ARROW",
    "DELIMITED",
    "TEXT",
    "Dialect",
    "Format",
    "check_dialect",
    "find_delimiter",
    "format_of",
    "na_option",
    "parse_na_values",
]

Format = Literal["csv", "tsv", "parquet", "jsonl", "feather", "svm", "npz", "mtx"]

#: Formats of lines of cells, and all formats that are text and so may be packed.
DELIMITED = frozenset(("csv", "tsv"))
TEXT = DELIMITED | {"jsonl", "svm", "mtx"}

#: Formats that Arrow reads.
ARROW = frozenset(("parquet", "feather"))

#: In the order in which a tie is settled.
CANDIDATES = (",", ";", "\t", "|")

_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".feather": "feather",
    ".arrow": "feather",
    ".ipc": "feather",
    ".svm": "svm",
    ".libsvm": "svm",
    ".npz": "npz",
    ".mtx": "mtx",
}

#: What becomes a table by other means.
_CONVERT = {
    ".json": "a list of objects becomes JSON Lines by jq -c '.[]'; those are read with --input-format jsonl",
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".ods"), "save the sheet as CSV"),
    **dict.fromkeys((".sav", ".por", ".dta", ".sas7bdat", ".rds", ".rdata"), "write it as CSV where it comes from"),
    **dict.fromkeys((".db", ".sqlite", ".sqlite3"), "sqlite3 -csv -header FILE 'SELECT ...' writes CSV"),
    **dict.fromkeys((".duckdb",), "duckdb -csv FILE 'SELECT ...' writes CSV"),
    **dict.fromkeys((".zip", ".7z", ".rar", ".tar", ".tgz"), "unpack it"),
}

#: The share of records that is most of them.
_MOST = 0.5

#: As many records are looked at; more would only repeat what they say.
_VOTERS = 200


@dataclass(frozen=True)
class Dialect:
    """How an input table is written.

    Parameters
    ----------
    delimiter : str or None
        One ASCII character; None looks for one among ``, ; tab |``.
    decimal : str
        ``.`` or ``,``.
    encoding : str
        Name of a text encoding Python knows.
    header : bool
        Whether the first record names the columns; without one they are called c1, c2, ...
    na_values : tuple of str
        Cells that mean missing.
    format : Format or None
        None takes it from the file's suffix; that of a packed file is the one before ``.gz`` and its like.
    """

    delimiter: str | None = None
    decimal: str = "."
    encoding: str = "utf-8"
    header: bool = True
    na_values: tuple[str, ...] = ("", "NA", "NaN", "nan", "null")
    format: Format | None = None


def parse_na_values(text: str) -> tuple[str, ...]:
    """Read ``--na-values``: a list with commas, where ``""`` is the empty cell and quotes protect a comma.

    Parameters
    ----------
    text : str
        Such as ``'"",NA,-999'``. An empty text means that no cell is missing.

    Returns
    -------
    tuple of str
        The cells, each once, in the order given.

    Raises
    ------
    UsageError
        ``unknown-option-value`` when a quote is not closed or an entry without quotes is empty.
    """
    if not text:
        return ()
    hint = 'separate cells with commas and write "" for the empty cell'
    if "\n" in text or "\r" in text:
        raise UsageError("unknown-option-value", "--na-values cannot hold line breaks", hint=hint)
    try:
        (row,) = csv.reader([text], strict=True)
    except (csv.Error, ValueError) as error:
        raise UsageError("unknown-option-value", f"--na-values cannot be read: {text}", hint=hint) from error
    if row.count("") > _quoted_blanks(text):
        raise UsageError("unknown-option-value", f"--na-values has an empty entry: {text}", hint=hint)
    return tuple(dict.fromkeys(row))


def na_option(known: Collection[str], cells: Iterable[str]) -> str | None:
    """The option that takes further cells as missing beside those known; None where a list cannot hold them."""
    words = [*dict.fromkeys((*known, *cells))]
    if any({"\n", "\r"} & set(word) for word in words):
        return None
    marked = ('"' + word.replace('"', '""') + '"' if not word or {",", '"'} & set(word) else word for word in words)
    return f"--na-values {quote(','.join(marked))}"


def _quoted_blanks(text: str) -> int:
    # csv forgets which cells were quoted.
    return sum(cell == '""' for cell in text.split(","))


def check_dialect(dialect: Dialect) -> Dialect:
    """Refuse what no reader can follow, and spell the encoding the one way the readers compare it with.

    Raises
    ------
    UsageError
        ``unknown-option-value`` for a delimiter that is not one ASCII character, or is a quote, a line break or a
        point; a decimal mark other than ``.`` and ``,``; an unknown encoding.
    """
    mark = dialect.delimiter
    if mark is not None and (len(mark) != 1 or not mark.isascii() or mark in '"\r\n\0'):
        raise UsageError(
            "unknown-option-value",
            f"--delimiter takes one ASCII character that is neither a quote nor a line break, not {mark!r}",
            hint="for a tab write --delimiter $'\\t' or --input-format tsv",
        )
    if dialect.decimal not in {".", ","}:
        raise UsageError(
            "unknown-option-value", f"--decimal is . or , not {dialect.decimal!r}", hint="--decimal . or --decimal ,"
        )
    # A comma may be both delimiter and decimal mark, where such cells are quoted; a point divides no table.
    if mark == ".":
        raise UsageError(
            "unknown-option-value", "--delimiter cannot be a point", hint="--delimiter takes a character such as , or ;"
        )
    return Dialect(
        mark, dialect.decimal, _text_encoding(dialect.encoding), dialect.header, dialect.na_values, dialect.format
    )


def _text_encoding(name: str) -> str:
    try:
        # Refuses codecs that are not text, such as base64, and those that cannot mark what they do not decode.
        "a".encode(name).decode(name, "surrogateescape")
        found = codecs.lookup(name).name
    except (LookupError, ValueError) as error:
        raise UsageError(
            "unknown-option-value", f"no text encoding is called {name!r}", hint="common ones: utf-8, utf-16, latin-1"
        ) from error
    return "utf-8" if found in {"utf-8", "utf-8-sig"} else found


def format_of(name: str, dialect: Dialect, *, stream: bool) -> Format:
    """Return the format of the input called ``name``: what the dialect says, else what its suffix says.

    ``stream`` marks an input that has no name of its own (standard input, a device): it counts as CSV.

    Raises
    ------
    DataError
        ``file-unreadable`` for a suffix that names no format.
    """
    path = PurePath(name)
    packed = path.suffix.lower() in PACKED
    suffix = PurePath(path.stem).suffix.lower() if packed else path.suffix.lower()
    found = dialect.format or _SUFFIXES.get(suffix)
    if found is None and (stream or (packed and not suffix)):
        found = "csv"
    if found is None:
        what = f"the suffix {suffix}" if suffix else "a name without a suffix"
        raise DataError(
            "file-unreadable",
            f"{name}: {what} does not tell the format; known are {' '.join(_SUFFIXES)}",
            hint=_CONVERT.get(suffix, "say --input-format csv, tsv, parquet, jsonl, feather, svm, npz or mtx"),
            where=Location(file=name),
        )
    if packed and not stream and found not in TEXT:
        raise DataError(
            "file-unreadable",
            f"{name}: {found} is not read from packed files",
            hint="unpack it; Parquet, Feather and npz files are packed inside",
            where=Location(file=name),
        )
    return found


def find_delimiter(sample: Iterable[str], *, decimal: str = ".", header: bool = True) -> str | None:
    """Vote for the delimiter of a text table.

    Every candidate reads the sample with quotes in mind. It stands if it divides the first record; the one that gives
    the most records the width of the first wins, then the one that makes more columns, then the comma.

    Parameters
    ----------
    sample : iterable of str
        The first physical lines, each with its line break. The last one may be cut.
    decimal : str
        A decimal comma stands where no other mark does, and most records have the width of the first: that of a header,
        which holds no numbers, or of cells with quotes.
    header : bool
        Whether the first record names the columns.

    Returns
    -------
    str or None
        The winner; None if there is a single column.
    """
    lines = list(sample)
    best: tuple[float, int] = (0.0, 0)
    winner = None
    for mark in CANDIDATES:
        if mark == decimal:
            continue
        score = _score(lines, mark)
        if score > best:
            best, winner = score, mark
    if winner is None and decimal == "," and (header or any('"' in line for line in lines)):
        share, _ = _score(lines, decimal)
        winner = decimal if share > _MOST else None
    return winner


def _score(lines: list[str], mark: str) -> tuple[float, int]:
    found: list[Record] = []
    stream = records(lines, mark)
    while len(found) < _VOTERS:
        try:
            found.append(next(stream))
        except StopIteration:
            break
        except DataError:  # a quote this candidate cannot read: it is judged by the records before it
            break
    if not found or len(found[0].cells) == 1:
        return (0.0, 0)
    width = len(found[0].cells)
    return (sum(len(record.cells) == width for record in found) / len(found), width)
