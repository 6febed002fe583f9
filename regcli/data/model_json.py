"""JSON that may be hostile, read with care: bounded in size and depth, every member of the type it should have."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from regcli.data.nearby import files_near
from regcli.errors import Location, ModelFileError

__all__ = [
    "MALFORMED",
    "count_of",
    "entries_of",
    "flag_of",
    "load",
    "name_of",
    "number_of",
    "numbers_of",
    "object_of",
    "parse",
    "read_bounded",
    "text_of",
    "texts_of",
    "unreadable",
]

#: Files larger than this are not models: 50 million bytes hold about a million terms.
MOST_BYTES = 200_000_000

#: Bytes that are read at a time.
PIECE = 1 << 20

#: Counts beyond are no counts: doubles hold all integers up to here.
MOST_COUNT = 2**53

#: What reading a document of another shape than expected can raise: absent keys, other types, numbers out of range.
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError)

#: Digits and sign of the largest double as an integer.
MOST_DIGITS = 310

Entry = Mapping[str, Any]


def load(path: str) -> dict[str, Any]:
    """Parse a file that should hold one JSON object.

    Raises
    ------
    ModelFileError
        ``model-unreadable``: too large, no JSON, a key twice in one object, NaN or a number beyond double precision.
    """
    try:
        with Path(path).open("rb") as stream:
            document = parse(read_bounded(stream))
    except OSError as error:
        raise unreadable(f"cannot read {path!r}: {error.strerror}", path, files_near(path)) from error
    except json.JSONDecodeError as error:
        text = f"{path!r} is not JSON (line {error.lineno}, column {error.colno})"
        hint = "MODEL comes before DATA; regcli fit data.csv -m model.json writes one"
        raise ModelFileError("model-unreadable", text, hint=hint, where=Location(file=path)) from error
    except ValueError as error:  # a NUL in the path, too
        raise unreadable(f"{path!r} is not a JSON model: {error}", path) from error
    if not isinstance(document, dict):
        raise unreadable(f"{path!r} is not a JSON model", path)
    return document


def read_bounded(stream: BinaryIO) -> str:
    """The text of a stream, without the mark that some editors put before it.

    Raises
    ------
    ValueError
        Too large, or no UTF-8.
    """
    content = bytearray()
    while piece := stream.read(PIECE):  # a device has no size and may have no end, and room for the most is much
        content += piece
        if len(content) > MOST_BYTES:
            raise ValueError("it is too large")
    try:
        return content.decode("utf-8", "surrogatepass").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8 text") from error


def parse(text: str) -> object:
    """What a JSON text says.

    Raises
    ------
    ValueError
        No JSON, nested too deeply, a key twice in one object, NaN or a number beyond double precision.
    """
    try:
        return json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_number, parse_float=_double, parse_int=_integer
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def unreadable(message: str, path: str, near: Sequence[str] = ()) -> ModelFileError:
    """The error for a file that is no model; ``near`` are others that may have been meant."""
    hint = "regcli fit data.csv -m model.json writes a model"
    return ModelFileError("model-unreadable", message, hint=hint, where=Location(file=path), near=near)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; with a key twice, readers would differ in which one they believe."""
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number")


def _double(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is beyond double precision")
    return value


def _integer(text: str) -> int:
    if len(text) > MOST_DIGITS:  # Python has a limit of its own, and words for it that speak of Python
        raise ValueError(f"{text[:20]}... is beyond double precision")
    return int(text)


# -- members of the type they should have ----------------------------------------------------------------------------


def number_of(entry: Entry, key: str) -> float:
    """A finite number."""
    return _number(entry[key], key)


def numbers_of(entry: Entry, key: str) -> tuple[float, ...]:
    """A list of finite numbers."""
    return tuple(_number(value, key) for value in _list(entry[key], key))


def count_of(entry: Entry, key: str) -> int:
    """An integer from 0."""
    value = entry[key]
    if type(value) is not int or not 0 <= value <= MOST_COUNT:
        raise ValueError(f"{key}: {_shown(value)} is not a count")
    return value


def text_of(entry: Entry, key: str) -> str:
    """Text."""
    return _text(entry[key], key)


def texts_of(entry: Entry, key: str) -> tuple[str, ...]:
    """A list of texts."""
    return tuple(_text(value, key) for value in _list(entry[key], key))


def name_of(entry: Entry, key: str) -> str | None:
    """Text, or None where it is null."""
    return None if entry[key] is None else _text(entry[key], key)


def flag_of(entry: Entry, key: str) -> bool:
    """True or false."""
    value = entry[key]
    if not isinstance(value, bool):
        raise TypeError(f"{key}: {_shown(value)} is neither true nor false")
    return value


def object_of(entry: Entry, key: str) -> Entry:
    """An object."""
    value = entry[key]
    if not isinstance(value, dict):
        raise TypeError(f"{key}: {_shown(value)} is not an object")
    return value


def entries_of(entry: Entry, key: str) -> Sequence[Entry]:
    """A list of objects."""
    value = _list(entry[key], key)
    if not all(isinstance(item, dict) for item in value):
        raise TypeError(f"{key} is not a list of objects")
    return value


def _number(value: object, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{key}: {_shown(value)} is not a number")
    return float(value)


def _text(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{key}: {_shown(value)} is not text")
    try:
        value.encode("utf-8", "surrogateescape")  # as results are written
    except UnicodeEncodeError:
        raise ValueError(f"{key}: {_shown(value)} is half of a character") from None
    return value


def _list(value: object, key: str) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{key}: {_shown(value)} is not a list")
    return value


def _shown(value: object) -> str:
    """A value for a message, of bounded length."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    try:
        text = repr(value)
    except ValueError:  # an integer with more digits than Python writes
        text = "a number"
    return text if len(text) <= 60 else text[:57] + "..."
