"""A scorer as one SELECT, in the SQL that SQLite, DuckDB and PostgreSQL have in common.

From the inside out it reads the cells, checks them, adds up, and applies the inverse link. Every layer names its
columns itself, so that no column of the table can be taken for one of the scorer's.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from regcli.data.rule import LARGEST_EXPONENT, Condition, Input, Missing, Rule, degree
from regcli.errors import UsageError
from regcli.report.escape import visible
from regcli.report.scorers.infix import SMALLEST_LOGIT, Syntax, about, expression, grouped

__all__ = ["sql_scorer"]

#: Rows whose parts might be beyond this have no prediction: PostgreSQL makes an error of what leaves double precision
#: on the way. Room for a hundred million terms.
_LARGEST_PART = 1e300

#: Numbers are taken for 0 where they, or products of them, might be below this: PostgreSQL makes an error of what
#: vanishes, too. Estimates down to 1e-30 have room.
_SMALLEST_PART = 1e-290

#: NaN is above every number in DuckDB and PostgreSQL, and so is -NaN; SQLite has none.
_LARGEST = 1.7976931348623157e308

_DOUBLE = "DOUBLE PRECISION"

_NEEDS = {
    "identity": "It needs no functions beside CASE and CAST",
    "logit": "Response and class need the function exp (SQLite from 3.35 on, unless built without); link needs none",
    "log": "Response needs the function exp (SQLite from 3.35 on, unless built without); link needs none",
}

_RESPONSE = {
    "identity": "link",
    "logit": (
        # 1 + exp(-40) is 1 in double precision
        f"CASE WHEN link < {SMALLEST_LOGIT!r}e0 THEN 0e0 WHEN link > 40 THEN 1e0 ELSE 1e0 / (1e0 + exp(-link)) END"
    ),
    "log": (
        # exp(-745.2) is 0 in double precision, which PostgreSQL makes an error of
        f"CASE WHEN link > {LARGEST_EXPONENT!r}e0 THEN exp({LARGEST_EXPONENT!r}e0) WHEN link < -745e0 THEN 0e0"
        " ELSE exp(link) END"
    ),
}


@dataclass(frozen=True, slots=True)
class _Range:
    """Between which sizes numbers of a column are taken as they are.

    A number is at most ``most``, so that nothing it is multiplied to leaves double precision, and below ``least`` it
    is 0.
    """

    least: float = _SMALLEST_PART
    most: float = _LARGEST_PART


def sql_scorer(rule: Rule, table: str, ids: tuple[str, ...], outputs: tuple[str, ...]) -> str:
    """The statement: columns ``ids`` of ``table`` as they are, then ``outputs``.

    Raises
    ------
    UsageError
        ``conflicting-options``: a column that goes along is called like an output.
    """
    clash = [name for name in ids if name.lower() in outputs]  # SQL does not tell capitals apart
    if clash:
        raise UsageError(
            "conflicting-options", f"column {clash[0]!r} is called like an output", hint="--id COL for another column"
        )
    return "\n".join([*_comments(rule, outputs), *_statement(rule, table, ids, outputs)]) + ";\n"


def _comments(rule: Rule, outputs: tuple[str, ...]) -> Iterator[str]:
    """What the statement is, what it needs, when it gives NULL."""
    needs = _NEEDS[rule.link] if outputs != ("link",) else _NEEDS["identity"]
    if rule.exposure is not None:
        needs += "; the exposure needs the function ln"
    for line in [*about(rule), "For SQLite, DuckDB and PostgreSQL. " + needs + "."]:
        yield f"-- {line}"
    yield "-- A row that cannot be scored gives NULL: a cell missing that the model does not fill, text among numbers,"
    yield "-- a category that the model does not know, an exposure that is not above 0, numbers that are too large."


def _statement(rule: Rule, table: str, ids: tuple[str, ...], outputs: tuple[str, ...]) -> Iterator[str]:
    """The layers from the outside in."""
    places = {part.column: at for at, part in enumerate(rule.inputs)}
    ranges = _ranges(rule)
    spans = [ranges.get(part.column, _Range()) for part in rule.inputs]
    keys = [f"k{at}" for at in range(len(ids))]
    results = {"link": "link", "response": "response", "class": _class(rule)}
    named = [f"{key} AS {_name(name)}" for key, name in zip(keys, ids, strict=True)]
    yield "SELECT"
    yield ",\n".join(f"  {item}" for item in [*named, *(f"{results[name]} AS {_name(name)}" for name in outputs)])
    if outputs != ("link",):
        yield "FROM (SELECT"
        yield ",\n".join(f"  {item}" for item in [*keys, "link", f"{_RESPONSE[rule.link]} AS response"])
    yield "FROM (SELECT"
    yield "".join(f"  {key},\n" for key in keys) + "  CASE WHEN usable = 1 THEN"
    yield "    " + grouped(list(_parts(rule, places)), "+", " " * 4)
    yield "  END AS link"
    yield "FROM (SELECT"
    cells = [f"t.{_name(name)} AS {key}" for key, name in zip(keys, ids, strict=True)]
    cells += [item for at, part in enumerate(rule.inputs) for item in _cell(rule, part, at, spans[at])]
    guards = [_guard(rule, part, span) for part, span in zip(rule.inputs, spans, strict=True)]
    cells.append(f"CASE WHEN {grouped(guards or ['1 = 1'], 'AND', ' ' * 4)} THEN 1 ELSE 0 END AS usable")
    yield ",\n".join(f"  {item}" for item in cells)
    yield f"FROM {_name(table)} AS t"
    yield ") AS cells" if outputs == ("link",) else ") AS cells\n) AS sums"
    yield ") AS links"


def _class(rule: Rule) -> str:
    """The class at the threshold."""
    return (
        f"CASE WHEN response >= {_number(rule.threshold)} THEN {_text(rule.positive or '')}"
        f" WHEN response < {_number(rule.threshold)} THEN {_text(rule.negative)} END"
    )


def _cell(rule: Rule, part: Input, at: int, span: _Range) -> Iterator[str]:
    """A cell as it is read: x as a number or c as text, and m whether it is missing."""
    if part.kind == "category":
        yield f"{_as_text(part)} AS c{at}"
        value = None
    else:
        number, least = _as_number(part), _number(span.least)
        value = f"WHEN {number} BETWEEN -{least} AND {least} THEN 0e0 ELSE {number} END AS x{at}"
    gone = _gone(rule, part)
    if value is not None:
        yield f"CASE {value}" if part.fill is None else f"CASE WHEN {gone} THEN {_number(part.fill)} {value}"
    if not part.required:
        yield f"CASE WHEN {gone} THEN 1 ELSE 0 END AS m{at}"


def _guard(rule: Rule, part: Input, span: _Range) -> str:
    """When a cell can be used."""
    gone = _gone(rule, part)
    if part.kind == "category" and not part.closed:
        return f"NOT ({gone})" if part.required else "1 = 1"
    if part.kind == "category":
        usable = f"{_as_text(part)} IN ({', '.join(map(_text, part.levels))})"
    else:
        number, most = _as_number(part), _number(span.most)
        # SQLite casts text to 0: where the number is not what it was cast from, the cell was no number.
        usable = f"{number} = t.{_name(part.column)} AND {number} BETWEEN -{most} AND {most}"
        usable += f" AND {number} > 0" if part.positive else ""
    return usable if part.required else f"({gone} OR {usable})"


def _gone(rule: Rule, part: Input) -> str:
    """When a cell is missing."""
    gone = f"t.{_name(part.column)} IS NULL"
    if part.kind == "number":
        number = _as_number(part)
        return f"{gone} OR ({number} > {_LARGEST!r} AND -{number} > {_LARGEST!r})"
    return f"{gone} OR {_as_text(part)} IN ({', '.join(map(_text, rule.na_values))})" if rule.na_values else gone


def _as_number(part: Input) -> str:
    return f"CAST(t.{_name(part.column)} AS {_DOUBLE})"


def _as_text(part: Input) -> str:
    # Joined with nothing, so that a collation of the column's own plays no part.
    text = f"(CAST(t.{_name(part.column)} AS VARCHAR) || '')"
    return f"lower{text}" if part.boolean else text


def _ranges(rule: Rule) -> dict[str, _Range]:
    """The range of every column of numbers that is multiplied with anything."""
    powers: dict[str, int] = {}
    sizes: dict[str, float] = {}
    for term in rule.summands:
        power = degree(term.node)
        for source in dict.fromkeys(factor.source for factor, _ in term.factors):
            powers[source] = max(powers.get(source, 1), power)
            sizes[source] = max(sizes.get(source, 1.0), abs(term.estimate))
    return {
        source: _Range(_SMALLEST_PART ** (1.0 / power), (_LARGEST_PART / sizes[source]) ** (1.0 / power))
        for source, power in powers.items()
    }


def _parts(rule: Rule, places: dict[str, int]) -> Iterator[str]:
    """What is added up."""

    def condition(asked: Condition) -> str:
        at = places[asked.source]
        return f"m{at} = 1" if isinstance(asked, Missing) else f"c{at} IN ({', '.join(map(_text, asked.levels))})"

    syntax = Syntax(
        number=_number,
        cell=lambda source: f"x{places[source]}",
        condition=condition,
        choose="CASE WHEN {condition} THEN {then} ELSE {otherwise} END",
        log="ln",
        larger="CASE WHEN {of} < {bound} THEN {bound} ELSE {of} END",
        smaller="CASE WHEN {of} > {bound} THEN {bound} ELSE {of} END",
    )
    yield f"CAST({_number(rule.intercept)} AS {_DOUBLE})"
    if rule.shift is not None:
        yield expression(rule.shift, syntax)
    for term in rule.summands:
        yield f"{_number(term.estimate)} * {expression(term.node, syntax)}  -- {visible(term.name)}"


def _number(value: float) -> str:
    """A double: the exponent makes it one in DuckDB, where a number without is a decimal."""
    text = repr(value)
    return text if "e" in text else f"{text}e0"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'
