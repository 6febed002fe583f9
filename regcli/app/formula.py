"""The language of --formula: a closed grammar, text to what it asks for. Nothing in it is ever evaluated.

formula  = column "~" sum
sum      = ["+" | "-"] product { ("+" | "-") product }
product  = cross { "*" cross }                  a*b is a + b + a:b
cross    = atom { ":" atom }                    (a + b):c is a:c + b:c
atom     = column | "." | "1" | "(" sum ")" | "C(" column ")" | "poly(" column "," number ")"
| "spline(" column ["," number] ")" | function "(" column ")"
column   = letters, digits, "_" and "." | "`" anything "`"
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import product
from typing import NoReturn

from regcli.app.options import Data
from regcli.app.values import bounded
from regcli.data.derive import NUMBER_FUNCTIONS
from regcli.data.spline import DEFAULT_KNOTS, LEAST_KNOTS, MOST_KNOTS
from regcli.data.terms import MOST_POWERS, column_name
from regcli.errors import UsageError

__all__ = ["Formula", "parse_formula"]

#: Longer ones, and deeper ones, are no formulas that anybody wrote.
MOST_LETTERS, MOST_DEPTH = 100_000, 50

_TOKEN = re.compile(r"\s*(?:(?P<quoted>`(?:[^`]|``)+`)|(?P<name>(?!\d)[\w.]+)|(?P<number>\d+)|(?P<sign>[-+*:(),~]))")


@dataclass(frozen=True, slots=True)
class _Atom:
    """A column and what is done with it: plain, ``C``, ``poly``, ``spline``, or a function; with a number or None."""

    column: str
    what: str = ""
    number: int | None = None

    @property
    def function(self) -> str | None:
        """What the cells go through one by one."""
        return self.what if self.what in NUMBER_FUNCTIONS else None

    @property
    def name(self) -> str:
        """The column as it is worked with."""
        return column_name(self.column, self.function)

    @property
    def spelt(self) -> str:
        """As it stands in a formula."""
        number = "" if self.number is None else f", {self.number}"
        return f"{self.what}({self.column}{number})" if self.what else self.column


#: The sign for all other columns.
_DOT = _Atom("", ".")

_Terms = list[tuple[_Atom, ...]]


@dataclass(frozen=True, slots=True)
class Formula:
    """What a formula asks for.

    ``columns`` are those of the file, empty for all, ``named`` those that it names, ``without`` those to leave out,
    ``only_within`` those that only take part as something made of them.
    """

    target: str
    columns: tuple[str, ...]
    named: tuple[str, ...]
    without: tuple[str, ...]
    categorical: tuple[str, ...]
    splines: dict[str, int]
    degrees: dict[str, int]
    derived: dict[str, tuple[str, str]]
    pairs: tuple[tuple[str, str], ...]
    only_within: frozenset[str]


def parse_formula(data: Data) -> Formula:
    """Read --formula.

    Raises
    ------
    UsageError
        ``bad-formula`` with the place; ``conflicting-options`` for an option that says the same.
    """
    text = data.formula or ""
    given = {
        "--target": data.target is not None,
        "--features": bool(data.features),
        "--drop": bool(data.drop),
        "--interactions": bool(data.interactions),
        "--poly": data.poly is not None,
        "--spline": bool(data.spline),
    }
    for option, there in given.items():
        if there:
            raise UsageError(
                "conflicting-options", f"--formula and {option} exclude each other", hint=f"leave out {option}"
            )
    return _asked(_Parser(text), text)


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._depth = 0
        if len(text) > MOST_LETTERS:
            self.refuse(0, "it is too long")
        self._tokens = list(self._read())
        self._at = 0

    def _read(self) -> Iterator[tuple[str, str, int]]:
        """Kind, text and place of every token."""
        at = 0
        while self._text[at:].strip():
            match = _TOKEN.match(self._text, at)
            if match is None or match.lastgroup is None:
                at += len(self._text[at:]) - len(self._text[at:].lstrip())
                self.refuse(at, f"{self._text[at]!r} has no meaning here")
            yield match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)
            at = match.end()

    def refuse(self, at: int, why: str, near: Sequence[str] = ()) -> NoReturn:
        """Say what is wrong and where."""
        raise UsageError(
            "bad-formula",
            f"--formula, after {self._text[max(0, at - 30) : at]!r}: {why}",
            near=near,
            hint="for example --formula 'y ~ age + sex*bmi + poly(bp, 2) + log(s5)'; names with other letters than "
            "digits, _ and . stand in backquotes",
        )

    def _peek(self) -> tuple[str, str, int]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "", len(self._text))

    def _take(self, sign: str) -> bool:
        """Go past a sign if it is the next."""
        found = self._peek()[:2] == ("sign", sign)
        self._at += found
        return found

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            self.refuse(self._peek()[2], f"{sign!r} is missing")

    def column(self) -> str:
        """The name of a column."""
        kind, text, at = self._peek()
        self._at += 1
        if kind == "quoted":
            return text[1:-1].replace("``", "`")
        if kind != "name" or text == ".":
            self.refuse(at, "a column is missing")
        return text

    def formula(self) -> tuple[str, _Terms, _Terms]:
        """Target, terms, and what is left out of them."""
        target = self.column()
        self._need("~")
        terms, less = self._sum()
        if self._peek()[0] != "end":
            self.refuse(self._peek()[2], f"{self._peek()[1]!r} has no meaning here")
        return target, terms, less

    def _sum(self) -> tuple[_Terms, _Terms]:
        terms: _Terms = []
        less: _Terms = []
        minus = self._take("-")
        _ = minus or self._take("+")
        while True:
            begin = self._peek()[2]
            found = self._product()
            if minus and () in found:
                self.refuse(begin, "the intercept is left out by --no-intercept")
            (less if minus else terms).extend(found)
            minus = self._take("-")
            if not minus and not self._take("+"):
                return terms, less

    def _product(self) -> _Terms:
        terms = self._cross()
        while self._take("*"):
            right = self._cross()
            terms = [*terms, *right, *_crossed(terms, right)]
        return terms

    def _cross(self) -> _Terms:
        terms = self._atom()
        while self._take(":"):
            terms = _crossed(terms, self._atom())
        return terms

    def _atom(self) -> _Terms:
        kind, text, at = self._peek()
        if self._take("("):
            self._depth += 1
            if self._depth > MOST_DEPTH:
                self.refuse(at, "it is too deep")
            terms, less = self._sum()
            if less:
                self.refuse(at, "- has no meaning within parentheses")
            self._need(")")
            self._depth -= 1
            return terms
        if kind == "number":
            self._at += 1
            if text == "0":
                self.refuse(at, "the intercept is left out by --no-intercept")
            if text != "1":
                self.refuse(at, f"the number {text} has no meaning here")
            return [()]
        if (kind, text) == ("name", "."):
            self._at += 1
            return [(_DOT,)]
        following = self._tokens[self._at + 1][1] if self._at + 1 < len(self._tokens) else ""
        if kind == "name" and following == "(":
            return [(self._call(text, at),)]
        return [(_Atom(self.column()),)]

    def _call(self, word: str, at: int) -> _Atom:
        """A function and its column."""
        known = ("C", "poly", "spline", *NUMBER_FUNCTIONS)
        if word not in known:
            near = get_close_matches(word, known, n=2)
            self.refuse(at, f"there is no function {word!r}; there are {', '.join(known)}", near)
        self._at += 1
        self._need("(")
        column, number = self.column(), None
        if self._take(","):
            kind, text, place = self._peek()
            if kind != "number" or word not in ("poly", "spline"):
                self.refuse(place, "a number has no meaning here" if kind == "number" else "a number is missing")
            self._at += 1
            number = int(text)
        self._need(")")
        if word == "poly":
            bounded("--formula poly()", 0 if number is None else number, 1, MOST_POWERS)
        if word == "spline":
            number = DEFAULT_KNOTS if number is None else number
            bounded("--formula spline()", number, LEAST_KNOTS, MOST_KNOTS)
        return _Atom(column, word, number)


def _crossed(left: _Terms, right: _Terms) -> _Terms:
    """Every term on the left with every one on the right."""
    return [tuple(dict.fromkeys((*one, *other))) for one, other in product(left, right)]


def _asked(parser: _Parser, text: str) -> Formula:
    """What the terms ask for."""
    target, terms, less = parser.formula()
    gone = {term[0].column for term in less if len(term) == 1}
    if any(len(term) != 1 or term[0].what for term in less):
        parser.refuse(len(text), "only columns can be left out with -")
    atoms = list(dict.fromkeys(term[0] for term in terms if len(term) == 1 and term[0] != _DOT))
    atoms = [atom for atom in atoms if atom.what or atom.column not in gone]
    dot = (_DOT,) in terms
    crossed = _crossed_pairs(parser, terms, end=len(text))
    every = list(dict.fromkeys((*atoms, *(atom for pair in crossed for atom in pair))))
    _refuse_two_ways(every)
    there = {atom.name for atom in atoms}
    for pair in crossed:
        for atom in pair:
            if atom.name not in there and (atom.what or not dot or atom.column in gone):
                left, right = (each.spelt for each in pair)
                why = f"{left}:{right} needs {atom.spelt} by itself, too; {left}*{right} has all three"
                parser.refuse(len(text), why)
    if not atoms and not dot:
        parser.refuse(len(text), "no column is left to fit with")
    within = {atom.column for atom in atoms if atom.function}
    bare = {atom.column for atom in atoms if not atom.function}
    return Formula(
        target=target,
        columns=() if dot else tuple(dict.fromkeys(atom.column for atom in atoms)),
        named=tuple(dict.fromkeys(atom.column for atom in every)),
        without=tuple(sorted(gone - within - bare)),
        categorical=tuple(atom.column for atom in atoms if atom.what == "C"),
        splines={atom.column: atom.number or DEFAULT_KNOTS for atom in atoms if atom.what == "spline"},
        degrees={atom.column: atom.number or 1 for atom in atoms if atom.what == "poly"},
        derived={atom.name: (atom.what, atom.column) for atom in atoms if atom.function},
        pairs=tuple((left.name, right.name) for left, right in crossed),
        only_within=frozenset((within & gone if dot else within) - bare),
    )


def _crossed_pairs(parser: _Parser, terms: Sequence[tuple[_Atom, ...]], *, end: int) -> tuple[tuple[_Atom, _Atom], ...]:
    """Products of two different columns, each once."""
    out: dict[frozenset[str], tuple[_Atom, _Atom]] = {}
    for term in terms:
        if len(term) < 2:
            continue
        if len(term) > 2 or _DOT in term:
            parser.refuse(end, "products are of two columns only")
        left, right = term
        if left.name == right.name:
            raise UsageError(
                "bad-formula",
                f"--formula: {left.spelt}:{right.spelt} is column {left.name!r} with itself",
                hint=f"poly({left.column}, 2) adds its square",
            )
        for atom in term:
            _refuse_curved(left, right, atom)
        out.setdefault(frozenset((left.name, right.name)), (left, right))
    return tuple(out.values())


def _refuse_curved(left: _Atom, right: _Atom, atom: _Atom) -> None:
    """Powers and splines have no products: those of the column alone would be fewer than the formula names."""
    powers = atom.what == "poly" and (atom.number or 1) > 1
    if powers or atom.what == "spline":
        plain = ":".join(each.column if each == atom else each.spelt for each in (left, right))
        raise UsageError(
            "conflicting-options",
            f"--formula: {left.spelt}:{right.spelt}: column {atom.column!r} is a "
            f"{'polynomial' if powers else 'spline'}, which has no products with other columns",
            hint=f"{atom.spelt} + {plain} has the product of the column itself"
            if powers
            else "leave the product out, or the spline",
        )


def _refuse_two_ways(atoms: Sequence[_Atom]) -> None:
    """A column is one thing; as it stands it is part of its powers and of its spline."""
    seen: dict[str, _Atom] = {}
    for atom in atoms:
        other = seen.get(atom.column, atom)
        if atom.function or atom == other:
            seen.update({} if atom.function else {atom.column: atom})
            continue
        if "C" in (atom.what, other.what) or (atom.what and other.what):
            raise UsageError(
                "column-in-two-roles",
                f"--formula has column {atom.column!r} as {other.spelt} and as {atom.spelt}",
                hint=f"leave out {other.spelt} or {atom.spelt}",
            )
        seen[atom.column] = atom if atom.what else other
