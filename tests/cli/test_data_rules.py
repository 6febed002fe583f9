"""Every rule of tables, on a file that breaks it, with the message that a person would want.

Most rules are held in other places: ``RULES`` says where, and a test that the places are there. What else there is to
say of a table follows below, rule by rule.
"""

import csv
import io
import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from regcli.errors import WARNING_CODES
from tests.cli.damages import DAMAGES, FIT, NAMES, classes, edited, text, whole, with_column
from tests.fuzz.tool import Outcome, run_tool

pytestmark = pytest.mark.usefixtures("folder")

#: What is wrong with the table, and the tests that hold it: a damage of ``tests/cli/damages.py``, or a test function.
RULES: dict[str, tuple[str, ...]] = {
    "two columns of one name": ("a name twice", "test_names_that_differ_in_blanks_or_capitals_are_different"),
    "a column without a name": ("a column without name", "a comma at the end"),
    "a row wider than the header": ("a row too wide",),
    "a row narrower than the header": ("a row too narrow",),
    "quotes that do not close": ("a quote that is not closed", "text after a closing quote"),
    "bytes that are no text": ("Latin-1", "UTF-16", "UTF-16 without mark", "a NUL byte"),
    "text among numbers": ("text among numbers", "test_all_cells_of_text_are_counted_and_the_first_are_shown"),
    "quoted numbers among numbers": ("tests.cli.test_damage_formats.test_quoted_numbers_among_numbers",),
    "infinities": ("infinity", "beyond doubles", "infinite target", "infinite weight"),
    "magnitudes whose squares overflow or vanish": ("squares overflow", "squares vanish", "weights that vanish"),
    "missing cells": ("a missing cell", "a missing category", "test_missing_cells_are_counted_by_column"),
    "a missing target or weight": ("a missing target", "a missing weight"),
    "a constant target": ("a constant target", "a single row"),
    "one class": ("one class", "a class without weight"),
    "a class with a single row": ("a class with one row",),
    "a rare class": ("test_warnings[a rare class]",),
    "three classes": ("three classes", "three classes of numbers"),
    "a target that may be numbers or classes": ("two numbers",),
    "folds that do not fit": ("more folds than rows", "two rows to validate", "one fold"),
    "no column to fit with": ("only the target", "constant columns", "empty columns"),
    "a constant column": (
        "test_warnings[a constant column]",
        "test_warnings[a column that is constant as doubles]",
    ),
    "text without a frequent word": ("test_warnings[text without a frequent word]",),
    "a column without a value": ("test_warnings[a column without a value]",),
    "equal columns": ("test_warnings[equal columns]",),
    "columns that are multiples of each other": ("test_warnings[multiples]", "test_warnings[two classes, exchanged]"),
    "dependent columns that nothing penalises": (
        "test_warnings[dependent and unpenalised]",
        "test_warnings[nearly dependent and unpenalised]",
        "tests.cli.test_hard_cases.test_columns_are_told_with_those_that_make_them_up",
        "tests.cli.test_hard_cases.test_what_keeps_newton_from_an_end_is_named",
    ),
    "fewer rows than columns, unpenalised": ("fewer rows than columns",),
    "separated classes, unpenalised": ("classes set apart",),
    "text with many levels": ("an identifier",),
    "integers that name the rows": ("test_warnings[numbers of rows]", "test_warnings[a name of identifiers]"),
    "dates": ("dates",),
    "leading zeros": ("test_warnings[leading zeros]",),
    "another delimiter": ("another delimiter", "test_warnings[semicolons]"),
    "decimal commas": ("decimal commas",),
    "numbers as people write them": (
        "thousands parted by commas",
        "a currency",
        "blanks in a target",
        "tests.unit.data.test_adorned.test_adorned_numbers_in_plain_digits",
    ),
    "a column that is not there": ("test_near_names",),
    "blanks around names": ("test_near_names", "test_names_that_differ_in_blanks_or_capitals_are_different"),
    "a mark, other line ends, blank lines": ("test_how_lines_end_is_nobodys_business",),
    "negative weights, or none": ("a negative weight", "no weight"),
    "two terms of one name": ("two equal terms",),
    "odd names": (
        "tests.cli.test_damage.test_a_hint_can_be_pasted_whatever_the_name",
        "tests.cli.test_damage.test_markup_and_controls_in_names_are_shown_not_obeyed",
    ),
    "cells that spreadsheets take for formulas": (
        "test_cells_are_written_as_they_are_unless_a_spreadsheet_is_to_read_them",
        "test_only_csv_can_be_safe_for_spreadsheets",
    ),
    "packed bombs": ("tests.unit.data.test_unpack.test_a_bomb_is_refused_and_a_table_that_packs_well_is_not",),
}


def put(content: str | bytes) -> str:
    Path("t.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return "t.csv"


def fitted(*words: str) -> dict[str, Any]:
    return dict(run_tool("fit", *words, "--json").document)


def refused(*words: str) -> tuple[str, Outcome]:
    outcome = run_tool("fit", *words)
    assert outcome.status == 3, outcome.err
    assert outcome.out == ""
    return run_tool("fit", *words, "--json").error["code"], outcome


def test_every_rule_has_a_test() -> None:
    damages, here = {damage.name for damage in DAMAGES}, set(globals())
    for rule, places in RULES.items():
        for place in places:
            function, _, case = place.partition("[")
            if case:
                assert case.rstrip("]") in WARNINGS, rule
            if "." in function:
                module, _, function = function.rpartition(".")
                assert hasattr(import_module(module), function), (rule, place)
            else:
                assert function in damages | here, (rule, place)
    assert {name for places in RULES.values() for name in places} >= {f"test_warnings[{case}]" for case in WARNINGS}


# -- what is said and does not stop a fit ----------------------------------------------------------------------------


def wide_rows(make: Callable[[int], str], name: str = "b") -> str:
    """Forty-eight rows with one column anew."""
    header, *rows = whole()
    at = NAMES.index("b")
    again = [[*row[:at], make(i), *row[at + 1 :]] for i, row in enumerate([*rows, *rows])]
    again = [[str(int(row[0]) + 3 * i % 7), *row[1:4], str(int(row[4]) + i % 5)] for i, row in enumerate(again)]
    return text([[name if each == "b" else each for each in header], *again])


def first(i: int) -> int:
    """The column ``a`` of ``whole`` as a number."""
    return (i + 1) * 37 % 101


#: By name: the table, its code, what is said in so many words, options with which nothing is said, and the command's.
WARNINGS: dict[str, tuple[str, str, str, tuple[str, ...], tuple[str, ...]]] = {
    "a constant column": (
        text(with_column("b", lambda _: "3.5")),
        "constant-column", "1 column has one value only and was left out: b", ("--drop", "b"), FIT,
    ),
    "a column that is constant as doubles": (
        text(with_column("b", lambda i: str(2**53 + i % 2))),
        "constant-column", "of integers beyond 2^53 only the nearest double is read (b)", ("--drop", "b"), FIT,
    ),
    "text without a frequent word": (
        text(with_column("b", lambda i: f"word{i}")),
        "no-words", "1 column of text has no word that 2 training rows have and was left out: b; --text-min-rows",
        ("--text", "b", "--text-min-rows", "1"), (*FIT, "--text", "b"),
    ),
    "a column without a value": (
        text(with_column("b", lambda i: ("", "NA")[i % 2])),
        "all-missing-column", "columns without any value were left out: b", ("--drop", "b"), FIT,
    ),
    "equal columns": (
        text(with_column("b", lambda i: str(first(i)))),
        "duplicate-columns", "columns with the same values: a, b", ("--drop", "b"), FIT,
    ),
    "multiples": (
        text(with_column("b", lambda i: repr(round(first(i) * 1.8 + 32, 1)))),
        "collinear-columns", "columns that are multiples of each other, shifted or not: a, b", ("--drop", "b"), FIT,
    ),
    "two classes, exchanged": (
        text(with_column("b", lambda i: "01"[i % 2])),
        "collinear-columns", "columns that are multiples of each other, shifted or not: b, c=south", ("--drop", "c"),
        FIT,
    ),
    "dependent and unpenalised": (
        text(with_column("b", lambda i: str(first(i) + ((i + 1) % 3 + 1)))),
        "aliased", "unpenalised columns that depend on others were set aside: w (on a, b); --drop one of those",
        ("--drop", "b"), ("-y", "y", "--penalty", "none"),
    ),
    "nearly dependent and unpenalised": (
        text(with_column("b", lambda i: f"{first(i) + i * 13 % 11 * 1e-6:.6f}")),
        "nearly-dependent", "unpenalised columns nearly depend on others: b (on a), so that their estimates are large",
        ("--penalty", "l2", "--lambda", "1"), ("-y", "y", "--penalty", "none"),
    ),
    "numbers of rows": (
        wide_rows(lambda i: str(100 + i * 31 % 48)),
        "probable-identifier",
        "all 48 cells differ, and they are the integers from 100 to 147; --drop b leaves it out, --id b",
        ("--id", "b"), FIT,
    ),
    "a name of identifiers": (
        wide_rows(lambda i: str(7000 + i * 31 % 48 * 13), "patient id"),
        "probable-identifier",
        "and so says its name; --drop 'patient id' leaves it out, --id 'patient id' carries it along",
        ("--drop", "patient id"), FIT,
    ),
    "leading zeros": (
        text(with_column("b", lambda i: f"0{1000 + 7 * (i % 12)}")),
        "leading-zeros", "'b' is read as a number although cells begin with 0; --categorical 'b' keeps them",
        ("--categorical", "b"), FIT,
    ),
    "semicolons": (
        text(whole(), ";"),
        "delimiter-guessed", "the delimiter is taken to be ';'", ("--delimiter", ";"), FIT,
    ),
    "a rare class": (
        text(with_column("y", lambda i: "yes" if i in (3, 9, 17) else "no")),
        "rare-class", "class 'yes' has 3 rows only", (), ("-y", "y", "--lambda", "0.1", "--family", "binomial"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WARNINGS)
def test_warnings(name: str) -> None:
    """Said on stderr and in the document, an error under --strict, and silent once it is settled."""
    table, code, said, way, options = WARNINGS[name]
    words = (put(table), *options, *(() if "--family" in options else ("--family", "gaussian")))
    (found,) = fitted(*words)["warnings"]
    assert found["code"] == code
    assert said in found["message"]
    outcome = run_tool("fit", *words, "-q", "-m", "model.json")
    assert (outcome.status, outcome.err) == (0, f"warning[{code}]: {found['message']}\n")
    Path("model.json").unlink()
    strict = run_tool("fit", *words, "--strict", "-m", "model.json")
    assert (strict.status, strict.out) == (WARNING_CODES[code][0], "")
    assert strict.err.startswith(f"error[{code}]: ")
    assert not Path("model.json").exists()
    if way:
        assert fitted(*words, *way)["warnings"] == []
        assert run_tool("fit", *words, *way, "--strict").status == 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda i: str(7000 + i * 31 % 48 * 13), ()),  # measured: all differ, and nothing else speaks for names
        (lambda i: str(1970 + i), ()),  # a row a year
        (lambda i: str(i // 2), ()),
        (lambda i: f"{i}.5", ()),
        (str, ("--features", "a", "--features", "b")),  # called by its name, it is meant
        (str, ("--spline", "b")),
    ],
)
def test_integers_that_are_no_identifiers(make: Callable[[int], str], words: tuple[str, ...]) -> None:
    assert fitted(put(wide_rows(make)), *FIT, "--family", "gaussian", *words)["warnings"] == []


@pytest.mark.parametrize("other", ["t.csv", "./t.csv", "link.csv", "copy.csv"])
def test_a_file_that_is_read_twice_is_told(other: str) -> None:
    """Its rows would be fitted on and held out at the same time, and scores too good."""
    table = put(text(whole()))
    Path("link.csv").symlink_to(table)
    Path("copy.csv").write_bytes(Path(table).read_bytes())
    words = (*FIT, "--family", "gaussian")
    for command in ("fit", "cv", "path", "inspect"):
        options = ("-y", "y") if command == "inspect" else words
        found = run_tool(command, table, other, *options, "--json").document
        told = [each["message"] for each in found.get("warnings", found.get("findings")) if each["code"] == "same-file"]
        assert len(told) == 1, command
        assert told[0].startswith("t.csv is read twice: " if other == "t.csv" else f"t.csv, {other} hold the same: ")
    strict = run_tool("fit", table, other, *words, "--strict", "-m", "m.json")
    assert (strict.status, Path("m.json").exists()) == (3, False)
    assert strict.err.startswith("error[same-file]: ")
    Path("different.csv").write_text(text(edited(5, "a", "77")), "utf-8")
    assert "same-file" not in run_tool("fit", table, "different.csv", *words).out


def test_test_rows_that_are_fitted_on_are_told() -> None:
    table, words = put(text(whole())), (*FIT, "--family", "gaussian")
    (found,) = fitted(table, *words, "--test", table)["warnings"]
    assert (found["code"], found["files"]) == ("same-file", [table])
    assert found["message"].startswith("--test: t.csv holds rows that are fitted on")
    Path("new.csv").write_text(text(edited(5, "a", "77")), "utf-8")
    assert fitted(table, *words, "--test", "new.csv")["warnings"] == []


def test_rows_that_are_scored_twice_are_told() -> None:
    table = put(text(whole()))
    assert run_tool("fit", table, *FIT, "--family", "gaussian", "-m", "m.json", "-o", "fit.json").status == 0
    for command in ("predict", "check"):
        outcome = run_tool(command, "m.json", table, f"./{table}")
        assert "warning[same-file]: t.csv, ./t.csv hold the same: these rows count more than once\n" in outcome.err
        assert run_tool(command, "m.json", table, f"./{table}", "--strict").status == 3
        assert "same-file" not in run_tool(command, "m.json", table).err


@pytest.mark.parametrize("option", ["--text", "--date", "--ordinal", "--spline"])
def test_what_is_declared_is_a_feature(option: str) -> None:
    """A column that is there is not said to be absent; the target may be one that nobody has named."""
    table = put(text(whole()))
    for command, words, code, said in (
        ("fit", (option, "y"), "column-in-two-roles", "the column is the target, as it is called so"),
        (
            "inspect" if option != "--spline" else "fit",
            (option, "y"),
            "column-in-two-roles",
            "the column is the target, as it is called so",
        ),
        ("path", ("-y", "a", option, "a"), "column-in-two-roles", "the column is the target\n"),
        ("cv", ("--drop", "b", option, "b"), "option-without-effect", "the column is not fitted on"),
        ("fit", (option, "nope"), "column-not-found", "no column 'nope'"),
    ):
        outcome = run_tool(command, table, *words)
        name = words[-1]
        assert outcome.status in (2, 3)
        start = "" if code == "column-not-found" else f"{option} {name!r}: "
        assert f"error[{code}]: {start}{said}" in outcome.err, outcome.err


def test_a_formula_means_the_columns_that_it_names() -> None:
    words = (put(wide_rows(str)), "--lambda", "1", "--family", "gaussian")
    assert fitted(*words, "--formula", "y ~ a + b")["warnings"] == []
    assert [each["code"] for each in fitted(*words, "--formula", "y ~ a + .")["warnings"]] == ["probable-identifier"]


# -- messages --------------------------------------------------------------------------------------------------------


def test_all_cells_of_text_are_counted_and_the_first_are_shown() -> None:
    rows = whole()
    for line, cell in ((4, "high"), (9, "low"), (11, "high"), (20, "?")):
        rows = edited(line, "a", cell, rows)
    code, outcome = refused(put(text(rows)), *FIT)
    assert code == "text-in-numeric-column"
    assert "column 'a' holds numbers, but also 4 cells of text\n  at t.csv:4, column 'a'\n" in outcome.err
    assert "  cells: 'high', 'low', '?'\n" in outcome.err


def test_missing_cells_are_counted_by_column() -> None:
    rows = edited(5, "b", "NA", edited(7, "a", "", edited(9, "a", "nan")))
    code, outcome = refused(put(text(rows)), *FIT)
    assert code == "missing-values"
    assert outcome.err.startswith("error[missing-values]: missing cells in a (2), b (1)\n  at t.csv:7, column 'a'\n")
    for way in ("--missing drop", "mean, median or indicator", "--drop COL"):
        assert way in outcome.err


@pytest.mark.parametrize(
    ("header", "asked", "near"),
    [
        (" a,b ,c,w,y", "a", " a"),
        (" a,b ,c,w,y", "b", "b "),
        ("Age,b,c,w,y", "AGE", "Age"),
        ("income,b,c,w,y", "incone", "income"),
    ],
)
def test_near_names(header: str, asked: str, near: str) -> None:
    table = put(text(whole()).replace("a,b,c,w,y", header, 1))
    for option in ("--drop", "--weights", "--target", "--categorical"):
        error = run_tool("fit", table, *FIT, option, asked, "--json").error
        assert (error["code"], error["exit_code"], error["did_you_mean"][0]) == ("column-not-found", 3, near)
        assert error["hint"].startswith("the columns are: ")
    assert run_tool("fit", table, *FIT, "--drop", near).status == 0


def test_names_that_differ_in_blanks_or_capitals_are_different() -> None:
    document = fitted(put(text(whole()).replace("a,b,c,w,y", "a,A,c, a,y", 1)), *FIT, "--all-terms")
    assert [each["term"] for each in document["coefficients"]] == ["a", "A", "c=south", " a"]


def test_how_lines_end_is_nobodys_business() -> None:
    """A mark before the text, other line ends, blank lines, none at the end: the same model, and not a word."""
    plain = text(whole())
    usual = fitted(put(plain), *FIT, "--family", "gaussian")
    lines = plain.splitlines()
    for other in (
        "\ufeff" + plain,
        plain.replace("\n", "\r\n"),
        plain.replace("\n", "\r"),
        plain[:-1],
        plain + "\n\n",
        "\n" + "\n \n".join(lines) + "\n",
        "\ufeff" + "\r\n".join(lines),
    ):
        document = fitted(put(other), *FIT, "--family", "gaussian")
        assert document["data"]["files"][0].pop("rows") == 24
        assert document["warnings"] == []
        for key in ("coefficients", "intercept", "metrics"):
            assert json.dumps(document[key]) == json.dumps(usual[key])
        assert run_tool("fit", "t.csv", *FIT, "--family", "gaussian", "-q").err == ""


def test_a_rare_class_and_one_with_a_single_row_are_different_things() -> None:
    assert fitted(put(text(with_column("y", classes))), *FIT, "--family", "binomial")["warnings"] == []
    code, _ = refused(put(text(with_column("y", lambda i: "yes" if i == 4 else "no"))), *FIT)
    assert code == "rare-class"


# -- what is written -------------------------------------------------------------------------------------------------

#: Text that spreadsheets take for a formula, and some that they do not.
FORMULAS = ("=1+1", '=HYPERLINK("http://x")', "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", " =1", "\t=1")
PLAIN = ("-2.5", "+1e5", "-.5", "a=1", "1-2", "'=1", "")


def test_cells_are_written_as_they_are_unless_a_spreadsheet_is_to_read_them() -> None:
    cells = [*FORMULAS, *PLAIN]
    name = "=2*A1"
    rows = [
        [name, "c", "note", "y"],
        *([f"{i % 5 - 2}", "uv"[i % 2], cells[i % 14], f"{i * 29 % 97}"] for i in range(28)),
    ]
    with Path("t.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    words = ("-y", "y", "--family", "gaussian", "--penalty", "l2", "--lambda", "1", "--id", "note")
    assert run_tool("fit", "t.csv", *words, "-m", "model.json").status == 0

    def scored(*more: str) -> list[list[str]]:
        outcome = run_tool("predict", "model.json", "t.csv", "--append", *more)
        assert outcome.status == 0, outcome.err
        return list(csv.reader(io.StringIO(outcome.out, newline="")))

    plain, safe = scored(), scored("--spreadsheet-safe")
    assert [row[:4] for row in plain] == rows
    assert [row[2] for row in safe[1:15]] == [*(f"'{cell}" for cell in FORMULAS), *PLAIN]
    assert safe[0][0] == f"'{name}"
    assert [[*row[:2], *row[3:]] for row in safe[1:]] == [[*row[:2], *row[3:]] for row in plain[1:]]  # numbers stay
    terms = run_tool("fit", "t.csv", *words, "-f", "csv", "--spreadsheet-safe").out.splitlines()
    assert terms[2].startswith(f"'{name},")
    assert run_tool("fit", "t.csv", *words, "-f", "csv").out.splitlines()[2].startswith(f"{name},")


def test_only_csv_can_be_safe_for_spreadsheets() -> None:
    put(text(whole()))
    for words in (("-f", "json"), ("--json",), ("-f", "table"), (), ("-o", "out.md")):
        outcome = run_tool("fit", "t.csv", *FIT, "--spreadsheet-safe", *words)
        assert (outcome.status, outcome.out) == (2, "")
        assert "option-without-effect" in outcome.err
        assert not Path("out.md").exists()
    assert run_tool("fit", "t.csv", *FIT, "--spreadsheet-safe", "-o", "out.csv").status == 0
