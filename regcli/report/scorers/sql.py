"""A scorer as one SELECT, in the SQL that SQLite, DuckDB and PostgreSQL have in common.

From the inside out it reads the cells, checks them, adds up, and applies the inverse link. Every layer names its
columns itself, so that no column of the table can be taken for one of the scorer's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from regcli.data.rule import DOMAINS, LARGEST_EXPONENT, Condition, Input, Made, Missing, Rule, degree
from regcli.errors import UsageError
from regcli.report.escape import visible
from regcli.report.scorers.infix import SMALLEST_LOGIT, Syntax, about, expression, grouped
from regcli.report.scorers.spellings import places_of
from regcli.report.scorers.sql_names import literal, numeral, quoted
from regcli.report.scorers.sql_texts import Steps, counted, require_countable, steps

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

_RESPONSE = {
    "identity": "link",
    "logit": (
        # 1 + exp(-40) is 1 in double precision
        f"CASE WHEN link < {numeral(SMALLEST_LOGIT)} THEN 0e0 WHEN link > 40 THEN 1e0 ELSE 1e0 / (1e0 + exp(-link)) END"
    ),
    "log": (
        # exp(-745.2) is 0 in double precision, which PostgreSQL makes an error of
        f"CASE WHEN link > {numeral(LARGEST_EXPONENT)} THEN exp({numeral(LARGEST_EXPONENT)})"
        " WHEN link < -745e0 THEN 0e0 ELSE exp(link) END"
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
        ``conflicting-options``: a column that goes along is called like an output; ``not-exportable``: a run of words
        that overlaps itself, or columns whose names differ by capitals alone.
    """
    require_countable(rule)
    _require_apart([*(each.column for each in rule.inputs), *ids])
    clash = [name for name in ids if name.lower() in outputs]  # SQL does not tell capitals apart
    if clash:
        raise UsageError(
            "conflicting-options", f"column {clash[0]!r} is called like an output", hint="--id COL for another column"
        )
    return "\n".join([*_comments(rule, outputs), *_statement(rule, table, ids, outputs)]) + ";\n"


def _require_apart(names: Sequence[str]) -> None:
    """Databases do not tell capitals apart, some not even within quotes: one column would be taken for the other."""
    first: dict[str, str] = {}
    for name in names:
        other = first.setdefault(name.casefold(), name)
        if other != name:
            text = f"columns {other!r} and {name!r} differ by capitals alone, and databases take one for the other"
            raise UsageError("not-exportable", text, hint="rename one of them and fit again, or another --to")


def _comments(rule: Rule, outputs: tuple[str, ...]) -> Iterator[str]:
    """What the statement is, what it needs, when it gives NULL."""
    lines = [*about(rule), f"For SQLite, DuckDB and PostgreSQL. {_needs(rule, outputs)}."]
    lines.append(
        "A row that cannot be scored gives NULL: a cell missing that the model does not fill, text among numbers,"
    )
    lines.append(
        "a category that the model does not know, an exposure that is not above 0, numbers that are too large."
    )
    if any(made.function in DOMAINS for part in rule.inputs for made in part.made):
        lines.append("So does a number that a function has no value for.")
    if any(part.dates for part in rule.inputs):
        lines.append(
            "So does a text that is no date in ISO 8601: YYYY-MM-DD, YYYYMMDD or YYYY-Www-D, then T or a blank and"
        )
        lines.append("a time with its offset (HH:MM:SS+HH:MM, HH:MMZ, HHMM), or less of it.")
    if any(part.words for part in rule.inputs):
        lines.append(
            "So does a text with letters or signs that are neither of western Europe nor in words of the model."
        )
    yield from (f"-- {line}" for line in lines)


def _needs(rule: Rule, outputs: tuple[str, ...]) -> str:
    """What a database must have."""
    made = [made.function for part in rule.inputs for made in part.made]
    inner = {_CALLED[function] for function in made if function in _CALLED}
    inner |= {"ln"} if rule.exposure is not None else set()
    response = {"exp"} if rule.link != "identity" and outputs != ("link",) else set()
    calls = sorted(inner | response)
    if calls:
        named = f"{'function' if len(calls) == 1 else 'functions'} {', '.join(calls)}"
        alone = "" if inner or not response else "; link alone needs none"
        return f"It needs the {named} (SQLite from 3.35 on, unless built without){alone}"
    if made or any(part.words for part in rule.inputs):
        return "It needs common tables that are materialized (SQLite from 3.35 on)"
    return "It needs no functions beside CASE and CAST"


def _statement(rule: Rule, table: str, ids: tuple[str, ...], outputs: tuple[str, ...]) -> Iterator[str]:
    """The layers from the outside in."""
    places = {part.column: str(at) for at, part in enumerate(rule.inputs)}
    places |= {made.column: f"{places[part.column]}_{made.function}" for part in rule.inputs for made in part.made}
    ranges = _ranges(rule)
    cells = {part.column: (_as_text(part), _gone(rule, part)) for part in rule.inputs if part.kind != "number"}
    cells |= {part.column: (_as_number(part), "") for part in rule.inputs if part.kind == "number"}
    before = steps(rule, table, ids, cells)
    keys = [f"k{at}" for at in range(len(ids))]
    results = {"link": "link", "response": "response", "class": _class(rule)}
    named = [f"{key} AS {quoted(name)}" for key, name in zip(keys, ids, strict=True)]
    yield from before.lines
    yield "SELECT"
    yield ",\n".join(f"  {item}" for item in [*named, *(f"{results[name]} AS {quoted(name)}" for name in outputs)])
    if outputs != ("link",):
        yield "FROM (SELECT"
        yield ",\n".join(f"  {item}" for item in [*keys, "link", f"{_RESPONSE[rule.link]} AS response"])
    yield "FROM (SELECT"
    yield "".join(f"  {key},\n" for key in keys) + "  CASE WHEN usable = 1 THEN"
    needed: set[str] = set()
    yield "    " + grouped(list(_parts(rule, places, needed)), "+", " " * 4)
    yield "  END AS link"
    yield "FROM (SELECT"
    items = [f"t.{quoted(name)} AS {key}" for key, name in zip(keys, ids, strict=True)]
    read = [cell for at, part in enumerate(rule.inputs) for cell in _cell(rule, part, at, (ranges, before))]
    items += [f"{value} AS {name}" for name, value in read if name in needed]
    guards = [_guard(rule, part, ranges, before) for part in rule.inputs]
    items.append(f"CASE WHEN {grouped(guards or ['1 = 1'], 'AND', ' ' * 4)} THEN 1 ELSE 0 END AS usable")
    yield ",\n".join(f"  {item}" for item in items)
    yield f"FROM {before.table} AS t"
    yield ") AS cells" if outputs == ("link",) else ") AS cells\n) AS sums"
    yield ") AS links"


def _class(rule: Rule) -> str:
    """The class at the threshold."""
    return (
        f"CASE WHEN response >= {numeral(rule.threshold)} THEN {literal(rule.positive or '')}"
        f" WHEN response < {numeral(rule.threshold)} THEN {literal(rule.negative)} END"
    )


def _cell(rule: Rule, part: Input, at: int, of: tuple[dict[str, _Range], Steps]) -> Iterator[tuple[str, str]]:
    """What a cell is: x as a number, c as text, w as words, m whether it is missing, and what is made of it."""
    ranges, before = of
    gone = _gone(rule, part)

    def filled(value: str, fill: float | None, span: _Range) -> str:
        least = numeral(span.least)
        near = f"WHEN {value} BETWEEN -{least} AND {least} THEN 0e0 ELSE {value} END"
        return f"CASE {near}" if fill is None else f"CASE WHEN {gone} THEN {numeral(fill)} {near}"

    if part.positive:  # its logarithm is taken: nothing near 0 is 0
        yield f"x{at}", _as_number(part)
    elif part.kind == "number":
        yield f"x{at}", filled(_as_number(part), part.fill, ranges.get(part.column, _Range()))
    elif part.levels:
        confused = part.boolean and any(word.lower() in part.levels for word in rule.na_values)
        yield f"c{at}", f"CASE WHEN NOT ({gone}) THEN {_as_text(part)} END" if confused else _as_text(part)
    if part.words:
        yield f"w{at}", f"t.{before.names[part.column, 'words']}"
    yield f"m{at}", f"CASE WHEN {gone} THEN 1 ELSE 0 END"
    for made in part.made:
        value = _made(part, made, before)
        if made.levels:
            yield f"c{at}_{made.function}", value if part.required else f"CASE WHEN NOT ({gone}) THEN {value} END"
        else:
            yield f"x{at}_{made.function}", filled(value, made.fill, ranges.get(made.column, _Range()))


def _made(part: Input, made: Made, before: Steps) -> str:
    """What a function makes of a cell; NULL where it has no value, the month from 1 and the weekday from 0."""
    value = f"t.{before.names[part.column, made.function]}"
    return f"CAST({value} AS {_DOUBLE})" if made.function == "year" else value


#: What databases need for functions of numbers.
_CALLED = {"exp": "exp", "sqrt": "sqrt", **dict.fromkeys(("log", "log10", "log1p", "log2"), "ln")}

#: Functions whose values may be as large as numbers are.
_UNBOUNDED = frozenset({"abs", "exp", "sqrt"})


def _guard(rule: Rule, part: Input, ranges: dict[str, _Range], before: Steps) -> str:
    """When a cell can be used."""
    gone, usable = _gone(rule, part), list[str]()
    if part.kind == "number":
        number, most = _as_number(part), numeral(ranges.get(part.column, _Range()).most)
        # SQLite casts text to 0: where the number is not what it was cast from, the cell was no number.
        usable += [f"{number} = t.{quoted(part.column)}", f"{number} BETWEEN -{most} AND {most}"]
        usable += [f"{number} > 0"] if part.positive else []
    if part.closed:
        usable.append(f"{_as_text(part)} IN ({', '.join(map(literal, part.levels))})")
    if part.dates or part.words:
        usable.append(f"t.{before.names[part.column, 'valid' if part.dates else 'known']} = 1")
    for made in part.made:
        value = _made(part, made, before)
        if made.closed:
            usable.append(_among(value, made))
        elif made.used and made.function in _UNBOUNDED:
            usable.append(f"{value} <= {numeral(ranges.get(made.column, _Range()).most)}")
        elif part.kind == "number":
            usable.append(f"{value} IS NOT NULL")
    if not usable:
        return f"NOT ({gone})" if part.required else "1 = 1"
    every = " AND ".join(usable)
    if part.required:  # NaN and NULL are in no range, a level that is missing is none
        plain = not rule.missing_numbers if part.kind == "number" else part.closed and not part.boolean
        return every if plain else f"NOT ({gone}) AND {every}"
    return f"({gone} OR {every})"


def _among(value: str, made: Made, levels: tuple[str, ...] | None = None) -> str:
    """Whether the number of a month or a day of the week is that of a level."""
    places = places_of(made.function, made.levels if levels is None else levels)
    return f"{value} IN ({', '.join(map(str, places))})" if places else "1 = 0"


def _gone(rule: Rule, part: Input) -> str:
    """When a cell is missing."""
    gone = f"t.{quoted(part.column)} IS NULL"
    if part.kind == "number":
        number = _as_number(part)
        gone = f"{gone} OR ({number} > {_LARGEST!r} AND -{number} > {_LARGEST!r})"
        stand_ins = ", ".join(map(numeral, rule.missing_numbers))
        return f"{gone} OR {number} IN ({stand_ins})" if stand_ins else gone
    return f"{gone} OR {_spelt(part)} IN ({', '.join(map(literal, rule.na_values))})" if rule.na_values else gone


def _as_number(part: Input) -> str:
    return f"CAST(t.{quoted(part.column)} AS {_DOUBLE})"


def _as_text(part: Input) -> str:
    """A text as levels are compared with it: true and false in small letters."""
    return f"lower{_spelt(part)}" if part.boolean else _spelt(part)


def _spelt(part: Input) -> str:
    # Joined with nothing, so that a collation of the column's own plays no part.
    return f"(CAST(t.{quoted(part.column)} AS VARCHAR) || '')"


def _ranges(rule: Rule) -> dict[str, _Range]:
    """The range of every column of numbers that is multiplied with anything."""
    powers: dict[str, int] = {}
    sizes: dict[str, float] = {}
    for term in rule.summands:
        power = degree(term.node)
        for column in dict.fromkeys(factor.column for factor, _ in term.factors):
            powers[column] = max(powers.get(column, 1), power)
            sizes[column] = max(sizes.get(column, 1.0), abs(term.estimate))
    return {
        column: _Range(_SMALLEST_PART ** (1.0 / power), (_LARGEST_PART / sizes[column]) ** (1.0 / power))
        for column, power in powers.items()
    }


def _parts(rule: Rule, places: dict[str, str], needed: set[str]) -> Iterator[str]:
    """What is added up; ``needed`` is told the columns that it is made of."""
    made = {made.column: made for part in rule.inputs for made in part.made}
    texts = {part.column: part for part in rule.inputs}

    def called(kind: str, column: str) -> str:
        needed.add(kind + places[column])
        return kind + places[column]

    def condition(asked: Condition) -> str:
        if isinstance(asked, Missing):
            return f"{called('m', asked.source)} = 1"
        if asked.column in made:
            return _among(called("c", asked.column), made[asked.column], asked.levels)
        return f"{called('c', asked.column)} IN ({', '.join(map(literal, asked.levels))})"

    syntax = Syntax(
        number=numeral,
        cell=lambda column: called("x", column),
        count=lambda column, run: counted(called("w", column), run, binary=texts[column].binary),
        condition=condition,
        choose="CASE WHEN {condition} THEN {then} ELSE {otherwise} END",
        log="ln",
        larger="CASE WHEN {of} < {bound} THEN {bound} ELSE {of} END",
        smaller="CASE WHEN {of} > {bound} THEN {bound} ELSE {of} END",
    )
    yield f"CAST({numeral(rule.intercept)} AS {_DOUBLE})"
    if rule.shift is not None:
        yield expression(rule.shift, syntax)
    for term in rule.summands:
        yield f"{numeral(term.estimate)} * {expression(term.node, syntax)}  -- {visible(term.name)}"
