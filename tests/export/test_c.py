"""The C scorer, compiled, against predict."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.export.models import CASES, Row, exported, nearly, rows, truth, unsure
from tests.fuzz.tool import run_tool

#: The machine's own compiler, else the one that comes as a wheel.
COMPILER = [shutil.which("cc")] if shutil.which("cc") else [sys.executable, "-m", "ziglang", "cc"]
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
SPELT = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def compiled(folder: Path, source: str, *flags: str) -> Path:
    """The program of a scorer; the compiler has nothing to say."""
    path, program = folder / "scorer.c", folder / "scorer"
    path.write_text(source, "utf-8")
    command = [*map(str, COMPILER), *STRICT, "-O0", *flags, str(path), "-o", str(program), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return program


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The program of a case, compiled once."""
    return cache(lambda name: compiled(tmp_path_factory.mktemp("c"), exported(name, "c"), "-DREGCLI_MAIN"))


def run(program: Path, *words: str, data: str = "") -> tuple[int, str, str]:
    done = subprocess.run([str(program), *words], input=data.encode(), capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def order(name: str) -> list[tuple[str, str]]:
    """The inputs, with their kinds: numbers come first, each in the order of the scorer as data."""
    inputs = [(part["kind"], part["column"]) for part in json.loads(exported(name, "json"))["inputs"]]
    return sorted(inputs, key=lambda part: part[0] != "number")


def line(inputs: Sequence[tuple[str, str]], row: Row) -> str:
    """A row as the program reads it: cells of these inputs, each a kind and a column."""

    def cell(kind: str, text: str) -> str:
        return text if kind == "number" else "".join(SPELT.get(letter, letter) for letter in text)

    return "\t".join(cell(kind, row[column]) for kind, column in inputs) + "\n"


def unescaped(cell: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"t": "\t", "n": "\n", "r": "\r"}.get(found[1], found[1]), cell)


@pytest.mark.parametrize("name", CASES)
def test_rows_score_as_predict_scores_them(name: str, program: Callable[[str], Path]) -> None:
    status, out, err = run(program(name), data="".join(line(order(name), row) for row in rows(name)))
    assert (status, err) == (0, "")
    found = out.split("\n")[:-1]
    assert len(found) == len(rows(name))
    for cells, row, expected in zip(found, rows(name), truth(name), strict=True):
        for cell, value in zip(cells.split("\t"), expected.values(), strict=True):
            if unsure(name, row):
                assert cell == ""
                continue
            assert nearly(float(cell) if isinstance(value, float) else unescaped(cell) or None, value), (row, cells)


@pytest.mark.parametrize("name", ["gaussian", "gaussian-null", "binomial-hostile", "poisson-lasso"])
def test_it_compiles_as_a_part_of_something_else(name: str, tmp_path: Path) -> None:
    compiled(tmp_path, exported(name, "c"), "-c")


@pytest.mark.parametrize("name", CASES)
def test_it_tests_itself(name: str, program: Callable[[str], Path]) -> None:
    status, out, _ = run(program(name), "--self-test")
    assert (status, out.startswith("self-test passed: ")) == (0, True)
    assert out.split()[2] in "34"


def test_it_fails_its_test_when_it_was_changed(tmp_path: Path) -> None:
    changed = re.sub(r"(    double eta = [^;]*);", r"\1 + 1e-6;", exported("missing-mean", "c"))
    status, out, err = run(compiled(tmp_path, changed, "-DREGCLI_MAIN"), "--self-test")
    assert (status, out, "self-test failed at row 0" in err) == (1, "", True)


def test_the_order_of_the_cells_stands_in_the_head() -> None:
    source = exported("gaussian-offset", "c")
    numbers = [column for kind, column in order("gaussian-offset") if kind == "number"]
    assert numbers == ["size", "weight", "age", "base"]
    listed = "".join(f"//     [{at}] {column}\n" for at, column in enumerate(numbers))
    assert f"// numbers:\n{listed}// texts:\n//     [0] kind\n" in source


def test_it_is_called_with_arrays(tmp_path: Path) -> None:
    caller = """
#include <stdio.h>
int main(void)
{
    double numbers[REGCLI_NUMBERS] = {0.5, -1.0, 2.0};
    const char *texts[REGCLI_TEXTS] = {"a", "west", "true", "2"};
    regcli_result result;
    int scored = regcli_score(numbers, texts, &result);
    printf("%d %.17g\\n", scored, result.link);
    numbers[1] = NAN;
    scored = regcli_score(numbers, texts, &result);
    printf("%d %d\\n", scored, isnan(result.link) && isnan(result.response));
    numbers[1] = 1.0;
    texts[3] = NULL;
    printf("%d\\n", regcli_score(numbers, texts, &result));
    return 0;
}
"""
    status, out, _ = run(compiled(tmp_path, exported("gaussian", "c") + caller))
    scored, unscored, missing = out.splitlines()
    space: dict[str, object] = {"__name__": "scorer"}
    exec(compile(exported("gaussian", "python"), "scorer.py", "exec"), space)  # noqa: S102  (what was exported)
    row = dict(
        zip([column for _, column in order("gaussian")], (0.5, -1.0, 2.0, "a", "west", "true", "2"), strict=True)
    )
    known = space["predict"](row)["link"]  # type: ignore[operator]
    assert (status, scored.split()[0], unscored, missing) == (0, "1", "0 1", "0")
    assert nearly(float(scored.split()[1]), known)


@pytest.mark.parametrize("text", ["1\t2\n", "\n", "1\t2\t3\ta\twest\ttrue\t2\t9\n"])
def test_a_ragged_row_is_refused(text: str, program: Callable[[str], Path]) -> None:
    status, out, err = run(program("gaussian"), data=text)
    assert (status, out, err) == (3, "", "line 1 does not have 7 cells\n")


def test_levels_that_have_become_one_leave_nothing_unused(tmp_path: Path) -> None:
    data, model, out = tmp_path / "data.csv", tmp_path / "model.json", tmp_path / "out.c"
    lines = (f"{'' if at % 3 == 0 else 'abcdefgh'[at % 8]},{at % 3 + at / 99}\n" for at in range(60))
    data.write_text("a,y\n" + "".join(lines), "utf-8")
    words = ("--missing", "a=indicator", "--min-level-count", "30", "-l", "0.001")
    assert run_tool("fit", data, "-y", "y", "--family", "gaussian", *words, "-m", model).status == 0
    assert run_tool("export", model, "--to", "c", "--unknown-level", "zero", "-o", out).status == 0
    assert run(compiled(tmp_path, out.read_text("utf-8"), "-DREGCLI_MAIN"), "--self-test")[0] == 0


def test_long_levels_are_no_long_literals(tmp_path: Path) -> None:
    long = ["\u00e9'\\?" * 2_000, "x" * 9_000, "short"]
    data, model, out = tmp_path / "data.csv", tmp_path / "model.json", tmp_path / "out.c"
    lines = [f'"{long[at % 3]}",{at % 3 + at / 10}\n' for at in range(12)]
    data.write_text("a,y\n" + "".join(lines), "utf-8")
    assert run_tool("fit", data, "-y", "y", "--family", "gaussian", "-l", "0.01", "-m", model).status == 0
    assert run_tool("export", model, "--to", "c", "-o", out).status == 0
    program = compiled(tmp_path, out.read_text("utf-8"), "-DREGCLI_MAIN")
    assert run(program, "--self-test")[0] == 0
    cells = "".join("".join(SPELT.get(letter, letter) for letter in level) + "\n" for level in long)
    status, found, _ = run(program, data=cells)
    told = run_tool("predict", model, data)
    assert (status, told.status) == (0, 0)
    known = [float(value) for value in told.out.split()[1:4]]
    assert all(nearly(float(line.split("\t")[1]), value) for line, value in zip(found.splitlines(), known, strict=True))
