"""The target: its family, and how it becomes numbers."""

import numpy as np
import pytest

from regcli.data.table import Column
from regcli.data.target import Target, code_target, events, guess_family, spelt
from regcli.errors import DataError, RegcliError, UsageError
from tests.unit.data.made import numbers, table, text


def guess(column: Column, n: int) -> str:
    return guess_family(table({"y": column}, n), "y", np.arange(n))


def code(column: Column, n: int, family: str = "binomial", positive: str | None = None) -> Target:
    return code_target(table({"y": column}, n), "y", np.arange(n), family=family, positive=positive)


def refusal(
    error: type[RegcliError], column: Column, n: int, family: str = "binomial", positive: str | None = None
) -> str:
    with pytest.raises(error) as caught:
        code(column, n, family, positive)
    return caught.value.code


def test_the_family_is_guessed_from_the_values() -> None:
    assert guess(numbers(0, 1, 1, 0), 4) == "binomial"
    assert guess(numbers(0.5, 1, 2, 0), 4) == "gaussian"
    assert guess(numbers(3, 3, 3, 3), 4) == "gaussian"
    assert guess(text("a", "b", "a", "b"), 4) == "binomial"


def test_what_may_be_either_is_not_guessed() -> None:
    for column, expected in (
        (numbers(1, 2, 1, 2), "family-ambiguous"),
        (text("a", "b", "c", "a"), "family-not-available"),
    ):
        with pytest.raises(UsageError) as caught:
            guess(column, 4)
        assert caught.value.code == expected


def test_the_later_class_is_the_event() -> None:
    found = code(text("no", "yes", "yes", "no"), 4)
    assert (found.classes, found.positive, found.values.tolist()) == (("no", "yes"), "yes", [0.0, 1.0, 1.0, 0.0])
    turned = code(text("no", "yes", "yes", "no"), 4, positive="no")
    assert (turned.positive, turned.values.tolist()) == ("no", [1.0, 0.0, 0.0, 1.0])
    assert code(numbers(9, 10, 10, 9), 4).classes == ("9", "10")


def test_few_rows_of_a_class_are_told() -> None:
    assert [warning.code for warning in code(text("a", "b", "a", "b"), 4).warnings] == ["rare-class"]
    many = text(*["a", "b"] * 8)
    assert code(many, 16).warnings == ()


def test_targets_that_do_not_fit() -> None:
    assert refusal(DataError, text("a", "a", "a"), 3) == "one-class"
    assert refusal(DataError, text("a", "a", "b"), 3) == "rare-class"
    assert refusal(DataError, text("a", "b", "c"), 3) == "target-domain"
    assert refusal(DataError, numbers(1, 2, 3), 3) == "target-domain"
    assert refusal(DataError, text("a", "b", "c"), 3, "gaussian") == "target-domain"
    assert refusal(DataError, numbers(2, 2, 2), 3, "gaussian") == "constant-target"
    assert refusal(UsageError, text("a", "b", "a", "b"), 4, positive="c") == "unknown-option-value"


def test_numbers_stay_as_they_are() -> None:
    assert code(numbers(1.5, -2, 3), 3, "gaussian").values.tolist() == [1.5, -2.0, 3.0]


def test_classes_of_another_table() -> None:
    target = Target(np.zeros(0), ("0", "1"), "1")
    assert events(table({"y": numbers(1, 0, 1)}, 3), "y", np.array([0, 1]), target).tolist() == [1.0, 0.0]
    with pytest.raises(DataError) as caught:
        events(table({"y": text("1", "2", "0", "3", "2")}, 5), "y", np.array([0, 1, 3, 4]), target)
    error = caught.value
    assert (error.code, error.where.line, error.where.column) == ("target-domain", 3, "y")
    assert list(error.cells) == ["2", "3"]


@pytest.mark.parametrize(
    ("classes", "cells", "expected"),
    [
        (("False", "True"), ("true", "FALSE", "True"), [1, 0, 1]),
        (("FALSE", "TRUE"), ("True", "False", "true"), [1, 0, 1]),
        (("0", "1"), ("true", "False", "1.0"), [1, 0, 1]),
        (("1", "2"), ("2.0", "1", "02"), [1, 0, 1]),
        (("no", "yes"), ("yes", "no", "yes"), [1, 0, 1]),
    ],
)
def test_a_class_of_another_table_may_be_spelt_otherwise(
    classes: tuple[str, str], cells: tuple[str, ...], expected: list[int]
) -> None:
    target = Target(np.zeros(0), classes, classes[1])
    assert events(table({"y": text(*cells)}, 3), "y", np.arange(3), target).tolist() == expected


def test_how_numbers_are_spelt_as_classes() -> None:
    assert [spelt(value) for value in (1.0, -0.0, 0.5, 1e300)] == ["1", "0", "0.5", "1e+300"]
