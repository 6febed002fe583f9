"""The pieces columns are made of."""

import io
import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from regcli.data.columns import (
    as_boolean,
    beside,
    concatenate_levels,
    number,
    numbers_of,
    same_values,
    sorted_levels,
    spelt_levels,
)
from regcli.data.table import Levels
from tests.unit.data.made import text

PARTS = ("0", "17", ".", "e", "E", "-", "+", " ", "\t", "_", "inf", "INFINITY", "x")


def test_a_number_is_what_the_reader_takes_for_one() -> None:
    spelt = sorted({"".join(parts) for size in (1, 2, 3) for parts in itertools.product(PARTS, repeat=size)})
    for cell in spelt:
        frame = pd.read_csv(io.StringIO(f'a,b\n"{cell}",1\n'), keep_default_na=False, na_values=[])
        read = float(frame["a"].iloc[0]) if frame["a"].dtype.kind in "if" else None
        assert number(cell) == read, cell


@pytest.mark.parametrize(("cell", "value"), [("1,5", 1.5), ("1.5", None), (",5e1", 5.0), ("2", 2.0), ("-inf", -np.inf)])
def test_decimal_comma(cell: str, value: float | None) -> None:
    assert number(cell, ",") == value


def test_levels_are_in_code_point_order_and_missing_ones_vanish() -> None:
    column = sorted_levels(np.array([0, 1, 2, -1, 0]), ["b", "NA", "B"], ["NA"])
    assert column.levels == ("B", "b")
    assert column.codes.tolist() == [1, -1, 0, -1, 1]
    assert column.codes.dtype == np.int32
    assert spelt_levels(np.array(["é", None, "z"], dtype=object)).levels == ("z", "é")


def test_numbers_of() -> None:
    column = spelt_levels(np.array(["1", "x", None, "-999.0", "2"], dtype=object))
    numbers, bad = numbers_of(column, missing=["-999"])
    np.testing.assert_array_equal(numbers.values, [1, np.nan, np.nan, np.nan, 2])
    assert {column.levels[code] for code in bad} == {"x"}


def test_stacked_levels() -> None:
    one, two = spelt_levels(np.array(["b", "a"], dtype=object)), spelt_levels(np.array(["c", "a"], dtype=object))
    assert concatenate_levels([one, two]).codes.tolist() == [1, 0, 2, 0]
    true = as_boolean(spelt_levels(np.array(["true"], dtype=object)))
    none = Levels(np.array([-1], dtype=np.int32), ())
    assert concatenate_levels([true, none]).boolean
    assert not concatenate_levels([true, one]).boolean


def values(*cells: str | None) -> Levels:
    """Values that have no spelling in their file."""
    return replace(text(*cells), typed=True)


def cells(column: Levels) -> list[str | None]:
    return [None if code < 0 else column.levels[code] for code in column.codes]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([values("1", "2"), values("2.0", "3.0")], ["1", "2", "2", "3"]),  # integers where one month has them
        ([values("1", "2"), values("2.5", "-0.0")], ["1", "2", "2.5", "0"]),
        ([values("1.0"), values("2.0")], ["1.0", "2.0"]),
        ([values("1.50"), values("1.5", None)], ["1.5", "1.5", None]),  # decimals with more digits behind the point
        ([text("3", "x"), values("3.0", "4.0")], ["3", "x", "3", "4.0"]),
        ([text("3", "3.0"), values("3.0", "3")], ["3", "3.0", "3.0", "3"]),  # two texts stay two
        ([text("true", "no"), values("True", "False")], ["true", "no", "true", "False"]),
        ([text("1", "1.0"), text("True", "true")], ["1", "1.0", "True", "true"]),
        ([values("9007199254740993"), values("9007199254740992")], ["9007199254740993", "9007199254740992"]),
    ],
)
def test_a_value_is_one_level_whatever_its_type(parts: list[Levels], expected: list[str | None]) -> None:
    forth, back = concatenate_levels(parts), concatenate_levels(reversed(parts))
    assert cells(forth) == expected
    assert list(forth.levels) == sorted(set(forth.levels))
    assert back.levels == forth.levels
    known = {level for part in parts for code, level in enumerate(part.levels) if not part.is_value(code)}
    assert {level for code, level in enumerate(forth.levels) if not forth.is_value(code)} == known


def test_a_value_and_a_text_of_one_spelling_stay_apart_until_they_are_all_there() -> None:
    column = beside(text("True", "true", None, None), values(None, None, "True", None))
    assert column.levels == ("True", "True", "true")
    assert [column.is_value(code) for code in range(3)] == [False, True, False]
    assert column.codes.tolist() == [0, 2, 1, -1]
    assert cells(same_values(column)) == ["True", "true", "True", None]
