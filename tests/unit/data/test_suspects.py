"""Names of rows, leaks, numbers that stand for something else: found where they are, and not where they are not."""

import numpy as np
import pytest

from regcli.data.facts import Leak
from regcli.data.identify import numbers_rows
from regcli.data.profile import profile_column
from regcli.data.suspects import aim_at, calendar_numbers, find_identifier, find_leak, stand_ins
from regcli.data.table import Column, Levels, Numbers, Table
from regcli.errors import Location

RNG = np.random.default_rng(4)
N = 200
NOISE = RNG.normal(size=N)


def table(**columns: Column) -> Table:
    return Table((), "csv", columns, N, lambda _row, _name: Location())


def numbers(values: object) -> Numbers:
    return Numbers(np.array(values, dtype=np.float64))


def levels(cells: list[str]) -> Levels:
    known = tuple(sorted(set(cells) - {""}))
    return Levels(np.array([-1 if cell == "" else known.index(cell) for cell in cells], dtype=np.int32), known)


def reason(name: str, column: Column) -> str | None:
    data = table(**{name: column})
    found = find_identifier(data, profile_column(data, name))
    return None if found is None else ", and ".join(found.reasons)


def test_identifiers_and_why() -> None:
    mixed = RNG.permutation(N)
    assert reason("n", numbers(range(N))) == "all 200 cells differ, and they are the integers from 0 to 199"
    assert reason("n", numbers(mixed)) == "all 200 cells differ, and they are the integers from 0 to 199"
    assert reason("n", numbers(np.arange(N) ** 2)) == "all 200 cells differ, and they are in order"
    assert reason("n", numbers(mixed * 7 + 1)) == "all 200 cells differ"
    for name in ("Patient_ID", "id", "rowId", "customer id", "Unnamed: 0"):
        assert reason(name, numbers(mixed * 7)) == "all 200 cells differ, and so says its name"
    assert reason("humid", numbers(mixed * 7)) == "all 200 cells differ"
    assert reason("code", levels([f"V{at}" for at in mixed])) == "all 200 cells differ"


def test_integers_that_number_the_rows_are_told_from_measured_ones() -> None:
    mixed = RNG.permutation(N)
    holes = np.where(np.arange(N) % 9 == 4, np.nan, np.arange(N) * 3.0)
    for name, column in (
        ("n", numbers(mixed)),
        ("n", numbers(mixed + 90_000)),
        ("n", numbers(np.arange(N) * 17)),
        ("n", numbers(holes)),
        ("case_id", numbers(mixed * 7)),
        ("year_id", numbers(mixed + 1_800)),
    ):
        found = numbers_rows(name, column)
        assert found is not None
        assert found == find_identifier(table(**{name: column}), profile_column(table(**{name: column}), name))
        assert found.probable
    measured: tuple[tuple[str, Column], ...] = (
        ("income", numbers(mixed * 7)),
        ("year", numbers(np.arange(1_820, 1_820 + N))),
        ("id", numbers(mixed // 2)),
        ("id", numbers(mixed * 7 + 0.5)),
        ("id", numbers(np.where(mixed == 3, np.inf, mixed))),
        ("id", numbers(range(19))),
        ("id", numbers(np.full(N, np.nan))),
        ("id", levels([f"V{at}" for at in mixed])),
    )
    assert [name for name, other in measured if numbers_rows(name, other)] == []


@pytest.mark.parametrize(
    "column",
    [numbers(NOISE), numbers(np.arange(N) // 2), levels(["a", "b"] * 100), numbers(np.full(N, np.nan))],
)
def test_no_identifiers(column: Column) -> None:
    assert reason("id", column) is None


def leak(column: Column, target: Column) -> Leak | None:
    data = table(x=column, y=target)
    aim = aim_at(data, "y")
    assert aim is not None
    return find_leak(data, "x", aim)


CLASSES = np.where(NOISE > 0.3, 1.0, 0.0)
TEXT = levels(["yes" if event else "no" for event in CLASSES])


@pytest.mark.parametrize(
    ("column", "target", "told"),
    [
        (numbers(NOISE * -2 + 1), numbers(NOISE), "its correlation with the target is -1"),
        (numbers(NOISE + RNG.normal(size=N) * 0.01), numbers(NOISE), "its correlation with the target is 0.9999"),
        (numbers(CLASSES * 3), TEXT, "its correlation with the target is 1"),
        (levels([f"{event:.0f}{at % 4}" for at, event in enumerate(CLASSES)]), TEXT, "each of its 8 values goes with"),
        (
            numbers(np.arange(N) % 20),
            numbers((np.arange(N) % 20 - 9) ** 2),
            "each of its 20 values goes with one value",
        ),
        (numbers(NOISE**3), TEXT, "a threshold parts the classes"),
        (numbers(np.where(CLASSES == 1, np.nan, RNG.normal(size=N))), TEXT, "its cells are missing in the rows of one"),
        (levels(["" if event else "x" for event in CLASSES]), TEXT, "its cells are missing in the rows of one"),
    ],
)
def test_leaks_are_found_and_told(column: Column, target: Column, told: str) -> None:
    found = leak(column, target)
    assert found is not None
    assert found.reason.startswith(told)
    assert (found.correlation is not None) == ("correlation" in told)


@pytest.mark.parametrize(
    ("column", "target"),
    [
        (numbers(RNG.normal(size=N)), numbers(NOISE)),
        (numbers(NOISE + RNG.normal(size=N) * 0.06), numbers(NOISE)),  # a correlation of 0.998
        (numbers(NOISE + RNG.normal(size=N)), TEXT),
        (levels([f"{at}" for at in range(N)]), TEXT),  # names every row
        (levels([f"{at // 3}" for at in range(N)]), TEXT),
        (levels([f"{event:.0f}{at % 4}" if at else "10" for at, event in enumerate(1 - CLASSES)]), numbers(NOISE)),
        (numbers(np.full(N, 2.0)), TEXT),
        (numbers(np.full(N, np.nan)), TEXT),
    ],
)
def test_no_leaks(column: Column, target: Column) -> None:
    assert leak(column, target) is None


def test_a_row_without_a_target_does_not_count() -> None:
    target = NOISE.copy()
    target[5] = np.nan
    column = NOISE * 2
    column[5] = -1e6
    found = leak(numbers(column), numbers(target))
    assert found is not None
    assert found.correlation == pytest.approx(1.0)


def test_a_target_of_one_value_or_few_rows_has_no_leaks() -> None:
    assert aim_at(table(y=numbers(np.full(N, 3.0))), "y") is None
    few = np.where(np.arange(N) < 19, np.arange(N), np.nan)
    assert aim_at(table(y=numbers(few)), "y") is None


def found_stand_ins(values: object) -> list[str]:
    data = table(x=numbers(values))
    return list(stand_ins(data, profile_column(data, "x")))


def test_numbers_that_may_mean_missing() -> None:
    some = np.arange(N) % 7 == 0
    assert found_stand_ins(np.where(some, -999, NOISE)) == ["-999"]
    assert found_stand_ins(np.where(some, 99999, NOISE * 1000)) == ["99999"]
    assert found_stand_ins(np.where(np.arange(N) == 3, -999, NOISE)) == []  # once
    assert found_stand_ins(np.arange(N) * 10 - 999) == []  # one of many such numbers
    assert found_stand_ins(NOISE) == []


def test_integers_that_are_dates() -> None:
    def looks(values: object) -> bool:
        return calendar_numbers(profile_column(table(x=numbers(values)), "x"))

    assert looks([20240100 + at % 28 + 1 for at in range(N)])
    assert not looks([20241300 + at % 28 + 1 for at in range(N)])
    assert not looks(NOISE)
    assert not looks(range(N))
