"""Calendar arithmetic of exported scorers against the library's calendar, for every day there is."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray

from regcli.report.scorers.calendar import date_part, in_calendar

Values = NDArray[np.float64]
DAYS = np.arange(date.max.toordinal()) + 1.0
FIRST = np.datetime64("0001-01-01")


@dataclass(frozen=True)
class Arrays:
    """Arithmetic on arrays; parts that are not given are 0."""

    parts: dict[str, Values]
    size: int

    def part(self, name: str) -> Values:
        return self.parts.get(name, np.zeros(self.size))

    def number(self, value: float) -> Values:
        return np.full(self.size, float(value))

    def plus(self, *parts: Values) -> Values:
        return np.asarray(np.sum(parts, axis=0), dtype=np.float64)

    def times(self, part: Values, by: float) -> Values:
        return part * by

    def over(self, part: Values, by: float) -> Values:
        return part / by

    def whole(self, part: Values, by: float) -> Values:
        assert (part >= 0).all()  # where dividing down and dividing towards 0 are not the same
        return np.floor(part / by)

    def below(self, part: Values, bound: float, then: Values, otherwise: Values) -> Values:
        return np.where(part < bound, then, otherwise)

    def keep(self, name: str, part: Values) -> Values:  # noqa: ARG002  (nothing is named)
        return part


@pytest.fixture(scope="module")
def months() -> Arrays:
    """All days by their month."""
    days = FIRST + (DAYS - 1).astype("timedelta64[D]")
    year = days.astype("datetime64[Y]")
    month = days.astype("datetime64[M]")
    parts = {
        "year": year.astype(np.float64) + 1970.0,
        "month": (month - year).astype(np.float64) + 1.0,
        "day": (days - month).astype(np.float64) + 1.0,
    }
    return Arrays(parts, DAYS.size)


@pytest.fixture(scope="module")
def weeks() -> Arrays:
    """All days by their week: a week is in the year of its Thursday."""
    weekday = np.asarray((DAYS - 1) % 7, dtype=np.float64)
    thursday = FIRST + (DAYS - 1 - weekday + 3).astype("timedelta64[D]")
    year = thursday.astype("datetime64[Y]")
    week: Values = np.floor((thursday - year.astype("datetime64[D]")).astype(np.float64) / 7) + 1.0
    return Arrays({"year": year.astype(np.float64) + 1970.0, "week": week, "day of week": weekday + 1}, DAYS.size)


@pytest.mark.slow
@pytest.mark.parametrize("spelt", ["months", "weeks"])
def test_every_day_has_its_parts(spelt: str, months: Arrays, request: pytest.FixtureRequest) -> None:
    arithmetic = request.getfixturevalue(spelt)
    assert (in_calendar(arithmetic) == 1).all()
    assert (date_part(arithmetic, "year") == months.parts["year"]).all()
    assert (date_part(arithmetic, "month") == months.parts["month"]).all()
    assert (date_part(arithmetic, "weekday") == (DAYS - 1) % 7).all()
    assert (date_part(arithmetic, "days") == DAYS - date(1970, 1, 1).toordinal()).all()


def test_a_53rd_week_is_there_in_long_years_alone() -> None:
    years = np.arange(1.0, 9999.0)
    found = in_calendar(Arrays({"year": years, "week": np.full(years.size, 53.0)}, years.size))
    known = [date(int(year), 12, 28).isocalendar().week == 53 for year in years]
    assert found.tolist() == known


def test_no_week_is_after_all_years() -> None:
    weekdays = np.arange(1.0, 8.0)
    parts = {"year": np.full(7, 9999.0), "week": np.full(7, 52.0), "day of week": weekdays}
    assert in_calendar(Arrays(parts, 7)).tolist() == [1, 1, 1, 1, 1, 0, 0]
