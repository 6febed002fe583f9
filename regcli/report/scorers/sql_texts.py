"""Functions, dates and words in the SQL that SQLite, DuckDB and PostgreSQL share: steps that lead to what terms need.

There are no patterns in it, and no two databases name the functions alike that find one text in another: texts are
taken apart with replace, substr, trim and length. Each step is materialized, so that nothing is worked out as often as
later ones use it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from regcli.data.rule import DOMAINS, Input, Rule
from regcli.report.scorers.infix import free
from regcli.report.scorers.letters import UNSURE, capitals_of
from regcli.report.scorers.refusal import refusal
from regcli.report.scorers.sql_dates import NOTES, date_steps
from regcli.report.scorers.sql_names import Columns, Step, literal, nested, numeral, quoted

__all__ = ["Steps", "counted", "require_countable", "steps"]

#: Calls of a function within each other. SQLite 3.40 gives up between 20 and 40 ("parser stack overflow").
_NESTED = 15

_LATIN_1 = [chr(code) for code in (*range(0x20, 0x7F), *range(0xA0, 0x100))]

#: What makes words: the small letters and digits of ASCII and of western Europe. A text with anything else that is not
#: in ``_BETWEEN`` is not scored: whether it makes words is not for a database to say.
_LETTERS = "".join(letter for letter in _LATIN_1 if letter == "_" or (letter.isalnum() and letter == letter.lower()))

#: What comes between words beside the space: the other signs of these, white space, and what is in texts that were set.
_BETWEEN = (
    *(sign for sign in _LATIN_1 if sign not in {"_", " ", "\xad"} and not sign.isalnum()),
    *"\t\n\r\u2013\u2014\u2018\u2019\u201a\u201c\u201d\u201e\u2022\u2026\u20ac",
)

#: A sign that is in neither, in the place of capitals that databases make different small letters of.
_UNKNOWN = "\u2211"

#: What the columns of steps are.
_NOTES = {
    **NOTES,
    "words": "the text in small letters; then a space for every sign between words, and two between them",
    "known": "whether all of its signs are known",
}


@dataclass(frozen=True, slots=True)
class Steps:
    """The tables before the scorer's own: their lines, the name of the last, and what its new columns are called.

    Names are by column of the file and what it is: ``words`` and ``known`` of a text; ``valid`` of a date; and what
    functions make of a cell.
    """

    lines: tuple[str, ...]
    table: str
    names: Mapping[tuple[str, str], str]


def require_countable(rule: Rule) -> None:
    """Refuse runs of words that may share more than one word with themselves: replace does not see both."""
    for part in rule.inputs:
        for run in () if part.binary else part.words:
            words = run.split(" ")
            if any(words[shift:] == words[:-shift] for shift in range(1, len(words) - 1)):
                raise refusal(f"SQL cannot count {run!r} in column {part.column!r}, which overlaps itself", "sql")


def steps(rule: Rule, table: str, ids: Sequence[str], cells: Mapping[str, tuple[str, str]]) -> Steps:
    """The steps of all dates and texts side by side; none where there are none.

    ``cells`` are texts by column, and when they are missing.
    """
    carried = dict.fromkeys([*ids, *(part.column for part in rule.inputs)])
    taken = {table.lower(), *(column.lower() for column in carried)}
    named = {part.column: Columns(at, taken) for at, part in enumerate(rule.inputs) if part.made or part.words}
    chains = [
        list(_chain(part, named[part.column], cells[part.column])) for part in rule.inputs if part.column in named
    ]
    notes = {of(kind): _NOTES[kind] for of in named.values() for kind in list(of.names) if kind in _NOTES}
    lines, source = list[str](), quoted(table)
    columns = [f"t.{quoted(column)}" for column in carried]
    for number, each in enumerate(zip_longest(*chains, fillvalue=dict[str, str]()), 1):
        made = {column: value for step in each for column, value in step.items()}
        kept = [column for column in columns if column not in made]
        items = ["t.*" if lines and len(kept) == len(columns) else ", ".join(kept)]
        items += [f"{_noted(notes.pop(column, ''))}{value} AS {column[2:]}" for column, value in made.items()]
        called = quoted(free(f"step{number}", taken))
        lines.append(f"{called} AS MATERIALIZED (SELECT\n  " + ",\n  ".join(items) + f"\nFROM {source} AS t)")
        columns, source = [*kept, *made], called
    names = {(column, kind): name for column, of in named.items() for kind, name in of.names.items()}
    return Steps(("WITH " + ",\n".join(lines),) if lines else (), source, names)


def _chain(part: Input, of: Columns, cell: tuple[str, str]) -> Iterator[Step]:
    """The steps of one input: of its cell, and when that is missing."""
    if part.dates:
        yield from date_steps(of, cell[0], [made.function for made in part.made])
    elif part.words:
        yield from _word_steps(part, of, cell)
    else:
        yield {of("number"): cell[0]}
        yield {of(made.function): _value(made.function, of("number")) for made in part.made}


def _noted(note: str) -> str:
    return f"-- {note}\n  " if note else ""


# -- functions -------------------------------------------------------------------------------------------------------

#: Functions of numbers. log1p is the logarithm of what 1 + x was rounded to, mended by how far that is from 1 + x; what
#: exp makes of less than -700 counts as 0, and where it is less than the least double PostgreSQL makes an error of it.
_FUNCTIONS = {
    "abs": "abs({x})",
    "exp": "CASE WHEN {x} < -700e0 THEN 0e0 ELSE exp({x}) END",
    "log": "ln({x})",
    "log10": f"ln({{x}}) / {numeral(math.log(10.0))}",
    "log1p": "CASE WHEN 1e0 + {x} = 1e0 THEN {x} ELSE ln(1e0 + {x}) * ({x} / ((1e0 + {x}) - 1e0)) END",
    "log2": f"ln({{x}}) / {numeral(math.log(2.0))}",
    "sqrt": "sqrt({x})",
}


def _value(function: str, x: str) -> str:
    """A function of a number."""
    value, bounds = _FUNCTIONS[function].format(x=x), DOMAINS[function].bounds()
    tests = [f"{x} {sign} {numeral(bound)}" for sign, bound in bounds]
    return f"CASE WHEN {' AND '.join(tests)} THEN {value} END" if tests else value


# -- words -----------------------------------------------------------------------------------------------------------


def counted(words: str, run: str, *, binary: bool) -> str:
    """How often a run of words is in a text, or whether it is: a sign more wherever it begins."""
    spaced = f" {run.replace(' ', '  ')} "
    if binary:
        return f"CASE WHEN replace({words}, {literal(spaced)}, '') <> {words} THEN 1e0 ELSE 0e0 END"
    first, *others = run.split(" ")
    again = (
        bool(others) and first == others[-1]
    )  # of two that share a word the second is found when the first is marked
    marked = f" {first} # {spaced[len(first) + 3 :]}" if others else f"{spaced}#"
    return f"(length({nested(words, [(spaced, marked)] * (1 + again))}) - length({words}))"


def _word_steps(part: Input, of: Columns, cell: tuple[str, str]) -> Iterator[Step]:
    """From a text to its words, each with a space before and after it, and whether all its signs are known."""
    words, known = of("words"), of("known")
    sure = nested(cell[0], ((capital, _UNKNOWN) for capital in UNSURE))
    yield {words: f"CASE WHEN {cell[1]} THEN '' ELSE lower({sure}) END"}
    letters = "".join(dict.fromkeys([*_LETTERS, *(letter for run in part.words for letter in run if letter != " ")]))
    pairs = [(capital, letter) for letter in letters for capital in capitals_of(letter) if not capital.isascii()]
    pairs += [(sign, " ") for sign in _BETWEEN]
    yield from _replaced(words, pairs)
    yield {
        known: f"CASE WHEN trim({words}, {literal(letters + ' ')}) = '' THEN 1 ELSE 0 END",
        words: f"replace(replace(replace(' ' || {words} || ' ', ' ', '<>'), '><', ''), '<>', '  ')",
    }
    if any(" " in run for run in part.words):  # a word of one letter is none, and does not keep others apart
        yield from _replaced(words, [(f" {letter} ", "") for letter in letters])


def _replaced(words: str, pairs: Sequence[tuple[str, str]]) -> Iterator[Step]:
    """The same in steps."""
    for at in range(0, len(pairs), _NESTED):
        yield {words: nested(words, pairs[at : at + _NESTED])}
