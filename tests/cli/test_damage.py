"""Every kind of damage: refused with its code, at its place, with a way out that works; the same file whole fits."""

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regcli.report.schemas import SCHEMAS
from tests.cli.damages import DAMAGES, FIT, NAMES, Damage, edited, text, whole, with_column
from tests.fuzz.tool import Outcome, run_tool

BAD = "bad.csv"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert not list(tmp_path.glob(".*"))  # no temporary file is left behind


def put(name: str, content: str | bytes) -> str:
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    return name


def fails(code: str, status: int, *words: str, stdin: bytes = b"") -> Outcome:
    """Run three times: nothing appears, nothing that is there changes, and the JSON says the same."""
    outputs = ("-o", "out.json", *(("-m", "model.json") if words[0] == "fit" else ()))
    before = set(Path().iterdir())
    outcome = run_tool(*words, *outputs, stdin=stdin)
    assert (outcome.status, outcome.out) == (status, ""), outcome.err
    assert set(Path().iterdir()) == before
    assert [line for line in outcome.err.splitlines() if line.startswith("error")] == [
        line for line in outcome.err.splitlines() if line.startswith(f"error[{code}]: ")
    ]
    for name in outputs[1::2]:
        put(name, "old")
    assert run_tool(*words, *outputs, stdin=stdin).status == status
    assert {
        put(name, Path(name).read_bytes()): Path(name).read_text("utf-8") for name in outputs[1::2]
    } == dict.fromkeys(outputs[1::2], "old")
    for name in outputs[1::2]:
        Path(name).unlink()
    error = run_tool(*words, "--json", stdin=stdin).error
    jsonschema.validate(error, SCHEMAS["error"])
    assert (error["code"], error["exit_code"]) == (code, status)
    assert error["message"] in outcome.err or not error["message"].isprintable()
    return outcome


def at(file: str, line: int | None = None, column: str | None = None) -> str:
    """The line of a message that tells the place."""
    place = file if line is None else f"{file}:{line}"
    return f"\n  at {place}\n" if column is None else f"\n  at {place}, column {column!r}\n"


def fits(*words: str) -> bool:
    return run_tool("fit", *words).status == 0


def test_every_case_has_its_own_name() -> None:
    assert len({damage.name for damage in DAMAGES}) == len(DAMAGES)


@pytest.mark.parametrize("damage", DAMAGES, ids=[damage.name for damage in DAMAGES])
def test_damage(damage: Damage) -> None:
    assert fits(put("good.csv", damage.good), *damage.options)
    outcome = fails(damage.code, damage.status, "fit", put(BAD, damage.bad), *damage.options)
    error = run_tool("fit", BAD, *damage.options, "--json").error
    if damage.place is None:
        assert "\n  at " not in outcome.err
    else:
        line, column = damage.place
        assert at(BAD, line, column) in outcome.err
        assert error["location"] == {"file": BAD, "line": line, "row": None, "column": column}
    if damage.cells:
        assert error["cells"] == list(damage.cells)
    for piece in damage.said:
        assert piece in error["hint"]
    for way in damage.ways:
        done = run_tool("fit", BAD, *damage.options, *way)
        assert done.status == 0, (way, done.err)


# --- files ----------------------------------------------------------------------------------------------------------


def test_a_file_that_is_not_there_has_a_near_name() -> None:
    put("visits.csv", text(whole()))
    outcome = fails("file-not-found", 3, "fit", "vists.csv", *FIT)
    assert at("vists.csv") in outcome.err
    assert "did you mean 'visits.csv'?" in outcome.err
    assert fits("visits.csv", *FIT)


def test_a_folder_is_no_table(folder: Path) -> None:
    (folder / "tables").mkdir()
    assert at("tables") in fails("file-unreadable", 3, "fit", "tables", *FIT).err


def test_a_suffix_that_tells_nothing() -> None:
    outcome = fails("file-unreadable", 3, "fit", put("table.dat", text(whole())), *FIT)
    assert at("table.dat") in outcome.err
    assert "--input-format csv" in outcome.err
    assert fits("table.dat", *FIT, "--input-format", "csv")


def test_text_that_is_called_parquet() -> None:
    outcome = fails("file-unreadable", 3, "fit", put("table.parquet", text(whole())), *FIT)
    assert at("table.parquet") in outcome.err
    assert "--input-format csv" in outcome.err
    assert fits("table.parquet", *FIT, "--input-format", "csv")


@pytest.mark.parametrize("name", ["http://example.org/a.csv", "s3://bucket/a.parquet", "zip::a.csv"])
def test_an_address_is_no_file(name: str) -> None:
    assert "read -" in fails("unsupported-source", 2, "fit", name, *FIT).err


def test_the_damaged_one_of_several_files_is_named() -> None:
    put("one.csv", text(whole()))
    assert (
        at("two.csv", 5)
        in fails("ragged-row", 3, "fit", "one.csv", put("two.csv", text(edited(5, "c", "x,y"))), *FIT).err
    )
    assert (
        at("two.csv", 5, "a")
        in fails("infinite-value", 3, "fit", "one.csv", put("two.csv", text(edited(5, "a", "inf"))), *FIT).err
    )
    assert fits("one.csv", "one.csv", *FIT)


def test_files_whose_columns_differ() -> None:
    outcome = fails(
        "columns-differ", 3, "fit", put("one.csv", text(whole())), put("two.csv", text(edited(1, "b", "B"))), *FIT
    )
    assert at("two.csv") in outcome.err
    assert "cells: 'b', 'B'" in outcome.err


def test_standard_input_has_places_too() -> None:
    bad = text(edited(5, "a", "high")).encode()
    assert at("-", 5, "a") in fails("text-in-numeric-column", 3, "fit", "-", *FIT, stdin=bad).err
    assert run_tool("fit", "-", *FIT, "--drop", "a", stdin=bad).status == 0


# --- Parquet --------------------------------------------------------------------------------------------------------


def parquet(name: str, **columns: object) -> str:
    header, *rows = whole()
    cells = dict(zip(header, zip(*rows, strict=True), strict=True))
    table = {key: list(map(float, values)) if key != "c" else list(values) for key, values in cells.items()}
    pq.write_table(pa.table({**table, **columns}), name)
    return name


@pytest.mark.parametrize(
    ("value", "code", "way"),
    [
        (float("inf"), "infinite-value", ("--drop", "a")),
        (-1e200, "value-range", ("--drop", "a")),
        (None, "missing-values", ("--missing", "drop")),
        (float("nan"), "missing-values", ("--missing", "drop")),
    ],
)
def test_parquet_counts_rows(value: float | None, code: str, way: tuple[str, str]) -> None:
    numbers: list[float | None] = [float(i) for i in range(24)]
    assert fits(parquet("good.parquet", a=numbers), *FIT)
    numbers[6] = value
    outcome = fails(code, 3, "fit", parquet("bad.parquet", a=numbers), *FIT)
    assert "\n  at bad.parquet, row 7, column 'a'\n" in outcome.err
    assert " ".join(way) in outcome.err
    assert fits("bad.parquet", *FIT, *way)


def test_a_type_that_is_neither_number_nor_text() -> None:
    outcome = fails("unsupported-type", 3, "fit", parquet("bad.parquet", b=[[1, 2]] * 24), *FIT)
    assert at("bad.parquet", None, "b") in outcome.err
    assert "--drop b" in outcome.err
    assert fits("bad.parquet", *FIT, "--drop", "b")


def test_text_in_parquet_that_is_not_text() -> None:
    cells = [b"\xff" if i == 6 else b"uv"[i % 2 : i % 2 + 1] for i in range(24)]
    outcome = fails(
        "encoding", 3, "fit", parquet("bad.parquet", c=pa.array(cells, pa.binary()).view(pa.string())), *FIT
    )
    assert at("bad.parquet", None, "c") in outcome.err
    assert fits(parquet("good.parquet", c=["\xff", "v"] * 12), *FIT)


def test_parquet_that_is_cut() -> None:
    whole_file = Path(parquet("good.parquet")).read_bytes()
    for size in (0, 3, 100, len(whole_file) - 5):
        assert at("bad.parquet") in fails("file-unreadable", 3, "fit", put("bad.parquet", whole_file[:size]), *FIT).err
    assert fits("good.parquet", *FIT)


# --- options --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        (("--target", "Y"), "column-not-found", 3),
        (("--drop", "z*"), "column-not-found", 3),
        (("--weights", "weight"), "column-not-found", 3),
        (("--penalty-factor", "z=1"), "column-not-found", 3),
        (("--drop", "y"), "column-in-two-roles", 2),
        (("--weights", "y"), "column-in-two-roles", 2),
        (("--lower", "a=0.1"), "limit-excludes-zero", 2),
        (("--upper", "a=-0.1"), "limit-excludes-zero", 2),
        (("--penalty-factor", "a=-1"), "unknown-option-value", 2),
        (("--penalty-factor", "a"), "unknown-option-value", 2),
        (("--lambda", "-1"), "unknown-option-value", 2),
        (("--lambda", "inf"), "unknown-option-value", 2),
        (("--lambda", ","), "unknown-option-value", 2),
        (("--lambda", "@nowhere.txt"), "file-not-found", 3),
        (("--seed", "-1"), "unknown-option-value", 2),
        (("--seed", "1" + "0" * 400), "unknown-option-value", 2),
        (("--tol", "0"), "unknown-option-value", 2),
        (("--tol", "nan"), "unknown-option-value", 2),
        (("--max-iter", "0"), "unknown-option-value", 2),
        (("--test-size", "1"), "unknown-option-value", 2),
        (("--delimiter", ";;"), "unknown-option-value", 2),
        (("--encoding", "base64"), "unknown-option-value", 2),
        (("--missing", "guess"), "unknown-option-value", 2),
        (("--l1-ratio", "0.5"), "option-without-effect", 2),
        (("--rule", "1se"), "option-without-effect", 2),
        (("--threshold", "0.5"), "option-without-effect", 2),
        (("--class-weight", "balanced"), "option-without-effect", 2),
        (("--no-profile",), "option-without-effect", 2),
        (("--metric", "mae"), "option-without-effect", 2),
        (("--n-lambdas", "5"), "option-without-effect", 2),
        (("--categorical", "y"), "family-not-available", 2),
        (("--standardize", "all", "--no-standardize"), "conflicting-options", 2),
        (("--json", "-f", "csv"), "conflicting-options", 2),
        (("--test-size", "0.5", "--test", "good.csv"), "conflicting-options", 2),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, tuple) else None,
)
def test_options_that_cannot_be(words: tuple[str, ...], code: str, status: int) -> None:
    assert fits(put("good.csv", text(whole())), *FIT)
    outputs = () if "--no-profile" in words else ("-m", "model.json")
    outcome = run_tool("fit", "good.csv", *FIT, *words, "-o", "out.json", *outputs)
    assert (outcome.status, outcome.out) == (status, ""), outcome.err
    assert f"[{code}]" in outcome.err or f'"{code}"' in outcome.err
    assert [path.name for path in Path().iterdir()] == ["good.csv"]


@pytest.mark.parametrize(
    "name", ["it's", "$HOME", "a b", "-x", 'say ""so""', "`ls`", "*", "[/b]", ":smile:", "\u202eflip"]
)
def test_a_hint_can_be_pasted_whatever_the_name(name: str) -> None:
    bad = text(edited(5, "a", "inf")).replace("a,b", f'"{name}",b', 1)
    plain = name.replace('""', '"')
    error = run_tool("fit", put(BAD, bad), *FIT, "--json").error
    assert error["location"] == {"file": BAD, "line": 5, "row": None, "column": plain}
    words = shlex.split(error["hint"].removeprefix("mend the file, or "))
    assert words == ["--drop", plain]
    assert fits(BAD, *FIT, *words)


def test_markup_and_controls_in_names_are_shown_not_obeyed() -> None:
    bad = text(edited(5, "a", "inf")).replace("a,b", '"[red]:smile:\x1b[2J",b', 1)
    shown = run_tool("fit", put(BAD, bad), *FIT, "--color", "always").err
    assert "[red]:smile:\\x1b[2J" in shown
    assert "\x1b[2J" not in shown


# --- outputs --------------------------------------------------------------------------------------------------------


def test_a_result_that_cannot_be_written_leaves_no_model() -> None:
    put("good.csv", text(whole()))
    outcome = run_tool("fit", "good.csv", *FIT, "-o", "new/fit.json", "-m", "model.json")
    assert (outcome.status, outcome.out) == (6, "")
    assert not Path("model.json").exists()
    hint = next(line for line in outcome.err.splitlines() if "hint: " in line).split("hint: ")[1]
    command, option, path = shlex.split(hint)
    assert (command, option) == ("mkdir", "-p")
    Path(path).mkdir()
    assert fits("good.csv", *FIT, "-o", "new/fit.json", "-m", "model.json")
    assert json.loads(Path("model.json").read_text("utf-8"))["schema"] == "regcli.model/1"


def test_a_folder_is_not_replaced(folder: Path) -> None:
    put("good.csv", text(whole()))
    (folder / "out.json").mkdir()
    for option in ("-o", "-m"):
        outcome = run_tool("fit", "good.csv", *FIT, option, "out.json")
        assert (outcome.status, outcome.out) == (6, "")
        assert "error[output-exists]" in outcome.err
    assert (folder / "out.json").is_dir()


def test_two_results_do_not_go_to_one_file() -> None:
    put("good.csv", text(whole()))
    outcome = run_tool("fit", "good.csv", *FIT, "-o", "one.json", "-m", "./one.json")
    assert (outcome.status, outcome.out) == (2, "")
    assert "error[conflicting-options]" in outcome.err
    assert not Path("one.json").exists()


# --- predict --------------------------------------------------------------------------------------------------------


@pytest.fixture
def model() -> str:
    """A model with all four columns in it, text and numbers."""
    put("train.csv", text(whole()))
    assert fits("train.csv", "-y", "y", "--penalty", "l2", "--lambda", "1", "-m", "trained.json")
    return "trained.json"


SCORED = [
    ("a missing cell", edited(5, "a", ""), "missing-values", (5, "a"), ("--on-bad-row", "null")),
    ("a missing category", edited(5, "c", "NA"), "missing-values", (5, "c"), ("--on-bad-row", "skip")),
    (
        "text",
        edited(5, "a", "high"),
        "text-in-numeric-column",
        (5, "a"),
        ("--na-values", "high", "--on-bad-row", "null"),
    ),
    ("infinity", edited(5, "a", "inf"), "bad-row", (5, None), ("--on-bad-row", "skip")),
    ("a new category", edited(5, "c", "west"), "unknown-level", (5, "c"), ("--unknown-level", "zero")),
    ("a wide row", edited(5, "c", "north,x"), "ragged-row", (5, None), None),
    ("an open quote", edited(5, "c", '"north'), "broken-quoting", (5, "c"), None),
    ("a NUL byte", edited(5, "c", "\0"), "nul-byte", (5, None), None),
    ("a renamed column", edited(1, "b", "B"), "column-not-found", (None, None), None),
    ("a name twice", edited(1, "b", "a"), "duplicate-column", (1, "a"), None),
    ("no rows", [NAMES], "empty-file", (None, None), None),
    ("numbers for text", with_column("c", str), "unknown-level", (2, "c"), ("--unknown-level", "zero")),
]


@pytest.mark.parametrize(
    ("rows", "code", "place", "way"), [case[1:] for case in SCORED], ids=[case[0] for case in SCORED]
)
def test_rows_that_cannot_be_scored(
    model: str, rows: list[list[str]], code: str, place: tuple[int | None, str | None], way: tuple[str, ...] | None
) -> None:
    assert run_tool("predict", model, "train.csv").out.count("\n") == 25
    outcome = fails(code, 3, "predict", model, put(BAD, text(rows)))
    assert at(BAD, *place) in outcome.err
    assert (run_tool("predict", model, BAD).status, run_tool("predict", model, BAD).out) == (3, "")
    if way:
        assert way[0] in outcome.err
        assert run_tool("predict", model, BAD, *way).status == 0


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda whole: whole[: len(whole) // 2], "model-unreadable"),
        (lambda _: b"", "model-unreadable"),
        (lambda _: b"\xff\xfe", "model-unreadable"),
        (lambda _: b"[1, 2]", "model-unreadable"),
        (lambda _: b"[" * 100_000, "model-unreadable"),
        (lambda whole: whole.replace(b"regcli.model/1", b"regcli.model/2"), "model-schema"),
        (lambda whole: whole.replace(b'"north"', b'"North"'), "model-altered"),
    ],
    ids=["cut", "empty", "no text", "a list", "deep", "another schema", "another level"],
)
def test_models_that_cannot_be_used(model: str, damage: Callable[[bytes], bytes], code: str) -> None:
    put("bad.json", damage(Path(model).read_bytes()))
    outcome = fails(code, 5, "predict", "bad.json", "train.csv")
    if code == "model-altered":
        assert "--no-verify" in outcome.err
        assert run_tool("predict", "bad.json", "train.csv", "--no-verify", "--unknown-level", "zero").status == 0
