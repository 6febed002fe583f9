"""Functions of cells, dates and words in PMML: derived fields."""

import math
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from dataclasses import field as field_list
from xml.etree import ElementTree as ET

from regcli.data.rule import DOMAINS
from regcli.report.scorers.calendar import date_part, in_calendar
from regcli.report.scorers.elements import apply, derived, double, field, joined, text
from regcli.report.scorers.spellings import DIGITS, PREFIXES, VALID, WEST

__all__ = ["count", "date_fields", "in_domain", "made_number", "text_fields"]

#: What makes words in Unicode, and what does not.
_LETTER, _BETWEEN = r"[\p{L}\p{N}_]", r"[^\p{L}\p{N}_]"

_Free = Callable[[str], str]


def made_number(function: str, column: str) -> ET.Element:
    """A function of a number, missing where it has no value."""
    names = {"log": "ln", "log1p": "ln1p"}
    if function == "log2":
        value = apply("/", apply("ln", field(column)), double(math.log(2.0)))
    else:
        value = apply(names.get(function, function), field(column))
    inside = in_domain(function, column)
    return apply("if", joined("and", inside), value) if inside else value


def in_domain(function: str, column: str) -> list[ET.Element]:
    """Whether a function has a finite value: what must hold of a number that is there."""
    names = {">": "greaterThan", ">=": "greaterOrEqual", "<=": "lessOrEqual"}
    bounds = DOMAINS[function].bounds() if function in DOMAINS else ()
    return [apply(names[sign], field(column), double(bound)) for sign, bound in bounds]


# -- dates -----------------------------------------------------------------------------------------------------------


@dataclass
class _Numbers:
    """Arithmetic in derived fields; ``fields`` are those that were needed so far, ``names`` what they are called.

    An element has one parent: what is used twice is copied.
    """

    column: str
    free: _Free
    spelt: str
    fields: list[ET.Element] = field_list(default_factory=list)
    names: dict[str, str] = field_list(default_factory=dict)

    def part(self, name: str) -> ET.Element:
        """What a pattern finds."""
        if name == "west":
            return self._known(name, apply("if", self._matches(f"^{WEST}"), double(1.0), double(0.0)))
        digits = f"(?s)^(?:{PREFIXES[name]}([0-9]{{1,{DIGITS[name]}}}).*|.*)$"
        found = apply("replace", field(self.spelt), text(digits), text("0.$1" if name == "decimals" else "0$1"))
        return self._known(name, found)

    def _matches(self, pattern: str) -> ET.Element:
        return apply("matches", field(self.spelt), text(pattern))

    def _known(self, name: str, value: ET.Element) -> ET.Element:
        """A field of this name, made once."""
        if name not in self.names:
            self.names[name] = self.free(f"{name}({self.column})")
            self.fields.append(derived(self.names[name], value))
        return field(self.names[name])

    def number(self, value: float) -> ET.Element:
        """A constant."""
        return double(float(value))

    def plus(self, *parts: ET.Element) -> ET.Element:
        """A sum."""
        return joined("+", list(map(deepcopy, parts)))

    def times(self, part: ET.Element, by: float) -> ET.Element:
        """A multiple."""
        return apply("*", deepcopy(part), self.number(by))

    def over(self, part: ET.Element, by: float) -> ET.Element:
        """A quotient."""
        return apply("/", deepcopy(part), self.number(by))

    def whole(self, part: ET.Element, by: float) -> ET.Element:
        """The whole part of a quotient."""
        return apply("floor", self.over(part, by))

    def below(self, part: ET.Element, bound: float, then: ET.Element, otherwise: ET.Element) -> ET.Element:
        """One of two."""
        return apply("if", apply("lessThan", deepcopy(part), self.number(bound)), deepcopy(then), deepcopy(otherwise))

    def keep(self, name: str, part: ET.Element) -> ET.Element:
        """A field of its own."""
        return self._known(name, part)


def date_fields(column: str, wanted: Mapping[str, str], valid: str, free: _Free) -> Iterator[ET.Element]:
    """The parts of dates that are wanted, by function with their names, and whether it is a date.

    The parts of what is no date are those of some day.
    """
    spelt = free(f"date({column})")
    some, dated = text("1970-01-01"), apply("matches", field(column), text(f"^(?:{VALID})$"))
    gone = apply("isMissing", field(column))
    yield derived(spelt, apply("if", gone, some, apply("if", dated, field(column), some)), kind="string")
    numbers = _Numbers(column, free, spelt)
    values = {name: date_part(numbers, function) for function, name in wanted.items()}
    there = apply("if", dated, in_calendar(numbers), double(0.0))
    yield from numbers.fields
    yield derived(valid, apply("if", gone, double(0.0), there))
    for name, value in values.items():
        yield derived(name, value)


# -- words -----------------------------------------------------------------------------------------------------------


def text_fields(column: str, kept: str, free: _Free) -> Iterator[ET.Element]:
    """A text as its words in lower case, each between two spaces of its own; words of one letter are none."""
    small, spaced = free(f"small({column})"), free(f"spaced({column})")
    cell = apply("if", apply("isMissing", field(column)), text(""), field(column))
    yield derived(small, apply("lowercase", cell), kind="string")
    apart = apply("replace", field(small), text(f"{_BETWEEN}+"), text("  "))
    yield derived(spaced, apply("concat", text(" "), apart, text(" ")), kind="string")
    yield derived(kept, apply("replace", field(spaced), text(f" {_LETTER} "), text("")), kind="string")


def count(kept: str, word: str, *, binary: bool) -> ET.Element:
    """How often a run of words is there, or whether it is: one letter more for every place where it begins."""
    marked = apply("replace", field(kept), text(f"(?= {word.replace(' ', '  ')} )"), text("#"))
    found = apply("-", apply("stringLength", marked), apply("stringLength", field(kept)))
    return apply("if", apply("greaterThan", found, double(0.0)), double(1.0), double(0.0)) if binary else found
