"""What a comparison found: a line, and the rows that csv, md and tables are made of."""

from collections.abc import Iterator, Mapping
from typing import Any

from regcli.errors import counted
from regcli.report.forms import Document

__all__ = ["COLUMNS", "difference_rows", "headline"]

#: Columns of the one table that a comparison is.
COLUMNS = ("part", "name", "change", "a", "b", "absolute", "relative", "lambda")

Row = tuple[str | float | None, ...]


def headline(document: Document) -> str:
    """What was found, in a line."""
    named = " → ".join(f"{document[side]['path']}" for side in ("a", "b"))
    if document["same"]:
        return f"{named}: the same, to within {document['tol']:g}"
    kinds = [entry["change"] for entry in document["terms"]]
    words = {"in": "in", "out": "out", "sign": "of another sign", "size": "of another size"}
    told = [f"{counted(kinds.count(kind), 'term')} {word}" for kind, word in words.items() if kind in kinds]
    alone = len(document["only_a"]) + len(document["only_b"])
    told += [f"{counted(alone, 'strength')} of one path alone"] if alone else []
    others = document["n_changes"] - len(kinds) - alone
    told += [f"{counted(others, 'other change')}"] if others else []
    return f"{named}: {', '.join(told)}"


def difference_rows(document: Document, *, alone: bool = True) -> Iterator[Row]:
    """What is not the same, a row each; values that are no numbers as they are spelt.

    ``alone`` says whether strengths that one path has alone are told one by one.
    """
    for fact in document["facts"]:
        yield "setting", fact["name"], "other", _spelt(fact["a"]), _spelt(fact["b"]), None, None, None
    for entry in document["strengths"]:
        yield from _row("strength", entry["name"], entry)
    for side in ("a", "b") if alone else ():
        for lam in document[f"only_{side}"]:
            yield "strength", f"only in {side}", "absent", *((lam, None) if side == "a" else (None, lam)), *(None,) * 3
    yield from _row("term", "(intercept)", document["intercept"])
    for entry in document["terms"]:
        yield from _row("term", entry["term"], entry)
    for entry in document["metrics"]:
        yield from _row(f"{entry['part']} metric".strip(), entry["metric"], entry)


def _row(part: str, name: str, entry: Mapping[str, Any]) -> Iterator[Row]:
    if entry["change"] != "same":
        yield part, name, *(entry[key] for key in COLUMNS[2:])


def _spelt(value: object) -> str:
    """A setting as text."""
    if isinstance(value, list | tuple):
        return ", ".join(str(item) or '""' for item in value)
    return "" if value is None else str(value)
