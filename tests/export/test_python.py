"""The Python scorer against predict."""

import csv
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.export.models import CASES, exported, nearly, rows, truth


def run(path: Path, *words: str, data: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a scorer without anything but the standard library."""
    command = [sys.executable, "-I", "-S", "-W", "error", str(path), *words]
    return subprocess.run(command, input=data, capture_output=True, encoding="utf-8", timeout=60, check=False)


def module(name: str, *words: str) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "scorer"}
    exec(compile(exported(name, "python", *words), "scorer.py", "exec"), space)  # noqa: S102  (what was exported)
    return space


def test_a_reader_that_has_enough_ends_the_scorer_quietly(tmp_path: Path) -> None:
    scorer, table = tmp_path / "scorer.py", tmp_path / "table.csv"
    name = next(iter(CASES))
    scorer.write_text(exported(name, "python"), "utf-8")
    columns = list(rows(name)[0])
    with table.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, columns)
        out.writeheader()
        for _ in range(20_000):
            out.writerow(rows(name)[0])
    python = f"{sys.executable} -I -S {scorer}"
    for line, status, said in (
        (f"{python} < {table} | head -1 > /dev/null; exit ${{PIPESTATUS[0]}}", 141, ""),
        (f"{python} < {table} > /dev/full", 1, "standard output cannot be written: No space left on device\n"),
        (f"{python} <&-", 1, "standard input or output is closed\n"),
        (f"{python} < {table} >&-", 1, "standard input or output is closed\n"),
        (f"printf 'a,\"b' | {python}", 1, "the table cannot be read: unexpected end of data\n"),
    ):
        command = ["/bin/bash", "-c", line]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)
        assert (done.returncode, done.stderr) == (status, said), line


@pytest.mark.parametrize("name", CASES)
def test_rows_score_as_predict_scores_them(name: str, tmp_path: Path) -> None:
    scorer = tmp_path / "scorer.py"
    scorer.write_text(exported(name, "python"), "utf-8")
    data = io.StringIO(newline="")
    out = csv.DictWriter(data, list(rows(name)[0]))
    out.writeheader()
    out.writerows(rows(name))
    done = run(scorer, data=data.getvalue())
    assert done.returncode == 0, done.stderr
    found = list(csv.DictReader(io.StringIO(done.stdout, newline="")))
    assert len(found) == len(rows(name))
    for at, (row, expected) in enumerate(zip(found, truth(name), strict=True)):
        for key, value in expected.items():
            cell: object = row[key] or None
            cell = float(row[key]) if isinstance(value, float) else cell
            assert nearly(cell, value), (at, key, rows(name)[at])


@pytest.mark.parametrize("name", CASES)
def test_a_dict_of_cells_scores_alike(name: str) -> None:
    predict = module(name)["predict"]
    for row, expected in zip(rows(name), truth(name), strict=True):
        found = predict(row)
        assert list(found) == list(expected)
        assert all(nearly(found[key], value) for key, value in expected.items()), row


def test_numbers_booleans_and_none_are_cells() -> None:
    space = module("missing-indicator")
    row = {**rows("missing-indicator")[40], "open": "True", "size": "", "age": "0.5", "grade": "2"}
    same = {**row, "open": True, "size": None, "age": 0.5, "grade": 2}
    also = {**row, "size": float("nan")}
    assert space["predict"](row)["link"] is not None
    assert space["predict"](row) == space["predict"](same) == space["predict"](also)
    assert space["predict"]({**row, "age": 10**400})["link"] is None
    with pytest.raises(KeyError, match="size"):
        space["predict"]({})


def test_numbers_that_stand_for_missing_cells_do_so_as_numbers_too() -> None:
    predict = module("stand-ins-filled")["predict"]
    row = rows("stand-ins-filled")[60]
    answers = [predict({**row, "size": cell}) for cell in ("", None, "-999", -999, -999.0, "-9.99e2 ", 7.5)]
    assert answers[0]["link"] is not None
    assert all(answer == answers[0] for answer in answers)
    assert predict({**row, "size": -998.0}) != answers[0]


@pytest.mark.parametrize("name", CASES)
def test_it_tests_itself(name: str, tmp_path: Path) -> None:
    scorer = tmp_path / "scorer.py"
    text = exported(name, "python")
    scorer.write_text(text, "utf-8")
    done = run(scorer, "--self-test")
    assert (done.returncode, "self-test passed" in done.stdout) == (0, True)
    assert done.stdout.split()[2] in "34"
    start = next(line for line in text.splitlines() if line.startswith("    eta = "))
    scorer.write_text(text.replace(start, f"{start} + 1e-6", 1), "utf-8")
    done = run(scorer, "--self-test")
    assert (done.returncode, "self-test failed" in done.stderr) == (1, True)


@pytest.mark.parametrize(("data", "says"), [("a,b\n1,2\n", "one column 'size'"), ("", "one column 'size'")])
def test_a_table_without_a_column_is_refused(data: str, says: str, tmp_path: Path) -> None:
    scorer = tmp_path / "scorer.py"
    scorer.write_text(exported("gaussian", "python"), "utf-8")
    done = run(scorer, data=data)
    assert (done.returncode, says in done.stderr, done.stdout) == (1, True, "")


def test_a_ragged_row_is_refused(tmp_path: Path) -> None:
    scorer = tmp_path / "scorer.py"
    scorer.write_text(exported("gaussian", "python"), "utf-8")
    done = run(scorer, data=",".join(rows("gaussian")[0]) + "\n1,2\n")
    assert (done.returncode, "line 2 has 2 cells" in done.stderr) == (1, True)
