"""The language of --formula: what it asks for, and what it refuses."""

import pytest

from regcli.app.formula import Formula, parse_formula
from regcli.app.options import Data
from regcli.errors import UsageError


def asked(text: str) -> Formula:
    return parse_formula(Data(formula=text))


@pytest.mark.parametrize(
    ("text", "columns", "pairs"),
    [
        ("y ~ a", ("a",), ()),
        ("y~a+b", ("a", "b"), ()),
        ("y ~ 1 + a + a", ("a",), ()),
        ("y ~ a*b", ("a", "b"), (("a", "b"),)),
        ("y ~ b + a + a:b + b:a", ("b", "a"), (("a", "b"),)),
        ("y ~ (a + b)*c", ("a", "b", "c"), (("a", "c"), ("b", "c"))),
        ("y ~ (a + b):c + a + b + c", ("a", "b", "c"), (("a", "c"), ("b", "c"))),
        ("y ~ `a + b` + `c``d`", ("a + b", "c`d"), ()),
        ("y ~ größe.1 + x_2", ("größe.1", "x_2"), ()),
        ("y ~ a:a + a", ("a",), ()),
    ],
)
def test_columns_and_products(text: str, columns: tuple[str, ...], pairs: tuple[tuple[str, str], ...]) -> None:
    found = asked(text)
    assert (found.target, found.columns, found.pairs) == ("y", columns, pairs)
    assert not found.without


def test_functions() -> None:
    found = asked("y ~ C(g) + poly(a, 3) + spline(b) + spline(c, 7) + log(d) + sqrt(a) + log(d):C(g)")
    assert found.columns == ("g", "a", "b", "c", "d")
    assert found.categorical == ("g",)
    assert found.degrees == {"a": 3}
    assert found.splines == {"b": 5, "c": 7}
    assert found.derived == {"log(d)": ("log", "d"), "sqrt(a)": ("sqrt", "a")}
    assert found.pairs == (("log(d)", "g"),)
    assert found.only_within == {"d"}


def test_all_other_columns() -> None:
    found = asked("`the target` ~ . - id - `a b` + spline(x) + x:z")
    assert found.target == "the target"
    assert (found.columns, found.without) == ((), ("a b", "id"))
    assert found.splines == {"x": 5}
    assert found.pairs == (("x", "z"),)


def test_names_that_a_formula_has_beside_the_dot() -> None:
    assert asked("y ~ . + b:a + log(c) + poly(`d e`, 2) - f").named == ("c", "d e", "b", "a")
    assert asked("y ~ a*b + log(c)").named == ("a", "b", "c")


@pytest.mark.parametrize("text", ["y ~ . - a + log(a)", "y ~ . + log(a) - a", "y ~ . + log(a):b + log(a) - a"])
def test_a_column_in_the_place_of_another(text: str) -> None:
    found = asked(text)
    assert (found.without, found.only_within) == ((), frozenset({"a"}))
    assert found.derived == {"log(a)": ("log", "a")}


def test_a_column_that_is_left_out_as_it_stands_and_used_otherwise() -> None:
    assert asked("y ~ b + log(a) - a").only_within == {"a"}
    found = asked("y ~ . - a + poly(a, 2) - k + C(k) + log(a)")
    assert (found.without, found.only_within) == ((), frozenset())
    assert (found.degrees, found.categorical) == ({"a": 2}, ("k",))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("y ~ a*C(a)", "bad-formula"),
        ("y ~ a + poly(a, 2) + a:poly(a, 2)", "bad-formula"),
        ("y ~ a:spline(a) + a", "bad-formula"),
        ("y ~ poly(a, 2):poly(a, 3) + poly(a, 2)", "bad-formula"),
        ("y ~ . + a:poly(a, 2)", "bad-formula"),
        ("y ~ . + b:a - b", "bad-formula"),
        ("y ~ . - g + b:g", "bad-formula"),
        ("y ~ . + log(a):b", "bad-formula"),
        ("y ~ . + b:C(k)", "bad-formula"),
        ("y ~ poly(a, 3) + poly(a, 2)", "column-in-two-roles"),
        ("y ~ spline(a) + poly(a, 2)", "column-in-two-roles"),
        ("y ~ spline(a, 4) + spline(a, 7)", "column-in-two-roles"),
        ("y ~ k + C(k)", "column-in-two-roles"),
        ("y ~ C(k) + b + k:b", "column-in-two-roles"),
        ("y ~ C(k) + poly(k, 2)", "column-in-two-roles"),
        ("y ~ poly(a, 2)*b", "conflicting-options"),
        ("y ~ b*spline(a)", "conflicting-options"),
        ("y ~ . + b:spline(a)", "conflicting-options"),
    ],
)
def test_nothing_that_is_named_is_passed_over(text: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        asked(text)
    assert caught.value.code == code
    assert caught.value.hint


def test_what_is_the_same_may_be_said_twice() -> None:
    found = asked("y ~ a + poly(a, 2) + a*b + spline(c) + spline(c, 5) + c + poly(b, 1):a + log(a):a + log(a)")
    assert (found.degrees, found.splines) == ({"a": 2}, {"c": 5})
    assert found.pairs == (("a", "b"), ("log(a)", "a"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "a column is missing"),
        ("y", "'~' is missing"),
        ("~ a", "a column is missing"),
        ("y ~", "a column is missing"),
        ("y ~ a +", "a column is missing"),
        ("y ~ a b", "'b' has no meaning here"),
        ("y ~ a $ b", "'$' has no meaning here"),
        ("y ~ (a + b", "')' is missing"),
        ("y ~ a)", "')' has no meaning here"),
        ("y ~ a - 1", "--no-intercept"),
        ("y ~ 0 + a", "--no-intercept"),
        ("y ~ a + 2", "the number 2"),
        ("y ~ a:b", "needs a by itself"),
        ("y ~ a*b*c", "two columns only"),
        ("y ~ .:a", "two columns only"),
        ("y ~ a - b:c + b + c", "only columns can be left out"),
        ("y ~ (a - b):c", "within parentheses"),
        ("y ~ a - a", "no column is left"),
        ("y ~ __import__(a)", "there is no function '__import__'"),
        ("y ~ eval(a)", "there is no function 'eval'"),
        ("y ~ log(log(a))", "')' is missing"),
        ("y ~ log(a, 2)", "a number has no meaning here"),
        ("y ~ poly(a, b)", "a number is missing"),
        ("y ~ `a", "'`' has no meaning here"),
        ("y ~ " + "(" * 60 + "a" + ")" * 60, "too deep"),
        ("y ~ " + "a" * 200_000, "too long"),
    ],
)
def test_what_is_no_formula_is_refused_with_its_place(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=r".") as caught:
        asked(text)
    assert caught.value.code == "bad-formula"
    assert why in caught.value.message


@pytest.mark.parametrize(
    "text", ["y ~ poly(a)", "y ~ poly(a, 0)", "y ~ poly(a, 21)", "y ~ spline(a, 2)", "y ~ spline(a, 21)"]
)
def test_numbers_out_of_range(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        asked(text)
    assert caught.value.code == "unknown-option-value"


@pytest.mark.parametrize(
    "more",
    [
        {"target": "y"},
        {"features": ("a",)},
        {"drop": ("a",)},
        {"interactions": ("a:b",)},
        {"poly": 2},
        {"spline": ("a",)},
    ],
)
def test_options_that_say_the_same_are_refused(more: dict[str, object]) -> None:
    with pytest.raises(UsageError) as caught:
        parse_formula(Data(formula="y ~ a", **more))  # type: ignore[arg-type]  # any field of Data
    assert caught.value.code == "conflicting-options"
