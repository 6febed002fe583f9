"""Values of options: numbers, lists of numbers, values by term."""

import math
import re
from pathlib import Path

import pytest

from regcli.app.values import bounded, number_list, number_of, refuse, term_values
from regcli.data.terms import Factor, Feature, cross
from regcli.errors import DataError, RegcliError, UsageError

TERMS = (
    *Feature("age", "number").terms,
    *Feature("site", "category", ("a", "b"), ("a", "b")).terms,
    *Feature("x1", "number").terms,
    *Feature("x2", "number").terms,
    *Feature("a=b", "number").terms,
)

#: A number with a square and missing cells, and its product with another one.
DERIVED = (
    *Feature("age", "number", missing="indicator", powers=2, flag=True).terms,
    *Feature("bmi", "number").terms,
    *cross([Factor("age", "value")], [Factor("bmi", "value")]),
)


def code(error: type[RegcliError], option: str, *pairs: str) -> str:
    with pytest.raises(error) as caught:
        term_values(option, pairs, TERMS)
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "values"),
    [("1", [1.0]), ("1,2e-3,-4", [1.0, 2e-3, -4.0]), (" 1 , 2 ", [1.0, 2.0]), ("1,", [1.0]), ("1,,2", [1.0, 2.0])],
)
def test_lists_of_numbers(text: str, values: list[float]) -> None:
    assert number_list("--lambda", text) == values


@pytest.mark.parametrize("text", ["", ",", "a", "1;2", "1 2", "nan", "inf", "1e999", "0x10", "1_0", "\u0663"])
def test_what_is_no_list_of_numbers(text: str) -> None:
    with pytest.raises(UsageError, match="--lambda") as caught:
        number_list("--lambda", text)
    assert caught.value.code == "unknown-option-value"


@pytest.mark.parametrize("content", ["1\n0.5\n0.25\n", "1,0.5\r\n0.25", " 1 0.5\n\n0.25"])
def test_numbers_from_a_file(tmp_path: Path, content: str) -> None:
    file = tmp_path / "lambdas"
    file.write_bytes(content.encode())
    assert number_list("--lambda", f"@{file}") == [1.0, 0.5, 0.25]


@pytest.mark.parametrize(("content", "code"), [(None, "file-not-found"), (b"\xff\xfe1", "file-unreadable")])
def test_files_of_numbers_that_cannot_be_read(tmp_path: Path, content: bytes | None, code: str) -> None:
    file = tmp_path / "lambdas"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError, match="--lambda") as caught:
        number_list("--lambda", f"@{file}")
    assert (caught.value.code, caught.value.where.file) == (code, str(file))


@pytest.mark.parametrize(
    ("content", "line", "text"),
    [
        ("1\n0.5\nhalf\n", 3, "'half' is not a number"),
        ("1,0.5\r\n\r\n0.2, -3", 3, "--lambda is -3"),
        ("\ufeff1 nan", 1, "'nan' is not a number"),
        ("lambda\n1\n", 1, "'lambda' is not a number"),
        ("\x0c1\n2\n4\n", 3, "--lambda is 4"),
        ("", None, "no number in"),
        ("\n , \n", None, "no number in"),
    ],
)
def test_a_file_of_numbers_is_told_with_the_line_of_what_is_none(
    tmp_path: Path, content: str, line: int | None, text: str
) -> None:
    file = tmp_path / "lambdas"
    file.write_bytes(content.encode())
    with pytest.raises(UsageError, match=text) as caught:
        number_list("--lambda", f"@{file}", 0.0, 3.0)
    assert (caught.value.code, caught.value.where.told) == (
        "unknown-option-value", str(file) if line is None else f"{file}:{line}",
    )  # fmt: skip


def test_a_folder_is_no_file_of_numbers(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        number_list("--lambda", f"@{tmp_path}")
    assert caught.value.code == "file-unreadable"


def test_a_number() -> None:
    assert number_of("--x", " -2.5e3 ") == -2500.0


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_inside_its_bounds(value: float) -> None:
    bounded("--x", value, 0.0, 1.0)


@pytest.mark.parametrize(
    ("value", "open_low", "open_high", "text"),
    [
        (-0.1, False, False, "at least 0 and at most 1"),
        (1.1, False, False, "at least 0 and at most 1"),
        (0.0, True, False, "above 0 and at most 1"),
        (1.0, False, True, "at least 0 and below 1"),
        (math.nan, False, False, "at least 0"),
    ],
)
def test_outside_its_bounds(value: float, open_low: bool, open_high: bool, text: str) -> None:  # noqa: FBT001
    with pytest.raises(UsageError) as caught:
        bounded("--x", value, 0.0, 1.0, open_low=open_low, open_high=open_high)
    assert re.search(text, f"{caught.value}; {caught.value.hint}")


def test_no_upper_bound_is_not_named() -> None:
    with pytest.raises(UsageError) as caught:
        bounded("--n", 0, 1, math.inf)
    assert (str(caught.value), caught.value.hint) == ("--n is 0", "it must be at least 1")


def test_values_by_column_term_and_pattern() -> None:
    assert term_values("--upper", ["age=1"], TERMS) == {"age": 1.0}
    assert term_values("--upper", ["site=2"], TERMS) == {"site=a": 2.0, "site=b": 2.0}
    assert term_values("--upper", ["site=b=3"], TERMS) == {"site=b": 3.0}
    assert term_values("--upper", ["x*=4"], TERMS) == {"x1": 4.0, "x2": 4.0}
    assert term_values("--upper", ["x?=4"], TERMS) == {"x1": 4.0, "x2": 4.0}
    assert term_values("--upper", ["a=b=5"], TERMS) == {"a=b": 5.0}
    assert term_values("--upper", [], TERMS) == {}


@pytest.mark.parametrize(
    ("column", "named"),
    [
        ("age", ["age", "age^2", "missing(age)"]),
        ("age^2", ["age^2"]),
        ("missing(age)", ["missing(age)"]),
        ("age:bmi", ["age:bmi"]),
        ("ag?", ["age", "age^2", "missing(age)"]),
        ("*:*", ["age:bmi"]),
        ("*^2", ["age^2"]),
        ("*", ["age", "age^2", "missing(age)", "bmi", "age:bmi"]),
    ],
)
def test_a_column_stands_for_all_that_is_made_of_it_alone(column: str, named: list[str]) -> None:
    assert term_values("--upper", [f"{column}=1"], DERIVED) == dict.fromkeys(named, 1.0)


def test_later_pairs_win_and_all_columns_come_first() -> None:
    found = term_values("--upper", ["age=1", "*=2", "age=3", "site=4", "site=a=5"], TERMS)
    assert found == {"age": 3.0, "site=a": 5.0, "site=b": 4.0, "x1": 2.0, "x2": 2.0, "a=b": 2.0}


def test_limits_may_be_infinite() -> None:
    found = term_values("--lower", ["age=-inf", "x1=inf", "x2=+Inf"], TERMS)
    assert found == {"age": -math.inf, "x1": math.inf, "x2": math.inf}


def test_pairs_that_cannot_be_read() -> None:
    for pair in ("age", "=1", "age=", "age=one", "age=nan"):
        assert code(UsageError, "--lower", pair) == "unknown-option-value"
    assert code(DataError, "--lower", "wage=1") == "column-not-found"
    assert code(DataError, "--lower", "z*=1") == "column-not-found"


def test_near_names_are_offered() -> None:
    with pytest.raises(DataError) as caught:
        term_values("--lower", ["sit=1"], TERMS)
    assert caught.value.near == ("site",)


def test_options_without_effect_are_named() -> None:
    refuse({"--a": False, "--b": False}, "here")
    with pytest.raises(UsageError, match="--b has no effect here") as caught:
        refuse({"--a": False, "--b": True, "--c": True}, "here")
    assert caught.value.code == "option-without-effect"
