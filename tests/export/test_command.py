"""The command line of export: what it refuses, where it writes."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import environment
from tests.export.models import CASES, exported, fitted
from tests.fuzz.tool import run_tool

TARGETS = ("sql", "python", "c", "onnx", "pmml", "json")


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


@pytest.mark.parametrize(
    ("words", "term"),
    [(("--date", "when"), "year(when)"), (("--formula", "y ~ log(a)"), "log(a)"), (("--text", "note"), "word(note,")],
)
def test_what_no_scorer_has_is_refused(words: tuple[str, ...], term: str) -> None:
    lines = [
        f"{at + 1},{2000 + at * at % 7}-0{at % 3 + 1}-0{at % 9 + 1},{'free now' if at % 3 else 'paid'},{at % 5}\n"
        for at in range(30)
    ]
    Path("data.csv").write_text("a,when,note,y\n" + "".join(lines), "utf-8")
    others = [part for name in ("when", "note") if name not in words for part in ("--drop", name)]
    target = () if "--formula" in words else ("-y", "y")
    rest = () if "--formula" in words else others
    run = run_tool("fit", "data.csv", *target, "--family", "gaussian", "-l", "0.001", *words, *rest, "-m", "m.json")
    assert run.status == 0, run.err
    for to in TARGETS:
        run = run_tool("export", "m.json", "--to", to)
        assert (run.status, run.out, "error[not-exportable]" in run.err) == (2, "", True)
        assert term in run.err
