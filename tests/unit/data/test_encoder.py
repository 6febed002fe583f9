"""Columns to terms: learnt on training rows, applied to any table."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from regcli.data.encoder import (
    Encoder,
    Feature,
    Learnt,
    Term,
    learn_encoder,
    level_order,
    match_levels,
    missing_rows,
)
from regcli.data.table import Column
from regcli.errors import DataError
from tests.unit.data.made import numbers, table, text


def learn(
    columns: Mapping[str, Column], rows: int, *, weighted: NDArray[np.bool_] | None = None, reference: bool = False
) -> Learnt:
    weighted = np.ones(rows, dtype=bool) if weighted is None else weighted
    return learn_encoder(table(columns, rows), list(columns), np.arange(rows), weighted=weighted, reference=reference)


def test_numbers_and_categories_become_terms_in_order() -> None:
    columns: dict[str, Column] = {
        "x": numbers(1, 2, 3, 4),
        "c": text("b", "a", "c", "a"),
        "two": text("u", "v", "u", "v"),
    }
    encoder = learn(columns, 4).encoder
    assert [term.name for term in encoder.terms] == ["x", "c=a", "c=b", "c=c", "two=v"]
    assert encoder.terms[2] == Term("c=b", "c", "b")
    X = encoder.matrix(columns, np.array([3, 0]))
    assert X.tolist() == [[4.0, 1.0, 0.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0, 0.0]]
    assert X.flags.f_contiguous


def test_unpenalised_categories_leave_out_their_first_level() -> None:
    encoder = learn({"c": text("b", "a", "c")}, 3, reference=True).encoder
    assert [term.name for term in encoder.terms] == ["c=b", "c=c"]


def test_levels_are_those_of_training_rows_with_weight() -> None:
    columns: dict[str, Column] = {"c": text("b", "a", "c", "a"), "x": numbers(1, 1, 2, 1)}
    learnt = learn(columns, 4, weighted=np.array([True, True, False, True]))
    assert [term.name for term in learnt.encoder.terms] == ["c=b"]
    assert learnt.dropped == (("x", "constant"),)
    assert [warning.code for warning in learnt.warnings] == ["constant-column"]


def test_levels_that_are_not_known_and_missing_cells_are_nan() -> None:
    encoder = learn({"c": text("a", "b", "c"), "x": numbers(1, 2, 3)}, 3).encoder
    other: dict[str, Column] = {"c": text("b", "z", None), "x": numbers(1, np.nan, 3)}
    X = encoder.matrix(other, np.arange(3))
    assert X[0].tolist() == [0.0, 1.0, 0.0, 1.0]
    assert np.isnan(X[1]).all()
    assert np.isnan(X[2, :3]).all()
    assert X[2, 3] == 3.0


def test_booleans_match_in_any_capitals_and_text_does_not() -> None:
    boolean = Encoder((Feature("b", "category", ("False", "True"), ("True",), boolean=True),))
    assert boolean.matrix({"b": text("TRUE", "false")}, np.arange(2)).tolist() == [[1.0], [0.0]]
    spelt = Encoder((Feature("b", "category", ("no", "yes"), ("yes",)),))
    assert np.isnan(spelt.matrix({"b": text("YES")}, np.arange(1))).all()


def test_columns_of_terms_that_are_not_wanted_may_be_absent() -> None:
    encoder = learn({"c": text("a", "b", "c"), "x": numbers(1, 2, 3)}, 3).encoder
    X = encoder.matrix({"x": numbers(7)}, np.arange(1), np.array([False, False, False, True]))
    assert X.tolist() == [[0.0, 0.0, 0.0, 7.0]]


@pytest.mark.parametrize(
    ("levels", "order"),
    [
        (["10", "9", "1e1"], ("9", "10", "1e1")),
        (["b", "10", "9"], ("10", "9", "b")),
        (["b", "B", "a"], ("B", "a", "b")),
        (["-1", "0", "+1"], ("-1", "0", "+1")),
    ],
)
def test_the_order_of_levels(levels: list[str], order: tuple[str, ...]) -> None:
    assert level_order(levels) == order


def test_equal_names_of_terms_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        learn({"c": text("a", "b", "d"), "c=a": numbers(1, 2, 3)}, 3)
    assert caught.value.code == "duplicate-term"


def test_spreads_whose_squares_vanish_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        learn({"x": numbers(0, 1e-200, 2e-200)}, 3)
    assert caught.value.code == "value-range"


def test_where_cells_are_missing() -> None:
    columns: dict[str, Column] = {"x": numbers(1, np.nan), "c": text(None, "a"), "full": numbers(1, 2)}
    found = missing_rows(table(columns, 2), ["x", "c", "full"])
    assert {name: mask.tolist() for name, mask in found.items()} == {"x": [False, True], "c": [True, False]}


@pytest.mark.parametrize(
    ("levels", "typed", "codes"),
    [
        (("1", "2"), ("1", "2", "3"), [0, 1, -1]),
        (("1", "2"), ("1.0", "2.0", "2.5"), [0, 1, -1]),
        (("01", "2.0"), ("1", "2"), [0, 1]),
        (("false", "true"), ("False", "True"), [0, 1]),
        (("9007199254740992", "9007199254740993"), ("9007199254740993", "9007199254740994"), [1, -1]),
        (("no", "yes"), ("0", "1"), [-1, -1]),
    ],
)
def test_values_without_a_spelling_match_by_value(
    levels: tuple[str, ...], typed: tuple[str, ...], codes: list[int]
) -> None:
    feature = Feature("c", "category", levels, levels)
    column = replace(text(*typed), typed=True)
    assert match_levels(feature, column)[column.codes].tolist() == codes
    spelt = text(*typed)
    exact = [levels.index(level) if level in levels else -1 for level in typed]
    assert match_levels(feature, spelt)[spelt.codes].tolist() == exact


def test_an_unknown_level_can_be_none_of_them() -> None:
    encoder = learn({"c": text("a", "b", "c"), "x": numbers(1, 2, 3)}, 3).encoder
    other: dict[str, Column] = {"c": text("b", "z", None), "x": numbers(1, np.nan, 3)}
    X = encoder.matrix(other, np.arange(3), unknown_is_zero=True)
    assert X[0].tolist() == [0.0, 1.0, 0.0, 1.0]
    assert X[1, :3].tolist() == [0.0, 0.0, 0.0]
    assert np.isnan(X[1, 3])
    assert np.isnan(X[2, :3]).all()
