"""Dates in SQL, read step by step with replace, substr, trim and length, which databases name alike."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from regcli.report.scorers.calendar import date_part, in_calendar
from regcli.report.scorers.sql_names import Columns, Step, literal, nested

__all__ = ["NOTES", "SPACE", "date_steps"]

#: White space around a date and between words that a statement can hold to be seen.
SPACE = " \t\n\r"

#: Days by how they are spelt, digits as 0; the longest first.
_DAYS = ("0000-00-00", "0000-W00-0", "00000000", "0000-W00", "0000W000", "0000W00")

#: Offsets from UTC, the same.
_ZONES = ("00:00:00", "000000", "00:00", "0000", "00")

#: Times of a day, and what is before decimals of a second.
_CLOCKS = ("00", "0000", "000000", "00:00", "00:00:00")
_BEFORE_DECIMALS = ("000000.", "000000,", "00:00:00.", "00:00:00,")

#: What the columns of these steps are.
NOTES = {
    "date": "the text",
    "shape": "the text with 0 for every digit",
    "head": "how long its day is",
    "rest": "what comes after the day, so spelt",
    "zone": "how long the offset is at its end",
    "time": "the time without the offset, so spelt",
    "spelt": "whether it is spelt as a date",
    "digits": "year, month and day, or year and week",
    "hms": "digits of the time",
    "offset digits": "sign and digits of the offset",
    "years": "years and days are counted from 0000-03-01, so that leap days are the last of a year",
    "years before": "of the day by its week",
    "era": "400 years, for the year and the month that a day by its week is in",
    "valid": "whether there is such a date",
}


def date_steps(of: Columns, cell: str, functions: Sequence[str]) -> Iterator[Step]:
    """From a text to the parts of dates, by function, and whether it is a date: ``valid``."""
    date, shape, head, rest, zone, time, spelt = map(of, ("date", "shape", "head", "rest", "zone", "time", "spelt"))
    yield {date: f"trim({cell}, {literal(SPACE)})"}
    yield {shape: nested(date, ((digit, "0") for digit in "123456789"))}
    days = "".join(f" WHEN substr({shape}, 1, {len(day)}) = '{day}' THEN {len(day)}" for day in _DAYS)
    yield {head: f"CASE{days} ELSE 0 END"}
    yield {rest: f"substr({shape}, {head} + 1)"}
    zones = "".join(
        f" WHEN length({rest}) > {len(each) + 1} AND substr({rest}, length({rest}) - {len(each)})"
        f" IN ('+{each}', '-{each}') THEN {len(each) + 1}"
        for each in _ZONES
    )
    yield {zone: f"CASE WHEN length({rest}) > 1 AND substr({rest}, length({rest})) = 'Z' THEN 1{zones} ELSE 0 END"}
    yield {time: f"CASE WHEN {rest} = '' THEN '' ELSE substr({rest}, 2, length({rest}) - 1 - {zone}) END"}
    clock = f"{time} IN ({', '.join(map(literal, _CLOCKS))}) OR (substr({time}, length({time})) = '0'"
    clock += f" AND rtrim({time}, '0') IN ({', '.join(map(literal, _BEFORE_DECIMALS))}))"
    timed = f"{rest} = '' OR (substr({rest}, 1, 1) IN ('T', 't', ' ') AND ({clock}))"
    yield {spelt: f"CASE WHEN {head} > 0 AND ({timed}) THEN 1 ELSE 0 END"}
    after = f"substr({date}, {head} + 2, length({date}) - {head} - 1 - {zone})"
    yield {
        of("digits"): f"CASE WHEN {spelt} = 1 THEN replace(substr({date}, 1, {head}), '-', '') ELSE '19700101' END",
        of("hms"): f"CASE WHEN {spelt} = 1 AND {rest} <> '' THEN replace({after}, ':', '') ELSE '' END",
        of("offset digits"): f"CASE WHEN {spelt} = 1 AND {zone} > 1"
        f" THEN replace(substr({date}, length({date}) - {zone} + 1), ':', '') ELSE '' END",
    }
    yield dict(_parts(of))
    yield from _calendar(of, functions)


def _parts(of: Columns) -> Iterator[tuple[str, str]]:
    """What the digits say; 0 where there are none."""

    def digits(source: str, first: int, count: int) -> str:
        return f"CAST('0' || substr({of(source)}, {first}, {count}) AS INTEGER)"

    week, day = f"substr({of('digits')}, 5, 1) = 'W'", digits("digits", 8, 1)
    yield of("part year"), digits("digits", 1, 4)
    for part, first in (("month", 5), ("day", 7)):
        yield of(f"part {part}"), f"CASE WHEN {week} THEN 0 ELSE {digits('digits', first, 2)} END"
    yield of("part week"), f"CASE WHEN {week} THEN {digits('digits', 6, 2)} ELSE 0 END"
    named = f"CASE WHEN NOT ({week}) THEN 0 WHEN length({of('digits')}) = 7 THEN 1 ELSE {day} END"
    yield of("part day of week"), named
    for place, part in enumerate(("hour", "minute", "second")):
        yield of(f"part {part}"), digits("hms", 1 + 2 * place, 2)
        yield of(f"part offset {part}"), digits("offset digits", 2 + 2 * place, 2)
    yield of("part decimals"), f"CAST('0.0' || substr({of('hms')}, 8, 6) AS DOUBLE PRECISION) * 10"
    yield of("part west"), f"CASE WHEN substr({of('offset digits')}, 1, 1) = '-' THEN 1 ELSE 0 END"


def _calendar(of: Columns, functions: Sequence[str]) -> Iterator[Step]:
    """From the parts that are spelt to those that are asked for, as many steps as these need."""
    numbers = _Numbers(of)
    values = {function: date_part(numbers, function) for function in functions}
    there = in_calendar(numbers)
    month, day, week, weekday = (of(f"part {part}") for part in ("month", "day", "week", "day of week"))
    year = of("part year")
    leap = f"{year} % 4 = 0 AND ({year} % 100 <> 0 OR {year} % 400 = 0)"
    last = f"CASE WHEN {month} IN (4, 6, 9, 11) THEN 30 WHEN {month} <> 2 THEN 31 WHEN {leap} THEN 29 ELSE 28 END"
    by_month = f"{month} BETWEEN 1 AND 12 AND {day} BETWEEN 1 AND {last}"
    tests = [f"{of('spelt')} = 1", f"{year} > 0"]
    tests.append(f"({by_month} OR {week} BETWEEN 1 AND 53 AND {weekday} BETWEEN 1 AND 7)")
    for kind in ("part", "part offset"):
        tests += [f"{of(f'{kind} {part}')} < {most}" for part, most in (("hour", 24), ("minute", 60), ("second", 60))]
    tests.append(f"{there.text} = 1")
    for level in sorted(numbers.steps):
        yield dict(numbers.steps[level])
    yield {
        of("valid"): f"CASE WHEN {' AND '.join(tests)} THEN 1 ELSE 0 END",
        **{of(function): value.text for function, value in values.items()},
    }


class _Term(NamedTuple):
    """An expression, and the step after which it can be worked out."""

    text: str
    level: int


@dataclass
class _Numbers:
    """Arithmetic in expressions; ``steps`` are the columns that they need, by level."""

    of: Columns
    steps: dict[int, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    known: dict[str, _Term] = field(default_factory=dict)

    def part(self, name: str) -> _Term:
        """What the digits say."""
        return _Term(self.of(f"part {name}"), 0)

    def number(self, value: float) -> _Term:
        """A constant, whole."""
        return _Term(f"{value:.0f}" if value >= 0 else f"({value:.0f})", 0)

    def plus(self, *parts: _Term) -> _Term:
        """A sum."""
        return _Term(f"({' + '.join(part.text for part in parts)})", max(part.level for part in parts))

    def times(self, part: _Term, by: float) -> _Term:
        """A multiple."""
        return part._replace(text=f"{self.number(by).text} * {part.text}")

    def over(self, part: _Term, by: float) -> _Term:
        """A quotient."""
        return part._replace(text=f"CAST({part.text} AS DOUBLE PRECISION) / {by:.0f}")

    def whole(self, part: _Term, by: float) -> _Term:
        """The whole part of a quotient of what is not negative: no two databases divide alike what is not whole."""
        return part._replace(text=f"({part.text} - {part.text} % {by:.0f}) / {by:.0f}")

    def below(self, part: _Term, bound: float, then: _Term, otherwise: _Term) -> _Term:
        """One of two."""
        text = f"CASE WHEN {part.text} < {bound:.0f} THEN {then.text} ELSE {otherwise.text} END"
        return _Term(text, max(part.level, then.level, otherwise.level))

    def keep(self, name: str, part: _Term) -> _Term:
        """A column of its own."""
        if name not in self.known:
            self.known[name] = _Term(self.of(name), part.level + 1)
            self.steps[part.level + 1][self.of(name)] = part.text
        return self.known[name]
