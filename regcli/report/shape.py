"""Whether a document is one of regcli's, and where it is damaged."""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from regcli.errors import DataError, Location, ModelFileError
from regcli.report.schemas import SCHEMAS

__all__ = ["as_document", "check_shape"]

_SCHEMA = re.compile(r"regcli\.([a-z]+)/([0-9]{1,9})")

#: A place in a list.
_ANY = re.compile(r"\[[0-9]+\]")

#: What documents of earlier versions lack: keys that were added to a schema, which kept its number.
_ADDED = frozenset({("path", "coefficients[].sd is missing"), ("config", "checks is missing")})

#: The types of JSON Schema. A boolean is no number.
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


def check_shape(document: Mapping[str, Any], path: str) -> None:
    """Refuse what is no document of a schema that this version knows.

    Keys beyond the schema are let pass: a later version may add some and keep the number.

    Raises
    ------
    DataError
        ``document-unreadable``, with the place in the document; ``document-schema``.
    """
    where, named = Location(file=path), document.get("schema")
    found = _SCHEMA.fullmatch(named) if isinstance(named, str) else None
    if found is None:
        told = "no schema" if named is None else f"schema {named!r}"
        text = f"{path!r} is JSON with {told}, and no document of regcli's"
        raise DataError("document-unreadable", text, where=where, hint="regcli fit data.csv -o fit.json writes one")
    schema = SCHEMAS.get(found[1])
    if schema is None or schema["properties"]["schema"]["const"] != named:
        later = schema is None or int(found[2]) > 1
        hint = "a later regcli wrote it; show it with that one" if later else "write it again with this version"
        text = f"{path!r} has schema {named!r}, which this version does not know"
        raise DataError("document-schema", text, where=where, hint=hint)
    faults = (fault for fault in _faults(document, schema, "") if (found[1], _ANY.sub("[]", fault)) not in _ADDED)
    fault = next(faults, None)
    if fault is not None:
        text = f"{path!r} is not a complete {named} document: {fault}"
        raise DataError("document-unreadable", text, where=where, hint="write it again")


@contextmanager
def as_document(path: str, kind: str) -> Iterator[None]:
    """Say so where a document that looked right turns out not to hang together while it is shown.

    Raises
    ------
    DataError
        ``document-unreadable``.
    ModelFileError
        ``model-unreadable``, where it is a model.
    """
    try:
        yield
    except _MALFORMED as error:
        text = f"{path!r} does not hang together: {type(error).__name__}: {error}"
        where, hint = Location(file=path), "write it again"
        if kind == "model":
            raise ModelFileError("model-unreadable", text, where=where, hint="fit again, with -m") from error
        raise DataError("document-unreadable", text, where=where, hint=hint) from error


#: What showing a document whose parts do not fit together can raise: indices and keys that lead nowhere, lists of
#: different lengths, numbers out of range, objects within objects without end.
_MALFORMED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


def _faults(value: object, schema: Mapping[str, Any], at: str) -> Iterator[str]:
    """Where a value is not what its schema says, as far as types and keys go."""
    if not schema:
        return
    if "anyOf" in schema:
        found = [next(_faults(value, each, at), None) for each in schema["anyOf"]]
        if all(found):
            yield str(found[0])
        return
    wanted = schema.get("type")
    names = [wanted] if isinstance(wanted, str) else wanted or []
    if names and not any(_is(value, name) for name in names):
        yield f"{at or 'it'} is not of type {' or '.join(names)}"
        return
    if isinstance(value, dict):
        known = schema.get("properties", {})
        for key in schema.get("required", ()):
            if key not in value:
                yield f"{f'{at}.' if at else ''}{key} is missing"
        other = schema.get("additionalProperties")
        for key, item in value.items():
            inner = known.get(key, other if isinstance(other, dict) else {})
            yield from _faults(item, inner, f"{at}.{key}" if at else str(key))
    elif isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from _faults(item, schema["items"], f"{at}[{number}]")


def _is(value: object, name: str) -> bool:
    """Whether a value has a type of JSON Schema; numbers are doubles."""
    if isinstance(value, bool):
        return name == "boolean"
    if not isinstance(value, _TYPES[name]):
        return False
    return not isinstance(value, int | float) or (abs(value) < 2**1023 and math.isfinite(value))
