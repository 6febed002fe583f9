"""Tables as programs and people leave them: what is said of each, and that doing what is said is enough."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from regcli.errors import CODES
from tests.fuzz.tool import run_tool

FIT = ("-y", "y", "--family", "gaussian", "-l", "0.01")
ROWS = range(60)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def table(
    a: Callable[[int], str] = lambda i: f"{i * 37 % 101 / 8}",
    b: Callable[[int], str] = lambda i: f"{i * 53 % 89 / 4}",
    y: Callable[[int], str] = lambda i: f"{i * 37 % 101 / 8 + i * 29 % 97 / 50}",
    *,
    mark: str = ",",
) -> list[str]:
    """Lines of a table with three columns, a header first; no cell of it is whole, nor has it less than a digit."""
    return [mark.join("aby"), *(mark.join((a(i), b(i), y(i))) for i in ROWS)]


def german(value: float, behind: str = "") -> str:
    """1234.5 as 1.234,50."""
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,")) + behind


def put(lines: list[str] | bytes, name: str = "data.csv") -> str:
    Path(name).write_bytes(lines if isinstance(lines, bytes) else ("\n".join(lines) + "\n").encode())
    return name


@dataclass(frozen=True)
class Case:
    """Lines, the error and what its hint says, and the lines and options that follow it."""

    lines: list[str] | bytes
    code: str
    said: str
    mended: list[str] | None = None
    more: tuple[str, ...] = ()
    given: tuple[str, ...] = ()


PLAIN = table()
MARKS = ("..", "n/a", "-", "suppressed")

CASES = {
    "the mark of a delimiter for Excel": Case(["sep=,", *PLAIN], "empty-column-name", "by tail -n +2", PLAIN),
    "a title above the header": Case(
        ["Rents 2024,,", ",,", *PLAIN],
        "empty-column-name",
        "if line 3 is the header, leave out what stands above it, by tail -n +3",
        PLAIN,
    ),
    "remarks above the header": Case(
        ["# written by a logger", "# in 2024", *PLAIN], "ragged-row", "by tail -n +3", PLAIN
    ),
    "a source below the rows": Case([*PLAIN, "Source: office of statistics"], "ragged-row", "if it is a remark", PLAIN),
    "names of rows as R's write.csv has them": Case(
        ["," + PLAIN[0], *(f"{at},{line}" for at, line in enumerate(PLAIN[1:]))],
        "empty-column-name",
        "row.names=FALSE in R, index=False in pandas",
        PLAIN,
    ),
    "names of rows as R's write.table has them": Case(
        [PLAIN[0], *(f"r{at},{line}" for at, line in enumerate(PLAIN[1:]))],
        "ragged-row",
        "the header needs a name for that too",
        ["row," + PLAIN[0], *(f"r{at},{line}" for at, line in enumerate(PLAIN[1:]))],
        ("--id", "row"),
    ),
    "a table for people": Case(
        [" a | b | y ", "---+---+---", *table(mark=" | ")[1:]],
        "ragged-row",
        "as psql --csv and mysql --batch do",
        PLAIN,
    ),
    "blanks between cells": Case(table(mark=" "), "column-not-found", "--delimiter ' '", None, ("--delimiter", " ")),
    "a web page": Case(["<!DOCTYPE html>", "<html><body>404</body></html>"], "column-not-found", "a web page"),
    "a currency in the target": Case(
        table(y=lambda i: german(1000 + i * 37 % 101, "\u00a0\u20ac"), mark=";"),
        "text-in-numeric-column",
        "write '1.000,00\\xa0\u20ac' as 1000.00",
        table(y=lambda i: f"{1000 + i * 37 % 101}", mark=";"),
        given=("--delimiter", ";"),
    ),
    "narrow blanks between thousands, and a comma": Case(
        table(a=lambda i: f"1\u202f{100 + i},5", mark=";"),
        "text-in-numeric-column",
        "write '1\\u202f100,5' as 1100.5",
        table(a=lambda i: f"1{100 + i}.5", mark=";"),
        given=("--delimiter", ";"),
    ),
    "several marks of missing cells": Case(
        table(b=lambda i: MARKS[i % 4] if i % 3 else f"{i / 4}"),
        "text-in-numeric-column",
        """--na-values '"",NA,NaN,nan,null,n/a,-,..,suppressed' if they mean missing""",
        None,
        ("--na-values", '"",NA,NaN,nan,null,n/a,-,..,suppressed', "--missing", "mean"),
    ),
    "a mark beside those that were given": Case(
        table(b=lambda i: {1: "-99", 2: "x"}.get(i % 7, f"{i / 4}")),
        "text-in-numeric-column",
        """--na-values '"",-99,x' if it means missing""",
        None,
        ("--na-values", '"",-99,x', "--missing", "drop"),
        ("--na-values", '"",-99'),
    ),
    "dates with points": Case(
        table(a=lambda i: f"{1 + i % 28:02}.{1 + i % 12:02}.2023"),
        "undeclared-date",
        "dates are written 2026-11-20 or 2026-11-20T08:30 (ISO 8601): spell them so, for --date a",
        table(a=lambda i: f"2023-{1 + i % 12:02}-{1 + i % 28:02}"),
        ("--date", "a"),
    ),
    "few dates with slashes": Case(
        table(a=lambda i: f"{1 + i % 9}/5/2023"), "undeclared-date", "--categorical a", None, ("--categorical", "a")
    ),
    "Cyrillic": Case(
        "\n".join(["возраст,b,y", *PLAIN[1:]]).encode("cp1251"),
        "encoding",
        "--encoding cp1251 (Cyrillic)",
        None,
        ("--encoding", "cp1251"),
    ),
    "Japanese": Case(
        "\n".join(["価格,b,y", *PLAIN[1:]]).encode("cp932"),
        "encoding",
        "cp932 (Japanese)",
        None,
        ("--encoding", "cp932"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_of_a_messy_table_is_enough_to_mend_it(name: str) -> None:
    case = CASES[name]
    error = run_tool("fit", put(case.lines), *FIT, *case.given, "--json").error
    assert (error["code"], error["exit_code"]) == (case.code, CODES[case.code][0])
    assert case.said in error["hint"]
    if case.mended is None and not case.more:
        return
    given = () if case.more and case.given and case.more[0] == case.given[0] else case.given
    done = run_tool("fit", "data.csv" if case.mended is None else put(case.mended), *FIT, *given, *case.more)
    assert done.status == 0, done.err


def test_classes_that_differ_by_a_blank_are_shown() -> None:
    put(table(y=lambda i: ("yes", "no", "yes ")[i % 3]))
    error = run_tool("fit", "data.csv", "-y", "y", "--json").error
    assert error["code"] == "family-not-available"
    assert error["message"].endswith(": 'no', 'yes', 'yes '")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("book.xlsx", "save the sheet as CSV"),
        ("list.json", "jq -c '.[]'"),
        ("data.sav", "as CSV where it comes from"),
        ("data.db", "sqlite3 -csv -header"),
        ("data.zip", "unpack it"),
        ("data.xyz", "--input-format csv"),
    ],
)
def test_files_of_other_programs_are_told_how_to_become_tables(name: str, said: str) -> None:
    error = run_tool("fit", put(b"whatever", name), *FIT, "--json").error
    assert (error["code"], error["exit_code"]) == ("file-unreadable", 3)
    assert said in error["hint"]


def test_predict_names_the_ways_that_it_has() -> None:
    """Neither --categorical nor --drop is an option of predict; the mark of decimals and --on-bad-row are."""
    put(table(b=lambda i: f"2023-{1 + i % 12:02}-{1 + i % 28:02}"))
    assert run_tool("fit", "data.csv", *FIT, "--date", "b", "-m", "m.json").status == 0
    put(["a,b", "1.5,2023-02-03", "2.5,03.02.2023"], "new.csv")
    error = run_tool("predict", "m.json", "new.csv", "--json").error
    assert (error["code"], error["location"]["line"], error["cells"]) == ("bad-date", 3, ["03.02.2023"])
    assert "(ISO 8601); --on-bad-row null" in error["hint"]
    done = run_tool("predict", "m.json", "new.csv", "--on-bad-row", "null")
    assert (done.status, done.out.splitlines()[2]) == (0, '""')
    put(["a;b", "1,5;2023-02-03"], "new.csv")
    error = run_tool("predict", "m.json", "new.csv", "--json").error
    assert (error["code"], error["hint"].startswith("--decimal ,")) == ("text-in-numeric-column", True)
    assert run_tool("predict", "m.json", "new.csv", "--decimal", ",").status == 0
    put(["a,b", "none,2023-02-03"], "new.csv")
    (option, words), _ = (
        shlex.split(part)
        for part in run_tool("predict", "m.json", "new.csv", "--json").error["hint"].split(" if it means ")
    )
    assert option == "--na-values"
    put(["a,b", "1.5,2023-02-03", "none,2023-02-03", "NaN,2023-02-03"], "new.csv")
    done = run_tool("predict", "m.json", "new.csv", option, words, "--missing", "mean")
    assert done.status == 0, done.err


def test_the_delimiter_that_is_told_is_the_one_that_was_guessed() -> None:
    put(PLAIN)
    put(table(mark=";"), "more.csv")
    (warning,) = (
        one
        for one in run_tool("fit", "data.csv", "more.csv", *FIT, "--json").document["warnings"]
        if one["code"] == "delimiter-guessed"
    )
    assert warning["delimiter"] == ";"
