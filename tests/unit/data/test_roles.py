"""Which column plays which part."""

import pytest

from regcli.data.roles import Asked, assign_roles, find_column, match_columns
from regcli.errors import DataError, RegcliError, UsageError

COLUMNS = ("id", "age", "x1", "x2", "w", "label")


def code(error: type[RegcliError], asked: Asked, columns: tuple[str, ...] = COLUMNS) -> str:
    with pytest.raises(error) as caught:
        assign_roles(asked, columns, file="a.csv")
    return caught.value.code


def test_every_column_has_one_part() -> None:
    roles = assign_roles(Asked(target="age", id=("id",), weights="w", drop=("x2",)), COLUMNS)
    assert roles.features == ("x1", "label")
    assert (roles.target, roles.target_source, roles.weights, roles.id) == ("age", "option", "w", ("id",))
    assert roles.numeric() == ("w",)
    assert roles.warnings == ()


def test_features_keep_the_order_of_the_file() -> None:
    assert assign_roles(Asked(target="label", features=("x2", "age")), COLUMNS).features == ("age", "x2")
    assert assign_roles(Asked(target="label", features=("x*",)), COLUMNS).features == ("x1", "x2")
    assert assign_roles(Asked(target="x1", features=("x*",)), COLUMNS).features == ("x2",)


@pytest.mark.parametrize(
    ("columns", "target", "source"),
    [(("y", "a", "b"), "y", "name"), (("target", "a"), "target", "name"), (("a", "b", "c"), "c", "last-column")],
)
def test_the_target_is_guessed_with_a_warning(columns: tuple[str, ...], target: str, source: str) -> None:
    roles = assign_roles(Asked(), columns)
    assert (roles.target, roles.target_source) == (target, source)
    assert [warning.code for warning in roles.warnings] == ["target-guessed"]


def test_the_last_column_is_not_the_target_if_it_has_another_part() -> None:
    assert assign_roles(Asked(weights="label", drop=("w",)), COLUMNS).target == "x2"


def test_two_likely_targets_are_not_guessed_between() -> None:
    assert code(UsageError, Asked(), ("y", "target", "x")) == "conflicting-options"


@pytest.mark.parametrize(
    "asked",
    [
        Asked(target="label", weights="label"),
        Asked(target="label", drop=("label",)),
        Asked(target="label", features=("label",)),
        Asked(target="label", weights="w", offset="w"),
        Asked(target="label", id=("age",), features=("age",)),
        Asked(target="label", fold="w", id=("w",)),
    ],
)
def test_a_column_has_no_two_parts(asked: Asked) -> None:
    assert code(UsageError, asked) == "column-in-two-roles"


@pytest.mark.parametrize(
    "asked",
    [
        Asked(target="lable"),
        Asked(target="label", features=("x3",)),
        Asked(target="label", drop=("z*",)),
        Asked(weights="W"),
    ],
)
def test_columns_that_are_not_there(asked: Asked) -> None:
    assert code(DataError, asked) == "column-not-found"


def test_near_names_are_offered() -> None:
    with pytest.raises(DataError) as caught:
        find_column("lable", COLUMNS, file="a.csv")
    assert caught.value.near[0] == "label"
    with pytest.raises(DataError) as caught:
        find_column("AGE", COLUMNS)
    assert caught.value.near[0] == "age"


def test_something_must_be_left() -> None:
    assert code(DataError, Asked(target="a"), ("a",)) == "no-features"
    assert code(DataError, Asked(target="a", drop=("b",)), ("a", "b")) == "no-features"
    assert code(DataError, Asked(drop=("a", "b")), ("a", "b")) == "no-features"


def test_categories_that_are_not_used() -> None:
    assert code(UsageError, Asked(target="label", drop=("x1",), categorical=("x1",))) == "option-without-effect"
    assert assign_roles(Asked(target="label", categorical=("label",)), COLUMNS).categorical == ("label",)


def test_a_literal_name_comes_before_a_pattern() -> None:
    assert match_columns(["x*"], ["x1", "x*", "x2"]) == ("x*",)
    assert match_columns(["x?"], ["x1", "x10", "x2"]) == ("x1", "x2")
    assert match_columns([], ["x1"]) == ()
    assert match_columns(["[x]1"], ["[x]1", "x1"]) == ("[x]1",)
