"""The command line of export: what it refuses, where it writes."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from regcli.app.options.exporting import Target
from regcli.data.model_read import content_id
from regcli.report.scorers.refusal import refusal
from tests.cli.conftest import environment
from tests.export.models import CASES, exported, fitted
from tests.fuzz.tool import run_tool

TARGETS = get_args(Target)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two models."""
    monkeypatch.chdir(tmp_path)
    for name in ("gaussian", "binomial", "gaussian-null"):
        Path(f"{name}.json").write_text(fitted(name), "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), "usage", "--to sql|python|c|onnx|pmml|json"),
        (("--to", "fortran"), "usage", "fortran"),
        (("--to", "c", "--table", "t"), "option-without-effect", "--table has no effect with --to c"),
        (("--to", "python", "--id", "who"), "option-without-effect", "--id has no effect"),
        (("--to", "json", "--type", "link"), "option-without-effect", "--type has no effect"),
        (("--to", "sql", "--type", "class"), "option-without-effect", "the model is gaussian"),
        (("--to", "sql", "-f", "csv"), "option-without-effect", "export has no csv format"),
        (("--to", "sql", "--id", "Response"), "conflicting-options", "'Response' is called like an output"),
    ],
)
def test_what_cannot_be_is_refused(words: tuple[str, ...], code: str, says: str) -> None:
    run = run_tool("export", "gaussian.json", *words, "-o", "scorer.any")
    assert run.status == 2
    assert f"error[{code}]" in run.err or "error[unknown-option-value]" in run.err
    assert says in run.err
    assert not Path("scorer.any").exists()


def test_unknown_levels_of_a_model_without_categories_are_no_matter() -> None:
    run = run_tool("export", "gaussian-null.json", "--to", "c", "--unknown-level", "zero")
    assert (run.status, "error[option-without-effect]" in run.err) == (2, True)


@pytest.mark.parametrize(("spoil", "code"), [("not json", "model-unreadable"), ('{"schema": "x"}', "model-schema")])
def test_a_file_that_is_no_model_is_refused(spoil: str, code: str) -> None:
    Path("bad.json").write_text(spoil, "utf-8")
    run = run_tool("export", "bad.json", "--to", "sql", "-o", "score.sql")
    assert (run.status, f"error[{code}]" in run.err, Path("score.sql").exists()) == (5, True, False)
    run = run_tool("export", "absent.json", "--to", "sql", "--json")
    assert (run.status, run.error["code"]) == (5, "model-unreadable")


def test_a_model_that_was_changed_is_refused_unless_it_is_wanted() -> None:
    model = json.loads(fitted("gaussian"))
    model["intercept"] += 1.0
    Path("changed.json").write_text(json.dumps(model), "utf-8")
    run = run_tool("export", "changed.json", "--to", "c")
    assert (run.status, run.out, "error[model-altered]" in run.err) == (5, "", True)
    assert run_tool("export", "changed.json", "--to", "c", "--no-verify").status == 0


@pytest.mark.parametrize("letter", ["\0", "\ud800"])
def test_a_name_that_is_no_text_is_refused(letter: str) -> None:
    text = fitted("gaussian").replace('"size', f'"si{json.dumps(letter)[1:-1]}ze')
    Path("odd.json").write_text(text, "utf-8")
    for target in TARGETS:
        run = run_tool("export", "odd.json", "--to", target, "--no-verify")
        assert (run.status, run.out, "error[model-unreadable]" in run.err) == (5, "", True)


@pytest.mark.parametrize("target", TARGETS)
def test_what_one_language_cannot_say_is_for_all_others(target: str) -> None:
    hint = refusal("it", target).hint or ""
    assert hint.replace(" or ", ", ") == f"--to {', '.join(name for name in TARGETS if name != target)} can"


@pytest.mark.parametrize("target", TARGETS)
def test_a_file_is_what_a_pipe_gets(target: str) -> None:
    words = ("export", "binomial.json", "--to", target)
    run = run_tool(*words, "-o", "out.xyz")  # any suffix
    assert (run.status, run.err) == (0, "wrote out.xyz\n")
    written = Path("out.xyz").read_bytes()
    assert written
    assert written.decode("utf-8", "surrogateescape") == exported("binomial", target)
    if target != "onnx":
        assert run_tool(*words).out.encode() == written
    assert run_tool(*words, "-o", "absent/out").status == 6


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", CASES)
def test_every_scorer_says_which_model_it_is(name: str, target: str) -> None:
    identity = json.loads(fitted(name))["id"]
    assert identity.startswith("sha256:")
    assert identity in exported(name, target)


def test_the_environment_does_not_steer() -> None:
    assert "REGCLI_FORMAT" not in environment()
    assert run_tool("export", "gaussian.json", "--to", "json").document["schema"] == "regcli.scorer/1"


def test_a_model_is_not_replaced_by_its_scorer() -> None:
    run = run_tool("export", "gaussian.json", "--to", "json", "-o", "./gaussian.json")
    assert (run.status, "error[conflicting-options]" in run.err) == (2, True)
    assert Path("gaussian.json").read_text("utf-8") == fitted("gaussian")


def texts(*cells: str, words: tuple[str, ...] = ()) -> None:
    """A model of texts that is sure to keep every run of words."""
    lines = [f'"{cell}",{at}\n' for at, cell in enumerate(cells * 3)]
    Path("texts.csv").write_text("note,y\n" + "".join(lines), "utf-8")
    ridge = ("--penalty", "l2", "-l", "0.1", "--text", "note", "--text-min-rows", "1", *words)
    run = run_tool("fit", "texts.csv", "-y", "y", "--family", "gaussian", *ridge, "-m", "texts.json")
    assert run.status == 0, run.err


def test_runs_that_overlap_themselves_are_refused_for_databases_alone() -> None:
    texts("ha ha ha", "no", words=("--text-ngrams", "3"))
    run = run_tool("export", "texts.json", "--to", "sql")
    assert (run.status, run.out, "error[not-exportable]" in run.err) == (2, "", True)
    assert "'ha ha ha' in column 'note'" in run.err
    assert "--to python, c, onnx, pmml or json can" in run.err
    for to in TARGETS[1:]:
        assert run_tool("export", "texts.json", "--to", to, "-o", "scorer").status == 0
    texts("ha ha ha", "no", words=("--text-ngrams", "3", "--text-weights", "binary"))
    assert run_tool("export", "texts.json", "--to", "sql").status == 0


@pytest.mark.parametrize(("word", "rows"), [("free", 3), ("null", 2)])
def test_made_up_rows_have_no_missing_text(word: str, rows: int) -> None:
    texts(f"{word} a", "a", words=("--missing", "drop"))
    run = run_tool("export", "texts.json", "--to", "python")
    space: dict[str, Any] = {"__name__": "scorer"}
    exec(compile(run.out, "scorer.py", "exec"), space)  # noqa: S102  (what was exported)
    assert len(space["PROBES"]) == rows
    space["self_test"]()


def test_a_word_that_xml_cannot_hold_is_no_word() -> None:
    texts("tick\x01tock", "no")
    assert "tick" in run_tool("export", "texts.json", "--to", "pmml").out


@pytest.mark.parametrize("target", TARGETS)
def test_a_column_that_is_called_like_one_made_of_another_is_refused(target: str) -> None:
    lines = [f"{at},{at % 3 + at / 9},{at % 4}\n" for at in range(1, 20)]
    Path("data.csv").write_text("a,o,y\n" + "".join(lines), "utf-8")
    words = ("--formula", "y ~ log(a)", "--offset", "o", "--family", "gaussian", "-l", "0.001")
    run = run_tool("fit", "data.csv", *words, "-m", "m.json")
    assert run.status == 0, run.err
    model = json.loads(
        Path("m.json").read_text("utf-8").replace('"o"', '"log(a)"')
    )  # once such a table could be fitted
    model["id"] = content_id(model)
    Path("m.json").write_text(json.dumps(model), "utf-8")
    run = run_tool("export", "m.json", "--to", target)
    assert (run.status, run.out, "error[model-unreadable]" in run.err) == (5, "", True)
    assert "rename the column 'log(a)'" in run.err
