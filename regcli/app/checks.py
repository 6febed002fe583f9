"""Checks that a result must pass: ``--assert 'metrics.cv.r2 > 0.6 and "age" in selected'``.

Names are paths into the document, and for models ``coef["NAME"]`` and ``std_coef["NAME"]``: the estimates of all terms,
those that are zero too.

Null means that there is no answer. A check that meets one fails, whatever is around it: ``not`` and ``or`` do not turn
it into a pass. ``x == null`` and ``x != null`` are questions about null and have an answer. Every part of an expression
is evaluated, so that a misspelt name is found wherever it stands.
"""

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from regcli.app.expressions import Call, Expression, Fault, Literal, Name, Node, read
from regcli.app.options import Metric, choices
from regcli.app.verdict import Check, quoted
from regcli.errors import UsageError

__all__ = ["evaluate", "names_of", "parse", "require_names"]

Names = Mapping[str, Any]

#: Names whose keys are those of terms.
_TERMS = ("coef", "std_coef")

_EXAMPLES = (
    "such as 'metrics.cv.r2 > 0.6' (check and predict: 'metrics.r2 > 0.6'), 'n_selected <= 8 and \"age\" in selected', "
    "'coef[\"age\"] > 0'; a quote in a name is doubled"
)

_KINDS = {
    "number": "a number",
    "text": "text",
    "truth": "true or false",
    "null": "null",
    "list": "a list",
    "object": "an object",
}

#: Signs between two values.
_SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "in": lambda x, y: x in y,
    "not in": lambda x, y: x not in y,
}

#: The kinds of values that a function takes, and what it makes of them.
_FUNCTIONS: Mapping[str, tuple[tuple[str, ...], Callable[..., object]]] = {
    "and": (("truth",), lambda *x: all(x)),
    "or": (("truth",), lambda *x: any(x)),
    "not": (("truth",), operator.not_),
    "-": (("number",), operator.neg),
    "abs": (("number",), abs),
    "sign": (("number",), lambda x: (x > 0) - (x < 0)),
    "min": (("number",), lambda *x: min(x)),
    "max": (("number",), lambda *x: max(x)),
    "len": (("list", "object", "text"), len),
}


def parse(text: str) -> Expression:
    """Read an expression.

    Raises
    ------
    UsageError
        It cannot be read.
    """
    try:
        return read(text)
    except Fault as fault:
        raise _refusal(text, fault) from None


def require_names(expression: Expression, schema: Names, *, terms: bool, more: Names | None = None) -> None:
    """Refuse names that no document of this JSON Schema has, as far as a schema tells: before any work is done.

    ``more`` has the parts of names that are known better than the schema does: which metrics, which columns.

    Raises
    ------
    UsageError
        There is no such name. ``terms`` says whether ``coef`` and ``std_coef`` are names.
    """
    known = names_of(_skeleton(schema) or {}, dict.fromkeys(_TERMS if terms else ()))
    scores = dict.fromkeys((*choices(Metric), "chosen_on_these_folds"))
    parts = known.get("metrics")
    known["metrics"] = dict.fromkeys(parts, scores) if parts else scores
    known |= more or {}
    try:
        for name in expression.names:
            _look(known, name)
    except Fault as fault:
        raise _refusal(expression.text, fault) from None


class _Absent(tuple[str, ...]):
    """A null whose parts have names all the same: metrics of rows that were not scored."""

    __slots__ = ()


def names_of(document: Names, estimates: Names) -> dict[str, Any]:
    """What names stand for: the document's keys without ``checks``, and ``coef`` and ``std_coef`` where there are.

    Where metrics are null their names are those of the metrics that are not: one of another family stays unknown.
    """
    names = {key: value for key, value in document.items() if key != "checks"} | dict(estimates)
    metrics = document.get("metrics")
    if isinstance(metrics, Mapping) and isinstance(metrics.get("train"), Mapping):
        known = _Absent((*metrics["train"], "chosen_on_these_folds"))
        names["metrics"] = {part: known if scores is None else scores for part, scores in metrics.items()}
    return names


def evaluate(expression: Expression, names: Names) -> Check:
    """Make a check.

    Raises
    ------
    UsageError
        A name is not known, unlike things are compared, or the expression is neither true nor false.
    """
    try:
        values = {name.text: _look(names, name) for name in expression.names}
        truth = _need(("truth",), _value(expression.tree, values))
    except Fault as fault:
        raise _refusal(expression.text, fault) from None
    return Check(expression.text, truth is True, values)


def _refusal(expression: str, fault: Fault) -> UsageError:
    return UsageError("unknown-option-value", f"--assert {expression!r}: {fault}", near=fault.near, hint=_EXAMPLES)


# -- values ----------------------------------------------------------------------------------------------------------


def _kind(value: object) -> str:
    if value is None or isinstance(value, _Absent) or (isinstance(value, float) and not math.isfinite(value)):
        return "null"
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "list" if isinstance(value, list | tuple) else "object"


def _need(kinds: Sequence[str], value: object) -> object:
    """The value if it is of one of these kinds, None if it is null."""
    kind = _kind(value)
    if kind == "null":
        return None
    if kind not in kinds:
        raise Fault(f"{_KINDS[kind]} stands where {' or '.join(_KINDS[kind] for kind in kinds)} should be")
    return value


def _value(node: Node, values: Mapping[str, object]) -> object:
    """The value of a part of an expression; None where it has none."""
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Name):
        return values[node.text]
    if isinstance(node, Call):
        kinds, function = _FUNCTIONS[node.function]
        operands = [_need(kinds, _value(operand, values)) for operand in node.operands]
        return None if None in operands else function(*operands)
    first = _value(node.first, values)
    rest = [(sign, _value(part, values)) for sign, part in node.rest]
    if not node.compares:
        return _reckon(first, rest)
    nulls = [part == Literal(None) for part in (node.first, *(part for _, part in node.rest))]
    links = []
    for at, (sign, right) in enumerate(rest):
        asks = nulls[at] or nulls[at + 1]
        links.append(_ask(sign, first, right) if asks and sign in ("==", "!=") else _compare(sign, first, right))
        first = right
    return None if None in links else all(links)


def _reckon(first: object, rest: Sequence[tuple[str, object]]) -> object:
    total, known = _need(("number",), first), [(sign, _need(("number",), value)) for sign, value in rest]
    for sign, value in known:
        if total is None or value is None:
            return None
        try:
            total = _need(("number",), _SIGNS[sign](total, value))
        except ArithmeticError:  # a division by zero, or a number beyond double precision
            return None
    return total


def _ask(sign: str, left: object, right: object) -> bool:
    """Answer a question about null: one side is spelt so."""
    return (_kind(left) == _kind(right)) == (sign == "==")


def _compare(sign: str, left: object, right: object) -> bool | None:
    one, other = _kind(left), _kind(right)
    if "in" in sign:
        _need(("number", "text"), left)
        kinds = {_kind(member) for member in _members(right)}
        if "null" in {one, other, *kinds}:
            return None
        same, comparable = kinds <= {one}, True
    else:
        if "null" in (one, other):
            return None
        same = one == other
        comparable = one in ("number", "text") or (one == "truth" and sign in ("==", "!="))
    if not same:
        raise Fault(f"{_KINDS[one]} cannot be compared with {'what is in the list' if 'in' in sign else _KINDS[other]}")
    if not comparable:
        raise Fault(f"{_KINDS[one]} cannot be compared by {sign}")
    return bool(_SIGNS[sign](left, right))


def _members(value: object) -> Sequence[object]:
    found = _need(("list",), value)
    return found if isinstance(found, list | tuple) else ()


# -- names -----------------------------------------------------------------------------------------------------------


def _look(names: Names, name: Name) -> object:
    """What a name stands for. A part of what is null is null, and so is what lies past the end of a list."""
    value: object = names
    for key in name.keys:
        if isinstance(value, _Absent) and key not in value:
            raise Fault(f"no name {name.text}", _near(names, name))
        if _kind(value) == "null":
            return None
        if isinstance(key, int) and isinstance(value, list | tuple) and not -len(value) <= key < len(value):
            return None
        if not _holds(value, key):
            raise Fault(f"no name {name.text}", _near(names, name))
        value = value[key]  # type: ignore[index]  # it holds the key
    return None if _kind(value) == "null" else value


def _holds(value: object, key: str | int) -> bool:
    if isinstance(key, int):
        return isinstance(value, list | tuple) and -len(value) <= key < len(value)
    return isinstance(value, Mapping) and key in value


def _near(names: Names, name: Name) -> list[str]:
    """Known names that end as this one does, or are spelt nearly so."""
    first, *rest = name.keys
    terms = names.get(str(first)) if first in _TERMS and rest else None
    if isinstance(terms, Mapping):
        return [_spelt((first, key)) for key in get_close_matches(str(rest[0]), terms, n=3, cutoff=0.5)]
    wanted, known = _spelt(name.keys), list(_paths(names, ()))
    ending = [path for path in known if path.endswith(f".{wanted}")]
    return list(dict.fromkeys([*ending, *get_close_matches(wanted, known, n=3)]))[:3]


def _paths(names: Names, above: tuple[str, ...]) -> Iterator[str]:
    for key, value in names.items():
        yield _spelt((*above, key))
        if isinstance(value, Mapping) and key not in _TERMS:
            yield from _paths(value, (*above, key))


def _spelt(keys: Sequence[str | int]) -> str:
    """A name as it can be written."""
    out = str(keys[0])
    for key in keys[1:]:
        if isinstance(key, int):
            out += f"[{key}]"
        else:
            out += f".{key}" if key.isidentifier() and keys[0] not in _TERMS else f"[{quoted(key)}]"
    return out


def _skeleton(schema: Names) -> dict[str, Any] | None:
    """The keys of documents of this schema; None for a value, a list, and what may have other keys as well."""
    for form in schema.get("anyOf", [schema]):
        if form.get("additionalProperties") is False:
            return {key: _skeleton(part) for key, part in form["properties"].items()}
    return None
