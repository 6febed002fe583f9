"""The pieces columns are made of."""

import io
import itertools

import numpy as np
import pandas as pd
import pytest

from regcli.data.columns import as_boolean, concatenate_levels, number, numbers_of, sorted_levels, spelt_levels
from regcli.data.table import Levels

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
