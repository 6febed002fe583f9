"""What was written is shown as it was, models are checked, and the equation is the model."""

import csv
import io
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regcli.report.equation import equation, name
from regcli.report.escape import visible
from regcli.report.formats import render
from regcli.report.tables import table
from tests.cli.conftest import ROOT, SAMPLES
from tests.cli.documents import HOSTILE, cv_document, fit_document, path_document
from tests.cli.test_tables import squeezed
from tests.fuzz.tool import run_tool


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a document of every kind."""
    folder = tmp_path_factory.mktemp("written")
    cancer, faults, visits = (str(SAMPLES / f"{n}.csv") for n in ("breast_cancer", "machine_faults", "clinic_visits"))
    classes = ("-y", "diagnosis", "--family", "binomial")
    runs: tuple[tuple[str, ...], ...] = (
        ("fit", cancer, *classes, "-l", "0.05", "-m", "classes.json", "-o", "fit.json"),
        ("cv", cancer, *classes, "--n-lambdas", "10", "--folds", "3", "-o", "cv.json"),
        ("path", cancer, *classes, "--n-lambdas", "10", "-o", "path.json"),
        ("fit", faults, "-y", "faults", "--family", "poisson", "--exposure", "hours", "--drop", "month", "--poly", "2",
         "-l", "0.2", "-m", "counts.json", "-o", "counts.fit.json"),
        ("fit", visits, "-y", "cost", "--family", "gaussian", "--drop", "visit_*", "--missing", "median",
         "--missing", "insurance=indicator", "--interactions", "insurance:age", "-l", "0.5", "--weights",
         "survey_weight", "-m", "numbers.json", "-o", "numbers.fit.json"),
        ("fit", visits, "-y", "cost", "--family", "gaussian", "--drop", "visit_*", "--missing", "drop", "-l", "5",
         "--no-profile", "-m", "bare.json", "-o", "bare.fit.json"),
        ("inspect", visits, "-o", "inspect.json"),
        ("predict", "classes.json", cancer, "--metrics-out", "metrics.json", "-o", "scores.csv"),
    )  # fmt: skip
    for command, *words in runs:
        given = [str(folder / word) if word.endswith((".json", "scores.csv")) else word for word in words]
        assert run_tool(command, *given).status == 0, words
    return folder


KINDS = ("fit", "cv", "path", "inspect", "metrics")
MODELS = ("classes", "counts", "numbers", "bare")


@pytest.mark.parametrize("kind", [*KINDS, *MODELS])
def test_json_is_the_document_as_it_is(kind: str, written: Path) -> None:
    text = (written / f"{kind}.json").read_text("utf-8")
    shown = run_tool("show", written / f"{kind}.json", "--json")
    assert list(json.loads(shown.out)) == list(json.loads(text))
    assert json.loads(shown.out) == json.loads(text)
    if kind in KINDS and kind != "metrics":
        assert shown.out == text
    assert run_tool("show", written / f"{kind}.json").out == shown.out  # in a pipe it is what it was


@pytest.mark.parametrize("kind", ["fit", "cv", "path"])
@pytest.mark.parametrize("form", ["table", "csv", "md", "names"])
def test_a_result_is_shown_as_its_command_would_have(kind: str, form: str, written: Path) -> None:
    document = json.loads((written / f"{kind}.json").read_text("utf-8"))
    assert run_tool("show", written / f"{kind}.json", "-f", form).out == render(document, form, width=None, color=False)


@pytest.mark.parametrize(
    ("model", "fit"), [("classes", "fit"), ("counts", "counts.fit"), ("numbers", "numbers.fit"), ("bare", "bare.fit")]
)
def test_a_model_has_the_coefficients_of_its_fit(model: str, fit: str, written: Path) -> None:
    for form in ("csv", "md", "names", "--equation"):
        words = ("-f", form) if form != "--equation" else (form, "--digits", "17")
        ours, theirs = (run_tool("show", written / f"{one}.json", *words).out for one in (model, fit))
        assert ours == theirs
        assert ours
    shown, fitted = (table(json.loads((written / f"{one}.json").read_text("utf-8")), width=80) for one in (model, fit))
    coefficients = fitted[fitted.index("\nterm ") : fitted.index("\nmetric ")]
    assert coefficients in shown


def test_the_table_of_a_model_tells_where_it_is_from(written: Path) -> None:
    document = json.loads((written / "numbers.json").read_text("utf-8"))
    out = run_tool("show", written / "numbers.json", "-f", "table").out
    assert out.startswith("model: lasso · gaussian → cost (weights survey_weight)   λ = 0.5\n")
    assert f"{document['id']} (verified)" in out
    (file,) = document["provenance"]["files"]
    assert f"fitted on {file['path']}, 1,200 rows, sha256 {file['sha256'][:16]}" in out
    assert re.search(r"\nhba1c +number +4.82 to 7.32 +median \(5.59\)\n", out)
    assert re.search(r"\ninsurance +category +private \(265\), public \(769\), self-pay \(140\) +indicator\n", out)
    bare = run_tool("show", written / "bare.json", "-f", "table").out
    assert " to " not in bare
    classes = run_tool("show", written / "classes.json", "-f", "table").out
    assert "predicts the probability of malignant among benign, malignant; called malignant from 0.5 on" in classes
    counts = run_tool("show", written / "counts.json", "-f", "table").out
    assert "exp(estimate)" in counts
    assert "→ faults (exposure hours)" in counts


def test_of_a_model_with_many_columns_some_are_listed_beside_the_terms(tmp_path: Path) -> None:
    rows = [[(i * (j + 3) * 7919) % 997 for j in range(60)] for i in range(1, 31)]
    lines = [",".join([*(f"c{j}" for j in range(60)), "y"])]
    lines += [",".join(map(str, [*row, sum(row) % 89 + row[0]])) for row in rows]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n", "utf-8")
    model = tmp_path / "m.json"
    words = ("--family", "gaussian", "--penalty", "l2", "-l", "1", "-m", model, *(f"--lower=c{j}=-9" for j in range(9)))
    assert run_tool("fit", tmp_path / "t.csv", *words).status == 0
    out = run_tool("show", model, "-f", "table").out
    assert len(re.findall(r"^c\d+ +number ", out, re.MULTILINE)) == 40
    assert len(re.findall(r"^c\d+ +-?\d", out, re.MULTILINE)) == 60
    assert "20 further columns are not listed" in out
    assert "lower=c0=-9,c1=-9,c2=-9,c3=-9,c4=-9,... (9)" in out


def test_columns_of_every_kind_are_told(tmp_path: Path) -> None:
    lines = ["size,when,age,note,y"]
    for i in range(60):
        size, word = ("S", "M", "L")[i * 7 % 3], ("red car", "old bus", "red bike")[i // 3 % 3]
        age, month, day = i * 37 % 71, 1 + i % 12, 1 + i % 28
        y = month + age**2 / 50 + (i * 7 % 3 + i // 3 % 3) * 3
        lines.append(f"{size},2026-{month:02d}-{day:02d},{age},{word},{y}")
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n", "utf-8")
    model = tmp_path / "m.json"
    words = ("--ordinal", "size=S,M,L", "--date", "when", "--spline", "age=4", "--text", "note", "-l", "0.001")
    fitted = run_tool("fit", tmp_path / "t.csv", "-y", "y", "--family", "gaussian", *words, "-m", model, "--json")
    out = run_tool("show", model, "-f", "table").out
    assert re.search(r"\nsize +ordinal +S \(20\), M \(20\), L \(20\) +error\n", out)
    assert re.search(r"\nmonth\(when\) +category +1 \(5\), 2 \(5\), 3 \(5\), ... 12 levels +error\n", out)
    assert re.search(r"\nage +number, spline +0 to 70 +error\n", out)
    assert re.search(r"\nnote +text +5 words +mean\n", out)
    line = run_tool("show", model, "--equation", "--digits", "17").out
    terms = {row["term"]: row["estimate"] for row in fitted.document["coefficients"]}
    assert parts(line)[2] == terms
    assert {"size>=M", "spline(age,2)", "month(when)=2", "word(note,car)"} <= terms.keys()
    assert "`" not in line
    assert run_tool("show", model, "-f", "names").out.split() == fitted.document["selected"]


def test_metrics_are_a_table(written: Path) -> None:
    document = json.loads((written / "metrics.json").read_text("utf-8"))
    out = run_tool("show", written / "metrics.json", "-f", "table").out
    assert out.startswith("metrics of 569 rows\n")
    assert all(re.search(rf"\n{metric} +{value:.5g}\n", out) for metric, value in document["metrics"].items())
    rows = dict(csv.reader(io.StringIO(run_tool("show", written / "metrics.json", "-f", "csv").out)))
    assert {key: float(value) for key, value in rows.items() if key != "metric"} == document["metrics"]


def test_an_error_document_is_shown() -> None:
    refused = run_tool("fit", "nothing.csv", "--json")
    out = run_tool("show", "-", "-f", "table", stdin=refused.err.encode()).out
    assert out.startswith("error[file-not-found]: ")


# -- equations -------------------------------------------------------------------------------------------------------

TERM = re.compile(r"([+-]) (\S+) (`(?:[^`]|``)+`|\S+)")


def parts(line: str) -> tuple[str, float, dict[str, float]]:
    """The left side, the intercept, and the coefficients by name."""
    left, _, right = line.rstrip("\n").partition(" = ") if not line.startswith("logit") else line.rpartition(")) = ")
    first, _, rest = right.rstrip("\n").partition(" ")
    rest = re.sub(r" ?\+ log\(\w+\)$", "", rest)
    terms = {}
    for sign, value, term in TERM.findall(rest):
        plain = term[1:-1].replace("``", "`") if term.startswith("`") else term
        terms[plain] = -float(value) if sign == "-" else float(value)
    return left, float(first), terms


@pytest.mark.parametrize("model", ["fit", "cv", *MODELS])
def test_with_17_digits_the_equation_is_the_model_exactly(model: str, written: Path) -> None:
    document = json.loads((written / f"{model}.json").read_text("utf-8"))
    rows = document["coefficients"] if "coefficients" in document else document["terms"]
    line = run_tool("show", written / f"{model}.json", "--equation", "--digits", "17").out
    _, intercept, terms = parts(line)
    assert intercept == document["intercept"]
    assert terms == {row["term"]: row["estimate"] for row in rows if row["estimate"]}
    assert line.count("\n") == 1
    few = parts(run_tool("show", written / f"{model}.json", "--equation", "--digits", "2").out)[2]
    assert few == {term: float(f"{value:.2g}") for term, value in terms.items()}


def test_an_equation_predicts_what_predict_does(written: Path) -> None:
    """By hand, from the line alone."""
    line = run_tool("show", written / "classes.json", "--equation", "--digits", "17").out
    left, intercept, terms = parts(line)
    assert left == "logit(P(diagnosis = malignant"
    table_path = SAMPLES / "breast_cancer.csv"
    rows = list(csv.DictReader(io.StringIO(table_path.read_text("utf-8"), newline="")))[:50]
    scores = run_tool("predict", written / "classes.json", table_path, "--type", "prob").out.splitlines()
    at = scores[0].split(",").index("prob.malignant")
    for row, score in zip(rows, scores[1:51], strict=True):
        eta = intercept + math.fsum(value * float(row[term]) for term, value in terms.items())
        assert 1 / (1 + math.exp(-eta)) == pytest.approx(float(score.split(",")[at]), rel=1e-9)


def test_links_offsets_and_exposures_are_told(written: Path) -> None:
    line = run_tool("show", written / "counts.json", "--equation").out
    assert line.startswith("log(E(faults)) = -")
    assert line.endswith(" + log(hours)\n")
    document = fit_document()
    assert equation(document) == "y = 2.25 + 0.5 age - 1.5 bmi"
    document["data"] = {**document["data"], "offset": "base rate", "target": "net pay"}
    document["intercept"] = -1 / 3
    assert equation(document, 3) == "`net pay` = -0.333 + 0.5 age - 1.5 bmi + `base rate`"
    document["coefficients"] = []
    assert equation(document, 17) == "`net pay` = -0.33333333333333331 + `base rate`"


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (104.32, 2, "100"), (104.32, 4, "104.3"), (0.1, 17, "0.10000000000000001"), (2.0, 6, "2"), (1e5, 3, "100000"),
        (1.25e-5, 2, "0.000013"), (1.25e-9, 3, "1.25e-09"), (6.02e23, 2, "6e+23"), (0.0, 3, "0"), (99.96, 3, "100"),
    ],
)  # fmt: skip
def test_numbers_in_an_equation_have_the_digits_asked_for(value: float, digits: int, text: str) -> None:
    document = fit_document(())
    for sign in ("", "-"):
        document["intercept"] = float(f"{sign}{value}")
        assert equation(document, digits) == f"y = {sign if value else ''}{text}"


def test_names_in_an_equation_are_told_apart_and_never_interpreted() -> None:
    assert name("age^2") == "age^2"
    assert name("région=Île") == "région=Île"
    assert name("spline(age,2)") == "spline(age,2)"
    assert name("self-pay") == "`self-pay`"
    assert name("a + b") == "`a + b`"
    assert name("3rd") == "`3rd`"
    assert name("x`y") == "`x``y`"
    out = equation(fit_document(HOSTILE))
    assert "\n" not in out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert all(f"`{visible(term)}`".replace("|b`c", "|b``c") in out for term in HOSTILE)


@pytest.mark.parametrize("kind", ["path", "inspect", "metrics"])
def test_only_one_model_has_an_equation(kind: str, written: Path) -> None:
    shown = run_tool("show", written / f"{kind}.json", "--equation")
    assert (shown.status, shown.out) == (2, "")
    assert shown.err.startswith("error[option-without-effect]: ")


def test_options_that_cannot_have_an_effect_are_refused(written: Path) -> None:
    for words in (
        ("fit.json", "--digits", "3"),
        ("fit.json", "--no-verify"),
        ("fit.json", "--equation", "--digits", "0"),
        ("fit.json", "--equation", "--digits", "18"),
        ("fit.json", "--equation", "--json"),
        ("fit.json", "--equation", "-f", "md"),
        ("metrics.json", "-f", "names"),
        ("inspect.json", "-f", "names"),
        ("-", "-"),
        (),
    ):
        given = [written / word if word.endswith(".json") else word for word in words]
        shown = run_tool("show", *given)
        assert (shown.status, shown.out) == (2, ""), words


def test_a_number_of_thousands_of_digits_is_refused_in_plain_words(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    path.write_text('{"schema": "regcli.fit/1", "n": ' + "9" * 5000 + "}", "utf-8")
    shown = run_tool("show", path)
    assert (shown.status, shown.out) == (3, "")
    assert "99999999999999999999... is beyond double precision" in shown.err
    assert "Python" not in shown.err
    assert "sys." not in shown.err


def test_columns_are_counted_as_fit_counts_them(tmp_path: Path) -> None:
    """Year, month, weekday and days of a date are one column."""
    visits = ROOT / "sample_data" / "clinic_visits.csv"
    words = ("-y", "cost", "--family", "gaussian", "--date", "visit_date", "--features", "age", "--features", "smoker")
    more = ("--features", "visit_date", "-l", "0.1", "-m", tmp_path / "dated.json")
    fitted = run_tool("fit", visits, *words, *more, "--json").document
    shown = run_tool("show", tmp_path / "dated.json", "-f", "table").out
    assert fitted["n_features"] == 3
    assert f"uses {fitted['n_selected']} of 3 columns, " in shown


# -- several documents, and none -------------------------------------------------------------------------------------


def test_several_documents_are_shown_one_after_the_other(written: Path) -> None:
    pair = (written / "fit.json", written / "numbers.json")
    one, other = (run_tool("show", path, "-f", "table").out for path in pair)
    assert run_tool("show", *pair, "-f", "table").out == f"{pair[0]}\n\n{one}\n{pair[1]}\n\n{other}"
    lines = [run_tool("show", path, "--equation").out for path in pair]
    assert run_tool("show", *pair, "--equation").out == "".join(lines)
    names = [run_tool("show", path, "-f", "names").out for path in pair]
    assert run_tool("show", *pair, "-f", "names").out == "".join(names)


@pytest.mark.parametrize("words", [(), ("--json",), ("-f", "csv"), ("-o", "both.json"), ("-o", "both.csv")])
def test_several_documents_are_no_json_and_no_csv(
    words: tuple[str, ...], written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = run_tool("show", written / "fit.json", written / "numbers.json", *words)
    assert (shown.status, shown.out, list(tmp_path.iterdir())) == (2, "", [])
    form = "CSV" if "csv" in "".join(words) else "JSON"
    assert f"2 documents one after the other are no {form}" in shown.err
    assert "-f table" in shown.err
    assert run_tool("show", written / "fit.json", *words).status == 0


def test_a_preference_of_the_environment_that_a_document_has_not_is_passed_over(
    regcli: Callable[..., Any], written: Path
) -> None:
    shown = {name: regcli("show", str(written / f"{name}.json"), REGCLI_FORMAT="names") for name in ("fit", "inspect")}
    assert shown["fit"].stdout == run_tool("show", written / "fit.json", "-f", "names").out
    assert shown["inspect"].stdout == (written / "inspect.json").read_text("utf-8")


def test_where_one_of_several_is_refused_nothing_is_printed(written: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{", "utf-8")
    shown = run_tool("show", written / "fit.json", tmp_path / "bad.json", "-o", tmp_path / "out.txt")
    assert (shown.status, shown.out) == (3, "")
    assert not (tmp_path / "out.txt").exists()


def test_a_pipe_works_as_a_file_does(regcli: Callable[..., Any], written: Path) -> None:
    text = (written / "fit.json").read_bytes()
    piped = run_tool("show", "-", "-f", "table", stdin=b"\xef\xbb\xbf" + text)
    assert piped.out == regcli("show", str(written / "fit.json"), "-f", "table").stdout


# -- what is refused -------------------------------------------------------------------------------------------------


def altered(written: Path, old: str, new: str, file: str = "classes") -> bytes:
    text = (written / f"{file}.json").read_text("utf-8")
    assert old in text
    return text.replace(old, new, 1).encode()


def test_models_are_verified(written: Path) -> None:
    other = altered(written, '"threshold": 0.5', '"threshold": 0.25')
    shown = run_tool("show", "-", stdin=other)
    assert (shown.status, shown.out) == (5, "")
    assert shown.err.startswith("error[model-altered]: 'standard input' was changed after it was written")
    trusted = run_tool("show", "-", "--no-verify", "-f", "table", stdin=other)
    assert trusted.status == 0
    assert "called malignant from 0.25 on" in trusted.out
    assert trusted.out.endswith("(not verified)\n")


@pytest.mark.parametrize(
    ("content", "code", "status"),
    [
        (b"", "document-unreadable", 3),
        (b"\xff\xfe{", "document-unreadable", 3),
        (b"a,b\n1,2\n", "document-unreadable", 3),
        (b"[1, 2]", "document-unreadable", 3),
        (b'"regcli.fit/1"', "document-unreadable", 3),
        (b'{"a": 1}', "document-unreadable", 3),
        (b'{"schema": null}', "document-unreadable", 3),
        (b'{"schema": "other.fit/1"}', "document-unreadable", 3),
        (b'{"schema": "regcli.fit/1"}', "document-unreadable", 3),
        (b'{"schema": "regcli.fit/1", "regcli": NaN}', "document-unreadable", 3),
        (b'{"schema": "regcli.fit/1", "regcli": 1e999}', "document-unreadable", 3),
        (b'{"schema": "regcli.fit/1", "schema": "regcli.fit/1"}', "document-unreadable", 3),
        (b"[" * 100_000, "document-unreadable", 3),
        (b'{"schema": "regcli.fit/2"}', "document-schema", 3),
        (b'{"schema": "regcli.survival/1"}', "document-schema", 3),
        (b'{"schema": "regcli.fit/0"}', "document-schema", 3),
        (b'{"schema": "regcli.model/2"}', "model-schema", 5),
        (b'{"schema": "regcli.model/1"}', "model-unreadable", 5),
        (b'{"schema": "regcli.model/1", "id"', "model-unreadable", 5),
        (b'{"schema": "regcli.model/1", "id": "\x1b[2J', "model-unreadable", 5),
    ],
)
def test_what_is_no_document_is_refused(content: bytes, code: str, status: int, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    for form in ("table", "json", "csv"):
        shown = run_tool("show", path, "-f", form)
        assert (shown.status, shown.out) == (status, "")
        assert shown.err.startswith(f"error[{code}]: ")
        assert "hint: " in shown.err
        assert "\x1b" not in shown.err


@pytest.mark.parametrize("verify", [(), ("--no-verify",)])
def test_a_model_with_a_key_twice_is_refused_as_by_predict(
    verify: tuple[str, ...], written: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(altered(written, '"intercept":', '"intercept": 99, "intercept":'))
    for words in (("show", path), ("export", path, "--to", "sql")):
        found = run_tool(*words, *verify)
        assert (found.status, found.out) == (5, "")
        assert "the key 'intercept' stands twice in one object" in found.err


def test_the_place_of_the_damage_is_told(written: Path) -> None:
    broken = altered(written, '"n_selected":', '"n_chosen":', "fit")
    shown = run_tool("show", "-", stdin=broken)
    assert "n_selected is missing" in shown.err
    document = json.loads((written / "fit.json").read_text("utf-8"))
    document["coefficients"][1]["estimate"] = "much"
    shown = run_tool("show", "-", stdin=json.dumps(document).encode())
    assert "coefficients[1].estimate is not of type number" in shown.err
    cut = (written / "fit.json").read_bytes()[:700]
    error = run_tool("show", "-", "--json", stdin=cut).error
    assert "it is cut off" in error["message"]
    assert error["location"]["line"] == cut.count(b"\n") + 1


def test_keys_that_a_later_version_may_add_are_let_pass(written: Path) -> None:
    more = altered(written, '"seed": 0', '"added": {"later": 1}, "seed": 0', "fit")
    shown = run_tool("show", "-", "-f", "table", stdin=more)
    assert (shown.status, shown.out) == (0, run_tool("show", written / "fit.json", "-f", "table").out)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert run_tool("show", tmp_path / "none.json").err.startswith("error[file-not-found]: ")
    assert run_tool("show", tmp_path).err.startswith("error[file-unreadable]: ")


# -- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", [fit_document(HOSTILE), cv_document(HOSTILE), path_document(("[/b]", "\x1b[2J"))])
@pytest.mark.parametrize("form", ["table", "md", "names", "json"])
def test_hostile_names_are_shown_escaped(document: dict[str, Any], form: str) -> None:
    shown = run_tool("show", "-", "-f", form, stdin=json.dumps(document).encode())
    assert shown.status == 0, shown.err
    assert "\x1b" not in shown.out
    assert "\u202e" not in shown.out


@pytest.mark.parametrize("width", [80, 200])
def test_a_model_of_hostile_names_is_shown_escaped(width: int, tmp_path: Path) -> None:
    text = io.StringIO()
    rows = [[(i * k * 37 + k * k) % 101 for k in range(1, len(HOSTILE) + 1)] for i in range(1, 41)]
    writer = csv.writer(text, lineterminator="\n")
    levels = [["[red]a\x1b[0m", "b\u202e\nerror[z]: c"][i % 2] for i in range(40)]
    writer.writerow([*HOSTILE, "level", "tar\x07get"])
    writer.writerows([*row, level, sum(row) + 50 * (level[0] == "b")] for row, level in zip(rows, levels, strict=True))
    (tmp_path / "t.csv").write_text(text.getvalue(), "utf-8", newline="")
    model = tmp_path / "m.json"
    fitted = run_tool("fit", tmp_path / "t.csv", "--family", "gaussian", "-l", "0.01", "-m", model)
    assert fitted.status == 0, fitted.err
    out = table(json.loads(model.read_text("utf-8")), width=width)
    for char in ("\x1b", "\u202e", "\x07"):
        assert char not in out
    assert not re.search(r"^error\[z\]", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) <= width
    for term in (*HOSTILE, "tar\x07get", "level=b\u202e\nerror[z]: c"):
        assert squeezed(visible(term)) in squeezed(out)
    line = run_tool("show", model, "--equation").out
    assert line.count("\n") == 1
    assert line.isprintable() or line[:-1].isprintable()
