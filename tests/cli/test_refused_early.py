"""What would go wrong without a word is refused, with the way out."""

import csv
import os
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import SAMPLES
from tests.fuzz.tool import run_tool
from tests.shut import shut_off

FIT = ("fit", SAMPLES / "diabetes.csv", "-y", "progression", "--family", "gaussian", "-l", "1")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def table(*names: str, rows: int = 40) -> dict[str, list[float]]:
    rng = random.Random(3)  # noqa: S311  (no secret)
    return {name: [round(rng.gauss(0, 1), 3) for _ in range(rows)] for name in names}


def write(columns: dict[str, list[float]]) -> str:
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    Path("table.csv").write_text("\n".join(lines) + "\n")
    return "table.csv"


def test_sql_is_not_written_for_names_that_differ_by_capitals() -> None:
    run_tool("fit", write(table("a", "A", "y")), "-y", "y", "--family", "gaussian", "-l", "0.01", "-m", "model.json")
    refused = run_tool("export", "model.json", "--to", "sql")
    assert refused.status == 2
    assert "error[not-exportable]: columns 'a' and 'A' differ by capitals alone" in refused.err
    assert run_tool("export", "model.json", "--to", "python").status == 0


def test_nor_for_a_column_that_goes_along() -> None:
    run_tool("fit", write(table("a", "b", "y")), "-y", "y", "--family", "gaussian", "-l", "0.01", "-m", "model.json")
    refused = run_tool("export", "model.json", "--to", "sql", "--id", "A")
    assert refused.status == 2
    assert "error[not-exportable]: columns 'a' and 'A' differ by capitals alone" in refused.err
    assert run_tool("export", "model.json", "--to", "sql", "--id", "a").status == 0


@pytest.mark.parametrize(
    ("option", "limit", "other"),
    [("--max-drop", "rmse=0.01", "--max-increase"), ("--max-increase", "cv.r2=0.01", "--max-drop")],
)
def test_a_limit_of_the_wrong_direction_is_refused(option: str, limit: str, other: str) -> None:
    run_tool(*FIT, "-o", "old.json")
    refused = run_tool(*FIT, "--baseline", "old.json", option, limit)
    assert refused.status == 2
    assert f"hint: {other} {limit}" in refused.err


@pytest.mark.parametrize("option", ["--model-out", "--report"])
def test_a_dash_is_no_file_to_write(option: str) -> None:
    refused = run_tool(*FIT, option, "junit=-" if option == "--report" else "-")
    assert refused.status == 2
    assert "writes a file, and '-' is none" in refused.err
    assert list(Path().iterdir()) == []


def test_names_and_categories_have_no_nul_byte() -> None:
    numbers = {name: pa.array(values) for name, values in table("a", "y").items()}
    for columns in ({"b\0": numbers["a"]}, {"b": pa.array(["x", "x\0"] * 20)}):
        pq.write_table(pa.table({**numbers, **columns}), "table.parquet")
        refused = run_tool("fit", "table.parquet", "-y", "y", "--family", "gaussian", "-l", "0.01")
        assert refused.status == 3
        assert "error[nul-byte]" in refused.err


def test_integers_that_only_doubles_make_constant_are_told_in_any_format() -> None:
    columns = {**table("a", "y", rows=60), "big": [2**60 + at % 12 for at in range(60)]}
    pq.write_table(pa.table(columns), "table.parquet")
    told = run_tool("fit", "table.parquet", "-y", "y", "--family", "gaussian", "-l", "0.01", "-f", "names")
    assert "of integers beyond 2^53 only the nearest double is read (big)" in told.err
    looked = run_tool("inspect", "table.parquet", "-y", "y", "-f", "table")
    assert "rounded-integers" in looked.out


def test_a_strength_that_path_printed_is_one_of_the_saved_path() -> None:
    words = (SAMPLES / "diabetes.csv", "-y", "progression", "--family", "gaussian")
    run_tool("fit", *words, "--save-path", "-m", "model.json")
    lambdas = run_tool("path", *words, "-f", "json").document["lambdas"]
    for lam in (lambdas[0], lambdas[-1]):
        found = run_tool("predict", "model.json", SAMPLES / "diabetes.csv", "--lambda", lam)
        assert (found.status, "lambda-interpolated" in found.err) == (0, False)


def test_a_folder_that_was_removed_is_told(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    refused = run_tool(*FIT, "-o", "out.json")
    assert refused.status == 6
    assert "the current directory no longer exists" in refused.err
    assert run_tool(*FIT, "-f", "names").status == 0


#: Longer than file systems take (255 bytes): that can be neither read nor written, whoever runs the tests.
LONG = "x" * 300

UNREADABLE = (
    (("inspect", LONG), 3),
    (("inspect", LONG, "-o", "out.json"), 3),
    ((*FIT, "--test", LONG), 3),
    ((*FIT, "--test", LONG, "-m", "out.json"), 3),
    ((*FIT[:-1], f"@{LONG}"), 3),
    ((*FIT, "-o", LONG), 6),
    ((*FIT, "-o", "out.json", "-m", LONG), 6),
    (("predict", "model.json", LONG), 3),
    (("predict", "model.json", LONG, "-o", "out.csv"), 3),
    (("predict", LONG, FIT[1], "-o", "out.csv"), 5),
    (("check", "model.json", LONG), 3),
    (("show", LONG, "-o", "out.txt"), 3),
    (("export", LONG, "--to", "c", "-o", "out.c"), 5),
)


@pytest.mark.parametrize(("words", "status"), UNREADABLE)
def test_what_the_system_does_not_let_read_is_an_error_of_the_file(words: tuple[str, ...], status: int) -> None:
    run_tool(*FIT, "-m", "model.json")
    refused = run_tool(*words)
    assert (refused.status, list(Path().iterdir())) == (status, [Path("model.json")]), refused.err
    assert "File name too long" in refused.err


def test_nor_what_lies_in_a_folder_that_may_not_be_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    shut_off(monkeypatch, "shut/new.csv")
    for words in (
        ("inspect", "shut/new.csv"),
        (*FIT, "--test", "shut/new.csv"),
        ("inspect", "shut/new.csv", "-o", "o"),
    ):
        refused = run_tool(*words)
        assert (refused.status, "error[file-unreadable]: shut/new.csv: Permission denied" in refused.err) == (3, True)


WRITTEN = (
    *((*FIT, option, "loop.json") for option in ("-o", "-m")),
    (*FIT, "-o", "out.json", "--report", "junit=loop.json"),
    ("predict", "model.json", FIT[1], "-o", "loop.json"),
    ("predict", "model.json", FIT[1], "--metrics-out", "loop.json"),
    ("inspect", FIT[1], "-o", "loop.json"),
    ("show", "model.json", "-o", "loop.json"),
    ("diff", "model.json", "model.json", "-o", "loop.json"),
    ("export", "model.json", "--to", "c", "-o", "loop.json"),
    ("schema", "fit", "-o", "loop.json"),
)


@pytest.mark.parametrize("words", WRITTEN)
def test_links_that_lead_in_a_circle_are_no_file_to_write(words: tuple[str, ...]) -> None:
    run_tool(*FIT, "-m", "model.json")
    Path("loop.json").symlink_to("loop.json")
    refused = run_tool(*words)
    assert refused.status == 6, refused.err
    assert "error[output-failed]: loop.json was not written: Too many levels of symbolic links" in refused.err
    assert sorted(map(str, Path().iterdir())) == ["loop.json", "model.json"]


@pytest.mark.parametrize("size", [1e4, 1e6])
@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_one_far_cell_does_not_hold_logistic_steps_short(penalty: str, size: float) -> None:
    columns = table("a", "b", "c", "d", rows=50)
    noise = random.Random(4)  # noqa: S311  (no secret)
    pairs = zip(columns["a"], columns["d"], strict=True)
    columns["y"] = [float(a - d + noise.gauss(0, 1) > 0) for a, d in pairs]
    columns["c"][1] = size
    words = ("-y", "y", "--family", "binomial", "--no-standardize", "--penalty", penalty, "-l", "0.1,0.01,0.001")
    found = run_tool("path", write(columns), *words, "-f", "json")
    assert found.document["violation"] == pytest.approx([0, 0, 0], abs=1e-7)


def test_cells_of_json_lines_go_along_as_they_are_spelt() -> None:
    run_tool(*FIT, "-m", "model.json")
    cells = dict.fromkeys(("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"), "1.50")
    cells |= {"tags": '[1, 2.50, "3", null]', "more": '{"k": 1e3, "l": [true]}', "vip": "true", "none": "null"}
    line = ", ".join(f'"{name}": {cell}' for name, cell in cells.items())
    Path("new.jsonl").write_text("{" + line + "}\n")
    found = run_tool("predict", "model.json", "new.jsonl", "--append", "-f", "csv", "-qq")
    (row,) = csv.DictReader(found.out.splitlines())
    for name, cell in cells.items():
        assert row[name] == ("" if cell == "null" else cell)


@pytest.mark.parametrize("option", ["--no-header", "--delimiter=;", "--decimal=,", "--encoding=latin-1"])
def test_how_text_is_written_has_no_effect_on_other_formats(option: str) -> None:
    pq.write_table(pa.table(table("a", "b", "y")), "table.parquet")
    Path("table.jsonl").write_text('{"a": 1, "b": 2, "y": 3}\n' * 5)
    run_tool("fit", "table.parquet", "-y", "y", "--family", "gaussian", "-l", "0.1", "-m", "model.json")
    for file in ("table.parquet", "table.jsonl"):
        runs = (("fit", file, "-y", "y"), ("inspect", file), ("predict", "model.json", file))
        for refused in (run_tool(*run, option) for run in runs):
            assert refused.status == 2
            assert f"[option-without-effect]: {option.partition('=')[0]} has no effect on {file[6:]}" in refused.err


@pytest.mark.parametrize("option", ["--decimal", "--encoding", "--delimiter"])
@pytest.mark.parametrize("value", ["", "none"])
def test_how_text_is_written_is_judged_by_every_command(option: str, value: str) -> None:
    """A variable of a shell that is not set is no value, and not the usual one."""
    fitted = run_tool(*FIT, "-m", "model.json", "-o", "fit.json")
    assert fitted.status == 0, fitted.err
    data = SAMPLES / "diabetes.csv"
    for words in (FIT, ("inspect", data), ("predict", "model.json", data), ("check", "model.json", data)):
        refused = run_tool(*words, option, value, "--json")
        assert (refused.status, refused.error["code"]) == (2, "unknown-option-value"), words
        assert refused.out == ""


@pytest.mark.parametrize("option", ["--table", "--id"])
def test_a_name_in_a_scorer_is_not_empty(option: str) -> None:
    assert run_tool(*FIT, "-m", "model.json", "-o", "fit.json").status == 0
    refused = run_tool("export", "model.json", "--to", "sql", option, "")
    assert (refused.status, refused.out) == (2, "")
    assert f"{option} is empty" in refused.err


def test_the_manual_is_text_in_a_file_of_any_name_but_one_of_another_format() -> None:
    for name in ("fit.txt", "fit.1", "fit"):
        assert run_tool("man", "fit", "-o", name).status == 0
        assert Path(name).read_text().startswith("REGCLI-FIT(1)")
    for words in (("-o", "fit.json"), ("-f", "table"), ("--json",)):
        refused = run_tool("man", "fit", *words)
        assert refused.status == 2
        assert "man has no" in refused.err
        assert "--format text" not in refused.err  # which there is not


@pytest.mark.parametrize("option", ["--weights", "--offset"])
def test_a_column_of_text_alone_is_not_one_of_numbers(option: str) -> None:
    columns = table("a", "b", "k", "y")
    columns["k"] = [*"uvw"] * 13 + ["u"]  # letters
    words = ("fit", write(columns), "-y", "y", "--family", "gaussian", option, "k", "--json")
    refused = run_tool(*words)
    assert (refused.status, refused.error["code"]) == (3, "text-in-numeric-column")
    assert refused.error["message"] == "column 'k' holds text, and numbers are needed here"
    assert refused.error["hint"] == "choose another column for this part"
    columns["k"] = ["$1", "$2", "$3", "$4"] * 10  # type: ignore[list-item]  # amounts
    write(columns)
    amounts = run_tool(*words)
    assert amounts.error["message"] == "column 'k' holds numbers in other than plain digits, in 40 cells"
