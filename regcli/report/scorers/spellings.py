"""Dates in regular expressions, for languages that have these and nothing else to take a text apart with."""

from collections.abc import Mapping

from regcli.data.derive import CLOCK, DATE_NAMES, ZONE

__all__ = ["DIGITS", "PREFIXES", "VALID", "WEST", "places_of"]

#: White space around a date.
_SPACE = r"[ \t-\r]*"

_YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_FOURTH = "(?:0[48]|[2468][048]|[13579][26])"
_LEAP = f"(?:[0-9]{{2}}{_FOURTH}|{_FOURTH}00)"


def _days(dash: str) -> str:
    """The days that there are."""
    months = {
        "0[13578]|1[02]": "0[1-9]|[12][0-9]|3[01]",
        "0[469]|11": "0[1-9]|[12][0-9]|30",
        "02": "0[1-9]|1[0-9]|2[0-8]",
    }
    named = "|".join(f"(?:{month}){dash}(?:{day})" for month, day in months.items())
    return f"{_YEAR}{dash}(?:{named})|{_LEAP}{dash}02{dash}29"


_WEEK = "W(?:0[1-9]|[1-4][0-9]|5[0-3])"

_WEEKS = f"{_YEAR}-{_WEEK}(?:-[1-7])?|{_YEAR}{_WEEK}[1-7]?"

#: A date or time that there is, the whole text; whether the year of a 53rd week has one is not to be seen.
VALID = f"{_SPACE}(?:{_days('-')}|{_days('')}|{_WEEKS})(?:[Tt ](?:{CLOCK})(?:{ZONE})?)?{_SPACE}"

_DAY = _SPACE + "[0-9]{4}-?(?:[0-9]{2}-?[0-9]{2}|W[0-9]{2}(?:-?[1-7])?)"
_OFFSET = _DAY + "[Tt ][0-9:.,]+[+-]"

#: What stands before each part of a valid date, and how many digits the part has. Only six decimals count.
PREFIXES: Mapping[str, str] = {
    "year": _SPACE,
    "month": _SPACE + "[0-9]{4}-?",
    "day": _SPACE + "[0-9]{4}-?[0-9]{2}-?",
    "week": _SPACE + "[0-9]{4}-?W",
    "day of week": _SPACE + "[0-9]{4}-?W[0-9]{2}-?",
    "hour": _DAY + "[Tt ]",
    "minute": _DAY + "[Tt ][0-9]{2}:?",
    "second": _DAY + "[Tt ][0-9]{2}:?[0-9]{2}:?",
    "decimals": _DAY + "[Tt ][0-9:]+[.,]",
    "offset hour": _OFFSET,
    "offset minute": _OFFSET + "[0-9]{2}:?",
    "offset second": _OFFSET + "[0-9]{2}:?[0-9]{2}:?",
}
DIGITS: Mapping[str, int] = {**dict.fromkeys(PREFIXES, 2), "year": 4, "day of week": 1, "decimals": 6}

#: What a valid date begins with if its offset is one behind UTC.
WEST = _DAY + "[Tt ][0-9:.,]+-"


def places_of(function: str, levels: tuple[str, ...]) -> tuple[int, ...]:
    """Months from 1 and days of the week from 0, by their names; other levels are none of them."""
    names = DATE_NAMES[function]
    return tuple(names.index(level) + (function == "month") for level in levels if level in names)
