"""Functions of cells, dates and words in ONNX: operators on what a graph has."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from regcli.data.rule import DOMAINS, Input
from regcli.report.scorers.calendar import date_part, in_calendar
from regcli.report.scorers.letters import UNSURE, capitals_of
from regcli.report.scorers.spellings import DIGITS, PREFIXES, VALID, WEST

__all__ = ["Graph", "counts", "date_value", "function_of", "outside", "unreadable"]

#: Which digits have which bit.
_BITS = ((1, "[13579]"), (2, "[2367]"), (4, "[4567]"), (8, "[89]"))

#: The largest first digit of the parts of a date that have two.
_MOST = {"month": 1, "day": 3, "hour": 2, "offset hour": 2}

#: Words in one pattern: RE2 bounds how large one may be (8 MB of memory for its program and states).
_AT_ONCE = 100


class Graph(Protocol):
    """What is asked of a graph that is being written."""

    def apply(self, operator: str, *names: str, domain: str = "", out: str | None = None, **facts: object) -> str:
        """The name of what an operator makes of others."""

    def constant(self, value: float | str, kind: str = "DOUBLE") -> str:
        """The name of a constant."""

    def chain(self, operator: str, names: Sequence[str]) -> str:
        """What an operator of two makes of several, from the left."""

    def table(self, name: str) -> str:
        """Say of texts that they are (rows, words)."""


def function_of(graph: Graph, function: str, x: str) -> str:
    """A function of numbers."""
    if function in ("log2", "log10"):
        scale = graph.constant(math.log(float(function[3:])))
        return graph.apply("Div", graph.apply("Log", x), scale)
    if function == "log1p":  # the logarithm of what 1 + x was rounded to, mended by how far that is from 1 + x
        one = graph.constant(1.0)
        more = graph.apply("Add", one, x)
        mended = graph.apply("Mul", graph.apply("Log", more), graph.apply("Div", x, graph.apply("Sub", more, one)))
        return graph.apply("Where", graph.apply("Equal", more, one), x, mended)
    return graph.apply(function.capitalize(), x)


def outside(graph: Graph, function: str, x: str) -> Iterator[str]:
    """When a function of a number has no finite value; never where the number is missing."""
    operators = {">": "LessOrEqual", ">=": "Less", "<=": "Greater"}
    for sign, bound in DOMAINS[function].bounds():
        yield graph.apply(operators[sign], x, graph.constant(bound))


# -- dates -----------------------------------------------------------------------------------------------------------


def unreadable(graph: Graph, part: Input, missing: str) -> Iterator[str]:
    """When a text is there and is no date, or has capitals without small letters of their own."""
    if part.dates:
        spelt = graph.apply("RegexFullMatch", part.column, pattern=VALID)
        there = graph.apply("Equal", in_calendar(_Numbers(graph, part.column)), graph.constant(1.0))
        yield graph.apply("Not", graph.apply("Or", missing, graph.apply("And", spelt, there)))
    if part.words:
        yield graph.apply("RegexFullMatch", part.column, pattern=f"(?s:.*[{UNSURE}].*)")


def date_value(graph: Graph, function: str, column: str) -> str:
    """A part of dates: the month from 1, the day of the week from 0 for Monday."""
    return date_part(_Numbers(graph, column), function)


@dataclass(frozen=True)
class _Numbers:
    """Arithmetic in operators."""

    graph: Graph
    column: str

    def part(self, name: str) -> str:
        """What a pattern finds."""
        if name == "west":
            west = self.graph.apply("RegexFullMatch", self.column, pattern=f"{WEST}(?s:.*)")
            return _where(self.graph, west, 1.0)
        return _number(self.graph, name, self.column)

    def number(self, value: float) -> str:
        """A constant."""
        return self.graph.constant(float(value))

    def plus(self, *parts: str) -> str:
        """A sum."""
        return self.graph.chain("Add", parts)

    def times(self, part: str, by: float) -> str:
        """A multiple."""
        return self.graph.apply("Mul", part, self.number(by))

    def over(self, part: str, by: float) -> str:
        """A quotient."""
        return self.graph.apply("Div", part, self.number(by))

    def whole(self, part: str, by: float) -> str:
        """The whole part of a quotient."""
        return self.graph.apply("Floor", self.over(part, by))

    def below(self, part: str, bound: float, then: str, otherwise: str) -> str:
        """One of two."""
        return self.graph.apply("Where", self.graph.apply("Less", part, self.number(bound)), then, otherwise)

    def keep(self, name: str, part: str) -> str:  # noqa: ARG002  (values have names of their own)
        """The same."""
        return part


def _number(graph: Graph, part: str, column: str) -> str:
    """A part of a date as a number, digit by digit and bit by bit; 0 where the date does not have it."""
    digits = DIGITS[part]
    out = []
    for at in range(digits):
        scale = 10.0 ** (-1 - at if part == "decimals" else digits - 1 - at)
        most = _MOST.get(part, 5) if digits == 2 and at == 0 else 9
        for bit, which in _BITS:
            if bit <= most:
                pattern = f"{PREFIXES[part]}[0-9]{{{at}}}{which}(?s:.*)"
                out.append(_where(graph, graph.apply("RegexFullMatch", column, pattern=pattern), bit * scale))
    return graph.chain("Add", out)


def _where(graph: Graph, condition: str, value: float, otherwise: float = 0.0) -> str:
    return graph.apply("Where", condition, graph.constant(value), graph.constant(otherwise))


# -- words -----------------------------------------------------------------------------------------------------------


def counts(graph: Graph, part: Input, missing: str) -> Callable[[str], str]:
    """How often each of a text's runs of words is there, or whether it is, by the run.

    The text is cut into words by an operator of onnxruntime's own. A word has the number that the patterns it matches
    spell in bits, in any capitals; runs of numbers are counted then.
    """
    words = list(dict.fromkeys(word for run in part.words for word in run.split(" ")))
    last = "__"  # a text without a word would have no numbers
    while last in words:
        last += "_"
    text = graph.apply("Where", missing, graph.constant("", "STRING"), part.column)
    text = graph.apply("StringConcat", text, graph.constant(f" {last}", "STRING"))
    tokens = graph.apply(
        "Tokenizer",
        text,
        domain="com.microsoft",
        mark=0,
        mincharnum=1,
        pad_value=" ",
        tokenexp=r"[\p{L}\p{N}_][\p{L}\p{N}_]+",
    )
    runs = sorted(part.words, key=lambda run: run.count(" "))
    lengths = [run.count(" ") + 1 for run in runs]
    sizes = [length * lengths.count(length) for length in range(1, lengths[-1] + 1)]
    found = graph.apply(
        "TfIdfVectorizer",
        _numbered(graph, graph.table(tokens), words),
        mode="TF",
        min_gram_length=lengths[0],
        max_gram_length=lengths[-1],
        max_skip_count=0,
        ngram_counts=[sum(sizes[:at]) for at in range(len(sizes))],
        ngram_indexes=list(range(len(runs))),
        pool_int64s=[words.index(word) + 1 for run in runs for word in run.split(" ")],
    )
    table = graph.apply("Cast", found, to=_double())
    if part.binary:
        table = graph.apply("Min", table, graph.constant(1.0))
    place = {run: at for at, run in enumerate(runs)}
    return lambda run: graph.apply("Gather", table, graph.constant(place[run], "INT64"), axis=1)


def _numbered(graph: Graph, tokens: str, words: list[str]) -> str:
    """The numbers of words, from 1; 0 for others."""
    out = []
    for bit in range(len(words).bit_length()):
        those = [_pattern(word) for at, word in enumerate(words, 1) if at >> bit & 1]
        groups = (those[at : at + _AT_ONCE] for at in range(0, len(those), _AT_ONCE))
        found = [graph.apply("RegexFullMatch", tokens, pattern="|".join(group)) for group in groups]
        one, none = graph.constant(1 << bit, "INT64"), graph.constant(0, "INT64")
        out.append(graph.apply("Where", graph.chain("Or", found), one, none))
    return graph.chain("Add", out)


def _pattern(word: str) -> str:
    """A word in any capitals; its letters are letters, digits and underscores."""
    return "".join(f"[{letter}{capitals_of(letter)}]" if capitals_of(letter) else letter for letter in word)


def _double() -> Any:  # noqa: ANN401  (a number of the package)
    from onnx import TensorProto  # noqa: PLC0415  (an extra)

    return TensorProto.DOUBLE
