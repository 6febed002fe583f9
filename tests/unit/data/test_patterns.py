"""Columns named by patterns."""

import pytest

from regcli.data.patterns import columns_named, is_pattern

COLUMNS = ("temp [C] in", "temp [C] out", "tempC", "x1", "x2", "x*", "X1")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("tempC", ["tempC"]),
        ("temp [C] in", ["temp [C] in"]),
        ("temp [C]*", ["temp [C] in", "temp [C] out"]),
        ("temp[C]*", []),  # brackets are letters, and make no set of them
        ("*[C]*", ["temp [C] in", "temp [C] out"]),
        ("x?", ["x1", "x2", "x*"]),
        ("x*", ["x*"]),  # a column of this name, before what the pattern would match
        ("[xX]1", []),
        ("z", []),
    ],
)
def test_a_pattern_has_stars_and_question_marks_and_letters(name: str, found: list[str]) -> None:
    assert columns_named(name, COLUMNS) == found


def test_brackets_make_no_pattern() -> None:
    assert [is_pattern(name) for name in ("a*", "a?", "a [C]", "[a]")] == [True, True, False, False]
