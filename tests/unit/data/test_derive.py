"""Parts of dates and functions of numbers."""

from collections.abc import Mapping

import numpy as np
import pytest

from regcli.data.columns import spelt_levels
from regcli.data.derive import NUMBER_FUNCTIONS, derived_table, is_date
from regcli.data.rule import DOMAINS
from regcli.data.table import Column, Levels, Numbers, SourceFile, Table
from regcli.errors import DataError, Location


def table(columns: Mapping[str, Column], rows: int) -> Table:
    return Table(
        files=(SourceFile("d.csv", "", rows),),
        format="csv",
        columns=columns,
        rows=rows,
        locate=lambda row, column: Location(file="d.csv", line=row + 2, column=column),
    )


def dates(*cells: str | None) -> Table:
    return table({"when": spelt_levels(np.array(cells, dtype=object))}, len(cells))


def parts(found: Table) -> dict[str, list[object]]:
    out: dict[str, list[object]] = {}
    for part in ("year", "month", "weekday", "days"):
        column = found.columns[f"{part}(when)"]
        if isinstance(column, Numbers):
            out[part] = [None if np.isnan(value) else value for value in column.values.tolist()]
        elif isinstance(column, Levels):
            out[part] = [None if code < 0 else column.levels[code] for code in column.codes.tolist()]
    return out


WANTED = [(part, "when") for part in ("year", "month", "weekday", "days")]


def test_parts_of_dates() -> None:
    found = derived_table(dates("2024-02-29", None, "1969-12-31T12:00", "1970-01-02 06:00:00"), WANTED, strict=True)
    assert parts(found) == {
        "year": [2024, None, 1969, 1970],
        "month": ["2", None, "12", "1"],
        "weekday": ["Thu", None, "Wed", "Fri"],
        "days": [19782, None, -0.5, 1.25],
    }
    assert not any(found.bad_cells.values())


def test_an_offset_from_utc_counts_for_days_alone() -> None:
    found = derived_table(dates("2024-01-01T00:30+01:00", "2023-12-31T23:30Z"), WANTED, strict=True)
    assert parts(found)["days"][0] == parts(found)["days"][1]
    assert parts(found)["year"] == [2024, 2023]


@pytest.mark.parametrize("cell", ["2023-02-29", "01/02/2024", "yesterday", "2024-13-01", "24:00"])
def test_what_is_no_date_is_refused_with_its_place(cell: str) -> None:
    with pytest.raises(DataError) as caught:
        derived_table(dates("2024-01-01", cell), WANTED, strict=True)
    assert caught.value.code == "bad-date"
    assert caught.value.where.line == 3
    found = derived_table(dates("2024-01-01", cell), WANTED, strict=False)
    assert {row for cells in found.bad_cells.values() for row in cells} == {1}
    assert parts(found)["year"] == [2024, None]


def test_numbers_are_no_dates() -> None:
    found = derived_table(table({"when": Numbers(np.array([20240101.0, np.nan]))}, 2), WANTED, strict=False)
    assert {row for cells in found.bad_cells.values() for row in cells} == {0}


@pytest.mark.parametrize("name", sorted(NUMBER_FUNCTIONS))
def test_functions_of_numbers(name: str) -> None:
    values = np.array([0.5, 2.0, np.nan, 7.25])
    found = derived_table(table({"x": Numbers(values)}, 4), [(name, "x")], strict=True).columns[f"{name}(x)"]
    assert isinstance(found, Numbers)
    assert np.array_equal(found.values, NUMBER_FUNCTIONS[name](values), equal_nan=True)


def test_a_function_without_a_value_is_refused_with_its_place() -> None:
    data = table({"x": Numbers(np.array([1.0, 0.0, -3.0]))}, 3)
    with pytest.raises(DataError) as caught:
        derived_table(data, [("log", "x")], strict=True)
    assert (caught.value.code, caught.value.where.line) == ("value-range", 3)
    (cells,) = derived_table(data, [("log", "x")], strict=False).bad_cells.values()
    assert cells.keys() == {1, 2}


def test_what_dates_look_like() -> None:
    assert is_date("2024-02-29")
    assert not is_date("2023-02-29")
    assert not is_date("n/a")


@pytest.mark.parametrize(
    ("cell", "days"),
    [
        ("19700102", 1.0),
        ("1970-01-02t06", 1.25),
        ("1970-01-02 0600", 1.25),
        ("1970-01-01T00:00:43,2", 0.0005),
        ("1970-01-01T00:00:43.2000009", 0.0005),
        ("1970-W01-5", 1.0),
        ("1970W01", -3.0),
        (" 1970-01-01T00:00-12\t", 0.5),
        ("0001-01-01T00:00+12:00", -719162.5),
        ("9999-12-31T23:59:59-23:59", 2932897.0 - 1 / 86_400 + 86_340 / 86_400),
    ],
)
def test_spellings_of_dates(cell: str, days: float) -> None:
    assert is_date(cell)
    (found,) = parts(derived_table(dates(cell), WANTED, strict=True))["days"]
    assert found == pytest.approx(days, rel=1e-15)


@pytest.mark.parametrize(
    "cell",
    ["2024-02-29T", "2024-02-29T08.5", "2024-02-29x08", "2024-02-29T08:30:15:2", "2024-02-29T24:00", "2024-02-29Z",
     "2024-02-29T08+00:60", "2024-02-29T08+24", "2024-02", "2024-060", "2021-W53", "0000-01-01", "\xa02024-02-29"],
)  # fmt: skip
def test_what_only_some_versions_of_the_library_read_is_no_date(cell: str) -> None:
    assert not is_date(cell)


@pytest.mark.parametrize("name", sorted(NUMBER_FUNCTIONS))
def test_domains_of_functions_are_where_they_have_finite_values(name: str) -> None:
    domain = DOMAINS[name]
    edges = [edge for edge in (domain.least, domain.most) if np.isfinite(edge)]
    numbers = [*edges, *np.nextafter(edges, np.inf), *np.nextafter(edges, -np.inf), -1e308, -5e-324, 5e-324, 1.7e308]
    for number in map(float, numbers):
        with np.errstate(all="ignore"):
            finite = bool(np.isfinite(NUMBER_FUNCTIONS[name](np.array([number])))[0])
        above = number > domain.least if domain.above else number >= domain.least
        assert (above and number <= domain.most) == finite, number
