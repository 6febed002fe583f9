"""Parts of dates by arithmetic, for languages that have patterns and numbers and no calendar.

Days are counted from 0000-03-01: a year that begins in March has its leap day at its end, so that the months before one
take floor((153 m + 2) / 5) days, and the other way round (https://howardhinnant.github.io/date_algorithms.html).
"""

from typing import Protocol, TypeVar

__all__ = ["Arithmetic", "date_part", "in_calendar"]

T = TypeVar("T")

#: The day that ``predict`` counts from, 1970-01-01, and the last of all, 9999-12-31.
_EPOCH, _LAST = 719_468, 3_652_364

#: Days of 400 years, of a century that does not end in a leap year, and of four years without the leap day.
_ERA, _CENTURY, _FOUR = 146_097, 36_524, 1_460

#: The 1st of January of year 1, the first of all days, and the 4th, which always is in the first week.
_JANUARY, _FOURTH = 306, 309

#: The Wednesday of a week that begins with 0: 0000-03-01 was one.
_WEDNESDAY = 2.0


class Arithmetic(Protocol[T]):
    """Numbers of one language, and what is read off a date that is spelt as one."""

    def part(self, name: str) -> T:
        """A part of the date by its name in ``PREFIXES``, 0 where there is none; ``west`` is 1 west of UTC, else 0."""

    def number(self, value: float) -> T:
        """A constant."""

    def plus(self, *parts: T) -> T:
        """A sum."""

    def times(self, part: T, by: float) -> T:
        """A multiple."""

    def over(self, part: T, by: float) -> T:
        """A quotient."""

    def whole(self, part: T, by: float) -> T:
        """The whole part of a quotient."""

    def below(self, part: T, bound: float, then: T, otherwise: T) -> T:
        """The one where a number is below a bound, else the other."""

    def keep(self, name: str, part: T) -> T:
        """The same, to be used more than once."""


def date_part(a: Arithmetic[T], function: str) -> T:
    """A part of a date: the month from 1, the day of the week from 0 for Monday."""
    day = _day(a)
    if function == "weekday":
        after = a.keep("after a Monday", a.plus(day, a.number(_WEDNESDAY)))
        return a.plus(after, a.times(a.whole(after, 7.0), -7.0))
    if function == "days":
        return a.plus(day, a.number(-_EPOCH), a.over(_seconds(a), 86_400.0))
    year, month = _year_and_month(a, day)
    return a.below(a.part("week"), 1.0, a.part(function), year if function == "year" else month)


def in_calendar(a: Arithmetic[T]) -> T:
    """1 where there is the day that is spelt, 0 where not: the 53rd week of a year of 52, or a week after all years."""
    year = a.part("year")
    thursday = a.plus(_week(a), a.number(3.0))
    over = a.plus(thursday, a.times(year, -365.0), a.times(_leaps(a, year), -1.0), a.number(-_JANUARY))
    there, not_ = a.number(1.0), a.number(0.0)
    return a.below(a.part("week"), 1.0, there, a.below(over, 0.0, a.below(_day(a), _LAST + 1.0, there, not_), not_))


def _leaps(a: Arithmetic[T], years: T) -> T:
    """How many of some years had a leap day."""
    return a.plus(a.whole(years, 4.0), a.times(a.whole(years, 100.0), -1.0), a.whole(years, 400.0))


def _day(a: Arithmetic[T]) -> T:
    """Days since 0000-03-01."""
    month = a.part("month")
    years = a.keep("years", a.plus(a.part("year"), a.below(month, 3.0, a.number(-1.0), a.number(0.0))))
    march = a.plus(month, a.below(month, 3.0, a.number(9.0), a.number(-3.0)))
    before = a.whole(a.keep("five months", a.plus(a.times(march, 153.0), a.number(2.0))), 5.0)
    by_month = a.plus(a.times(years, 365.0), _leaps(a, years), before, a.part("day"), a.number(-1.0))
    weekday = a.part("day of week")
    by_week = a.plus(_week(a), a.below(weekday, 1.0, a.number(0.0), a.plus(weekday, a.number(-1.0))))
    return a.keep("day number", a.below(a.part("week"), 1.0, by_month, by_week))


def _week(a: Arithmetic[T]) -> T:
    """The same of the Monday of a week."""
    years = a.keep("years before", a.plus(a.part("year"), a.number(-1.0)))
    fourth = a.keep(
        "fourth of January", a.plus(a.times(years, 365.0), _leaps(a, years), a.number(_FOURTH + _WEDNESDAY))
    )
    monday = a.plus(a.times(a.whole(fourth, 7.0), 7.0), a.number(-_WEDNESDAY))
    return a.keep("week begins", a.plus(monday, a.times(a.part("week"), 7.0), a.number(-7.0)))


def _year_and_month(a: Arithmetic[T], day: T) -> tuple[T, T]:
    """The year and the month that a day is in."""
    era = a.keep("era", a.whole(day, _ERA))
    rest = a.keep("day of era", a.plus(day, a.times(era, -_ERA)))
    leaps = a.plus(
        a.times(a.whole(rest, _FOUR), -1.0), a.whole(rest, _CENTURY), a.times(a.whole(rest, _ERA - 1.0), -1.0)
    )
    years = a.keep("year of era", a.whole(a.keep("without leap days", a.plus(rest, leaps)), 365.0))
    passed = a.plus(a.times(years, 365.0), a.whole(years, 4.0), a.times(a.whole(years, 100.0), -1.0))
    months = a.plus(a.times(a.plus(rest, a.times(passed, -1.0)), 5.0), a.number(2.0))
    march = a.keep("month of March year", a.whole(a.keep("five days", months), 153.0))
    month = a.plus(march, a.below(march, 10.0, a.number(3.0), a.number(-9.0)))
    late = a.below(march, 10.0, a.number(0.0), a.number(1.0))
    return a.plus(years, a.times(era, 400.0), late), month


def _seconds(a: Arithmetic[T]) -> T:
    """Seconds of the day in UTC, which may be of the day before or after."""
    scales = {"hour": 3600.0, "minute": 60.0, "second": 1.0}
    time = a.plus(*(a.times(a.part(part), scale) for part, scale in scales.items()), a.part("decimals"))
    offset = a.keep("offset", a.plus(*(a.times(a.part(f"offset {part}"), scale) for part, scale in scales.items())))
    return a.plus(time, a.below(a.part("west"), 1.0, a.times(offset, -1.0), offset))
