"""Curves of characters have the shape of the numbers, fit the terminal, and need no more than ASCII."""

import itertools
import math
import re
import sys

import pytest

from regcli.cli.streams import has_unicode
from regcli.report.curves import ascii_only, chart, escaped, spark
from regcli.report.tables import table
from tests.cli.conftest import ROOT
from tests.cli.documents import HOSTILE, cv_document, fit_document, path_document
from tests.cli.sessions import on_terminal, program, terminal_environment

LAMBDAS = [math.exp(-at / 10) for at in range(60)]
VALLEY = [(at - 40.0) ** 2 for at in range(60)]

#: Dots of a character of Braille from the top, by row: its bits on the left and on the right.
ROWS = (0x09, 0x12, 0x24, 0xC0)


def heights(lines: list[str]) -> list[float]:
    """The height of the curve in each column of characters, from the top in dots; the labels are ten characters."""
    curve = [line[10:].ljust(60) for line in lines[:6]]
    out = []
    for column in zip(*curve, strict=False):
        bits = [ord(char) - 0x2800 if char >= "\u2800" else 0 for char in column]
        lit = [4 * y + dy for y, bit in enumerate(bits) for dy, row in enumerate(ROWS) if bit & row]
        assert lit, "the curve has no gap"
        out.append(sum(lit) / len(lit))
    return out


def test_a_chart_falls_and_rises_where_the_numbers_do() -> None:
    lines = chart(LAMBDAS, VALLEY, {"min": 40}, 60, plain=False)
    tops = heights(lines)
    lowest = [at for at, top in enumerate(tops) if top == max(tops)]
    assert (lowest[0] + lowest[-1]) / 2 == pytest.approx(40 / 59 * 60, abs=1)
    left, right = tops[: lowest[0]], tops[lowest[-1] :]
    assert all(one <= other for one, other in itertools.pairwise(left))
    assert all(one >= other for one, other in itertools.pairwise(right))
    assert lines[0].startswith("     1600 ")
    assert lines[5].startswith("        0 ")
    assert lines[6].index("▲min") - 10 == pytest.approx(40 / 59 * 60, abs=1)
    assert lines[7].split() == ["λ", "1", f"{LAMBDAS[-1]:.5g}"]


def test_a_plain_chart_has_a_star_in_every_column() -> None:
    lines = chart(LAMBDAS, VALLEY, {}, 60, plain=True)
    columns = list(zip(*(line[10:].ljust(60) for line in lines[:6]), strict=True))
    assert all("*" in column for column in columns)
    assert columns[0][0] == "*"
    assert columns[40][5] == "*"


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize(
    ("lambdas", "values"),
    [
        ([1e140, 1e139], [1.23456e280, -1.1e-280]),
        ([1.0], [2.0]),
        ([1.0, 0.0], [2.0, 1.0]),
        ([0.0], [1.0]),
        ([2.0, 1.0], [None, None]),
        (LAMBDAS, [3.0] * 60),
    ],
)
@pytest.mark.parametrize("width", [1, 8, 60])
def test_odd_curves_are_charts_too(
    lambdas: list[float], values: list[float | None], width: int, *, plain: bool
) -> None:
    lines = chart(lambdas, values, {"1se": 0, "min": 0}, width, plain=plain)
    assert max(len(line) for line in lines[:-1]) <= max(width + 10, 15)
    assert any("▲" in line for line in lines)


def test_names_of_marks_do_not_cover_each_other() -> None:
    for one, other in itertools.combinations(range(0, 60, 3), 2):
        (line,) = [line for line in chart(LAMBDAS, VALLEY, {"1se": one, "min": other}, 60, plain=False) if "▲" in line]
        assert line.count("▲") == 2 or other - one < 2
        assert "min" in line
        assert "1se" in line or one < 4 or other - one < 8
        assert len(line) <= 70
    (line,) = [line for line in chart(LAMBDAS, VALLEY, {"min": 40, "aic": 40}, 60, plain=False) if "▲" in line]
    assert line.strip() == "▲min, aic"


def test_a_spark_has_its_last_value_and_zero_where_it_is_asked_for() -> None:
    assert spark([0.0, 1.0, 2.0], 30) == "▁▅█"
    assert spark([1.0, 2.0], 30) == "▁█"
    assert spark([1.0, 2.0], 30, zero=True) == "▅█"
    assert spark([0.0, -1.0], 30, zero=True) == "█▁"
    assert spark([None, 1.0, 2.0], 30) == " ▁█"
    for count, width in itertools.product(range(1, 130), (1, 7, 30, 60)):
        line = spark([float(at) for at in range(count)], width)
        assert len(line) <= width
        assert count == 1 or width == 1 or line[-1] == "█"


def test_a_path_has_a_line_for_each_term_as_it_enters() -> None:
    out = table(path_document(), width=80)
    grid = out[out.index("enters at λ") :]
    assert re.search(r"\nage .*\nbmi ", grid)
    document = path_document(("x", "z"))
    row = document["coefficients"][0]
    document["coefficients"] = [{**row, "term": f"t{at}"} for at in range(25)]
    many = table(document, width=80)
    assert "and 5 further terms; --json has them all" in many
    assert "\nt19 " in many
    assert "\nt20 " not in many


@pytest.mark.parametrize("width", [40, 80, 200, None])
@pytest.mark.parametrize("document", [fit_document(HOSTILE), cv_document(HOSTILE), path_document(("é", "列"))])
def test_a_plain_table_is_ascii_of_the_same_shape(document: dict[str, object], width: int | None) -> None:
    out = table(document, width=width, plain=True)
    assert out.isascii()
    assert "?" not in out or "?" in str(HOSTILE)
    if width is not None:
        assert max(map(len, out.splitlines())) <= width


def test_names_are_spelt_and_not_replaced() -> None:
    assert escaped({"a": ["λ", 1.5, None, {"b": "列"}]}) == {"a": ["\\u03bb", 1.5, None, {"b": "\\u5217"}]}
    assert ascii_only("█▁ λ → ─") == "#_ L > -"
    assert "\\u5217" in table(path_document(("é", "列")), width=80, plain=True)


def test_a_terminal_has_unicode_if_its_encoding_has() -> None:
    class Stream:
        def __init__(self, encoding: str | None) -> None:
            self.encoding = encoding

    assert has_unicode(Stream("UTF-8"), {})  # type: ignore[arg-type]
    assert has_unicode(Stream("utf_8"), {"LC_ALL": "C.UTF-8", "LANG": "C"})  # type: ignore[arg-type]
    assert not has_unicode(Stream("latin-1"), {})  # type: ignore[arg-type]
    assert not has_unicode(Stream("utf-8"), {"LC_ALL": "C"})  # type: ignore[arg-type]
    assert not has_unicode(Stream(None), {})  # type: ignore[arg-type]


@pytest.mark.parametrize("command", ["cv", "path", "fit"])
def test_a_terminal_without_unicode_gets_ascii(tmp_path_factory: pytest.TempPathFactory, command: str) -> None:
    place = tmp_path_factory.mktemp("ascii")
    program(place / "regcli", "env", "PYTHONIOENCODING=latin-1", sys.executable, "-m", "regcli")
    words = f"{ROOT}/sample_data/diabetes.csv -y progression --family gaussian -l 10,1"
    out = on_terminal(f"regcli {command} {words}", place, terminal_environment(place))
    assert "lasso . gaussian . 442 rows" in out
    assert out.isascii()


def test_a_dry_run_on_a_terminal_without_unicode_is_ascii(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("plain")
    program(place / "regcli", sys.executable, "-m", "regcli")
    words = f"{ROOT}/sample_data/diabetes.csv -y progression --family gaussian -l 10,1 --dry-run"
    out, plain = (
        on_terminal(f"regcli fit {words}", place, terminal_environment(place) | {"LC_ALL": locale})
        for locale in ("C.UTF-8", "C")
    )
    assert not out.isascii()
    assert plain.isascii()
    assert len(plain.splitlines()) == len(out.splitlines())
