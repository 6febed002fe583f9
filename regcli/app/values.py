"""Values of options that are more than one word or number: lists, COL=V pairs, files of strengths."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from regcli.app.options import FitRequest, InspectRequest, PathRequest
from regcli.data.columns import number
from regcli.data.nearby import names_near
from regcli.data.patterns import columns_named
from regcli.data.terms import Term
from regcli.errors import DataError, Location, UsageError

#: What a limit may be beside a number.
_INFINITE = {"inf": math.inf, "+inf": math.inf, "-inf": -math.inf}

#: Parts of a request that change nothing in a model.
_JUDGING = ("run", "checks", "baseline", "reports", "picture", "limits")

__all__ = ["bounded", "given_options", "number_list", "number_of", "refuse", "term_values"]


def number_of(option: str, text: str, where: Location | None = None) -> float:
    """A finite number as a table would have it, or an error that names the option and ``where`` it stands."""
    value = number(text)
    if value is None or not math.isfinite(value):
        raise UsageError(
            "unknown-option-value",
            f"{option}: {text!r} is not a number",
            where=where,
            hint=f"{option} takes numbers such as 0.5, 2 or 1e-3",
        )
    return value


def number_list(option: str, text: str, low: float = -math.inf, high: float = math.inf) -> list[float]:
    """Comma-separated numbers from ``low`` to ``high``, or those of ``@FILE``, one a line or with commas or spaces."""
    file = text[1:] if text.startswith("@") else None
    values = []
    for line, content in enumerate([text] if file is None else _lines(option, file), start=1):
        where = None if file is None else Location(file, line)
        for part in content.split(",") if file is None else content.replace(",", " ").split():
            if part.strip():
                value = number_of(option, part.strip(), where)
                bounded(option, value, low, high, where=where)
                values.append(value)
    if not values:
        raise UsageError(
            "unknown-option-value",
            f"{option}: no number in {text!r}",
            where=Location(file),
            hint=f"{option} takes numbers with commas between, or @FILE",
        )
    return values


def _lines(option: str, file: str) -> list[str]:
    """The lines of a file of numbers."""
    try:
        return Path(file).read_text(encoding="utf-8-sig").split("\n")
    except FileNotFoundError as error:
        raise DataError(
            "file-not-found",
            f"{option}: no file {file}",
            where=Location(file),
            hint=f"{option} @FILE reads numbers from a file that is there",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        message = f"{option}: cannot read {file}: {reason}"
        raise DataError("file-unreadable", message, where=Location(file), hint=f"{option} 1,0.5,0.1 as well") from error


def bounded(
    option: str,
    value: float,
    low: float,
    high: float,
    *,
    open_low: bool = False,
    open_high: bool = False,
    where: Location | None = None,
) -> None:
    """Refuse a number outside its range."""
    inside = (value > low if open_low else value >= low) and (value < high if open_high else value <= high)
    if not inside:  # nor is NaN
        shown = str(value) if isinstance(value, int) else f"{value:g}"  # an integer may be beyond any float
        left = f"above {low:g}" if open_low else f"at least {low:g}"
        right = "" if math.isinf(high) else f" and {'below' if open_high else 'at most'} {high:g}"
        raise UsageError("unknown-option-value", f"{option} is {shown}", where=where, hint=f"it must be {left}{right}")


def term_values(option: str, pairs: Sequence[str], terms: Sequence[Term]) -> dict[str, float]:
    """Values by term name from ``COL=V`` pairs; later pairs win, so ``*=V`` first sets what others then change.

    COL is a source column (all terms of that column alone), a term, a pattern of either, or ``*`` for all; it ends at
    the last ``=``.
    """
    out: dict[str, float] = {}
    known = dict.fromkeys(name for term in terms for name in (term.main, term.name) if name is not None)
    ordered = sorted(pairs, key=lambda pair: not pair.startswith("*="))
    for pair in ordered:
        column, equals, text = pair.rpartition("=")
        if not equals or not column:
            raise UsageError(
                "unknown-option-value", f"{option} {pair!r} is not of the form COL=V", hint=f"{option} age=0.5"
            )
        infinite = _INFINITE.get(text.strip().lower())
        value = number_of(option, text) if infinite is None else infinite
        meant = frozenset(columns_named(column, known))
        named = [term.name for term in terms if not meant.isdisjoint((term.main, term.name))]
        if not named:
            names = dict.fromkeys(term.main or term.name for term in terms)
            near = names_near(column, names)
            raise DataError(
                "column-not-found",
                f"{option}: no column {column!r} is fitted on",
                near=near,
                hint="regcli inspect lists the columns and what is made of them",
            )
        out.update(dict.fromkeys(named, value))
    return out


def given_options(request: FitRequest | PathRequest | InspectRequest) -> dict[str, object]:
    """The options that were given, by field name: what a document's ``options`` repeats.

    Those that change no number, and those a document has keys for, are left out.
    """
    out: dict[str, object] = {}
    for group in (getattr(request, part.name) for part in fields(request) if part.name not in _JUDGING):
        for item in fields(group):
            value = getattr(group, item.name)
            if item.name not in ("data", "model_out") and value != item.default:
                out[item.name] = list(value) if isinstance(value, tuple) else value
    return out


def refuse(given: Mapping[str, bool], because: str, way: str = "") -> None:
    """Raise for the first option that was given although it cannot have an effect.

    ``way`` is what would give it one, if anything does.
    """
    for option, present in given.items():
        if present:
            raise UsageError(
                "option-without-effect",
                f"{option} has no effect {because}",
                hint=f"{way and f'{way}, or '}leave {option} out",
            )
