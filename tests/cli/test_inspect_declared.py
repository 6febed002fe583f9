"""What inspect says of columns that are declared: the range of dates, words, the order of levels, events of a class."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from regcli.report.schemas import SCHEMAS
from tests.cli.conftest import ROOT
from tests.cli.test_inspect import codes, looked, write
from tests.fuzz.mutants import FORMATS, files_of
from tests.fuzz.tool import run_tool

pytestmark = pytest.mark.usefixtures("folder")

SPAM = ROOT / "sample_data" / "spam.csv"

#: Fourteen months, three sizes, few words.
ROWS = 60
COLUMNS: dict[str, list[Any]] = {
    "when": [f"{2024 + at // 36}-{1 + at % 12:02d}-{1 + at % 28:02d}" for at in range(ROWS)],
    "size": ["S", "M", "L", "M"] * (ROWS // 4),
    "note": [f"late {'kind' if at % 3 else 'free offer'} n{at}" for at in range(ROWS)],
    "visits": [at * 7 % 5 for at in range(ROWS)],
    "ill": [1 if at % 6 == 0 else 2 for at in range(ROWS)],
}
DECLARED = ("--date", "when", "--ordinal", "size=S,M,L", "--text", "note")


def columns(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {column["column"]: column for column in document["columns"]}


def changed(name: str, row: int, cell: str) -> str:
    return write("changed.csv", {**COLUMNS, name: [*COLUMNS[name][:row], cell, *COLUMNS[name][row + 1 :]]})


def test_dates_words_and_orders_are_told() -> None:
    document = looked(write("t.csv", COLUMNS), "-y", "visits", "--family", "poisson", "--drop", "ill", *DECLARED)
    found = columns(document)
    assert [found[name]["type"] for name in ("when", "size", "note")] == ["date", "ordinal", "text"]
    assert found["when"]["dates"] == {"first": "2024-01-01", "last": "2025-12-20", "unreadable": 0}
    assert found["size"]["order"] == ["S", "M", "L"]
    assert found["note"]["words"] == {
        "distinct": 4 + ROWS, "kept": 4, "wordless_rows": 0,
        "frequent": [{"word": word, "rows": rows} for word, rows in
                     (("late", 60), ("kind", 40), ("free", 20), ("offer", 20))],
    }  # fmt: skip
    assert [found["visits"][key] for key in ("dates", "words", "order")] == [None] * 3
    assert codes(document, "error") == codes(document, "warning") == {}
    fitted = run_tool(
        "fit", "t.csv", "-y", "visits", "--family", "poisson", "--drop", "ill", "-l", "1", *DECLARED, "--json"
    )
    assert (
        fitted.document["n_terms"] == document["memory"]["terms"] == sum(column["n_terms"] for column in found.values())
    )
    shown = run_tool("inspect", "t.csv", "-y", "visits", *DECLARED, "-f", "table").out
    for piece in ("2024-01-01 to 2025-12-20", "S < M < L", "4 words: late (60), kind (40)"):
        assert piece in shown


def test_words_take_the_memory_that_a_fit_gives_them() -> None:
    words = ("-y", "visits", "--family", "poisson", "--drop", "ill", *DECLARED)
    document = looked(write("t.csv", COLUMNS), *words)
    planned = run_tool("fit", "t.csv", *words, "--dry-run", "--json").document["memory"]["matrix_bytes"]
    assert document["memory"]["matrix_bytes"] == planned < 8 * document["memory"]["terms"] * ROWS
    shown = run_tool("inspect", "t.csv", *words, "-f", "table").out
    assert f"{planned / 1000:.1f} kB (12 bytes x cells that are not zero" in " ".join(shown.split())


def test_without_an_order_levels_are_sorted_and_numbers_by_value() -> None:
    write("t.csv", {**COLUMNS, "size": [("10", "9", "2")[at % 3] for at in range(ROWS)]})
    found = columns(looked("t.csv", "-y", "visits", "--ordinal", "size", "--ordinal", "note"))
    assert found["size"]["order"] == ["2", "9", "10"]
    assert found["note"]["order"][:2] == ["late free offer n0", "late free offer n12"]


@pytest.mark.parametrize(
    ("name", "cell", "code"),
    [
        ("when", "31.12.2024", "bad-date"),
        ("when", "", "missing-values"),
        ("size", "XL", "unknown-level"),
        ("size", "NA", "missing-values"),
        ("note", "", None),
    ],
)
def test_what_fit_refuses_is_found_with_its_first_cell(name: str, cell: str, code: str | None) -> None:
    words = (changed(name, 7, cell), "-y", "visits", "--drop", "ill", *DECLARED)
    document = looked(*words)
    fitted = run_tool("fit", *words, "--family", "gaussian", "-l", "1", "--json")
    assert codes(document, "error") == ({} if code is None else {code: [name]})
    assert (fitted.status == 0) == (code is None)
    if code is None:
        assert columns(document)["note"]["words"]["wordless_rows"] == 1
        return
    finding = next(each for each in document["findings"] if each["code"] == code)
    assert fitted.error["code"] == code
    assert finding["location"] == fitted.error["location"] == {
        "file": "changed.csv", "line": 9, "row": None, "column": name,
    }  # fmt: skip
    assert finding["cells"] == fitted.error["cells"] == ([cell] if code in ("bad-date", "unknown-level") else [])


def test_unreadable_dates_are_counted() -> None:
    cells = [*COLUMNS["when"][:40], *["soon"] * 20]
    found = columns(looked(write("t.csv", {**COLUMNS, "when": cells}), "-y", "visits", "--date", "when"))["when"]
    assert found["dates"]["unreadable"] == 20
    none = columns(looked(write("t.csv", {**COLUMNS, "when": ["soon", "late"] * 30}), "-y", "visits", "--date", "when"))
    assert none["when"]["dates"] is None


def test_a_family_that_is_named_is_not_guessed() -> None:
    assert codes(looked(write("t.csv", COLUMNS), "-y", "ill", *DECLARED), "error") == {"family-ambiguous": ["ill"]}
    document = looked("t.csv", "-y", "ill", *DECLARED, "--family", "binomial")
    assert codes(document, "error") == codes(document, "warning") == {}
    target = document["target"]
    assert (target["family"], target["family_source"], target["positive"]) == ("binomial", "option", "2")
    assert target["classes"] == [{"level": "1", "count": 10}, {"level": "2", "count": 50}]
    assert target["events_per_term"] == 10 / document["memory"]["terms"]
    assert (
        "rows of the rarer class"
        in run_tool("inspect", "t.csv", "-y", "ill", "--family", "binomial", "-f", "table").out
    )


@pytest.mark.parametrize(
    ("target", "family", "code"),
    [
        ("size", "gaussian", "target-domain"),
        ("visits", "binomial", "target-domain"),
        ("size", "poisson", "target-domain"),
    ],
)
def test_a_family_that_does_not_fit_the_target(target: str, family: str, code: str) -> None:
    words = (write("t.csv", COLUMNS), "-y", target, "--family", family, "--drop", "when", "--drop", "note")
    assert codes(looked(*words), "error").get(code) == [target]
    assert run_tool("fit", *words, "-l", "1", "--json").error["code"] == code
    assert run_tool("inspect", *words, "--strict").status == 3


def test_declarations_that_contradict() -> None:
    write("t.csv", COLUMNS)
    for words, status, code in (
        (("--date", "note", "--text", "note"), 2, "column-in-two-roles"),
        (("--date", "wann"), 3, "column-not-found"),
        (("--ordinal", "size=S,S"), 2, "unknown-option-value"),
        (("--text", "visits"), 2, "column-in-two-roles"),
    ):
        outcome = run_tool("inspect", "t.csv", "-y", "visits", *words, "--json")
        assert (outcome.status, outcome.out, outcome.error["code"]) == (status, "", code)


def test_the_sample_of_messages() -> None:
    words = ("-y", "label", "--family", "binomial", "--text", "message", "--date", "received")
    document = looked(SPAM, *words, "--ordinal", "sender=unknown,known,friend")
    assert document["findings"] == []
    assert columns(document)["message"]["words"]["kept"] == 134


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_a_document(form: str) -> None:
    Path(f"t.{form}").write_bytes(files_of(form)[0])
    document = run_tool("inspect", f"t.{form}", "--json").document
    jsonschema.validate(document, SCHEMAS["inspect"])
    Path("i.json").write_text(json.dumps(document), "utf-8")
    assert run_tool("show", "i.json", "-f", "table").status == 0
