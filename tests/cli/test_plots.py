"""Pictures show what the documents say, whatever columns are called, and the same bytes each time."""

import json
import math
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from numpy.typing import NDArray

from regcli.report.escape import visible
from tests.cli.conftest import SAMPLES, Process
from tests.cli.drawings import Drawing
from tests.fuzz.tool import Outcome, run_tool

DIABETES = (SAMPLES / "diabetes.csv", "-y", "progression", "--family", "gaussian")
CANCER = (SAMPLES / "breast_cancer.csv", "-y", "diagnosis", "--family", "binomial")
FAULTS = (
    *(SAMPLES / "machine_faults.csv", "-y", "faults", "--family", "poisson"),
    *("--exposure", "hours", "--drop", "month", "--drop", "machine"),
)

#: Coordinates in SVG have six decimals, in points; a panel is 300 of them wide.
POINTS = 1e-3

Array = NDArray[np.float64]


def run(*words: object) -> Outcome:
    outcome = run_tool(*words)
    assert outcome.status == 0, outcome.err
    return outcome


def drawn(tmp_path: Path, *words: object) -> tuple[Drawing, dict[str, Any]]:
    """A picture and the document of the same run."""
    document = json.loads(run(*words, "--json", "--plot", tmp_path / "it.svg").out)
    return Drawing(tmp_path / "it.svg"), document


def minus_logs(lambdas: Sequence[float]) -> Array:
    return -np.log(np.array(lambdas))


# -- what is drawn ---------------------------------------------------------------------------------------------------


def test_a_path_has_a_line_for_each_term_at_its_standardized_coefficients(tmp_path: Path) -> None:
    drawing, document = drawn(tmp_path, "path", *DIABETES, "-l", "30,10,3,1,0.3")
    terms = {row["term"]: np.array(row["values"]) for row in document["coefficients"]}
    fitted = run("fit", *DIABETES, "-l", "0.3", "--json").document
    sds = {row["term"]: row["std_estimate"] / row["estimate"] for row in fitted["coefficients"]}
    assert drawing.count("line") == len(terms) == 8
    assert set(terms) <= set(drawing.texts)
    ends = {}
    for at in range(1, 9):
        points = drawing.part(f"line-{at}")
        assert points[-1, 0] == pytest.approx(-math.log(0.3), abs=POINTS)
        ends[at] = points[-1, 1]
    expected = sorted(terms[name][-1] * sds[name] for name in terms)
    assert sorted(ends.values()) == pytest.approx(expected, abs=0.05)  # of 60 units in 280 points
    assert "coefficient (per standard deviation)" in drawing.texts
    assert "\N{MINUS SIGN}log λ (weaker penalty →)" in drawing.texts
    assert {"2", "4", "7", "8", "nonzero terms"} <= set(drawing.texts)


def test_names_at_the_ends_of_lines_do_not_overlap(tmp_path: Path) -> None:
    drawing, document = drawn(tmp_path, "path", *CANCER, "-l", "0.1,0.01,0.002")
    names = {row["term"] for row in document["coefficients"]}
    labels = [node for node in drawing.root.iter("text") if node.text in names]
    assert len(labels) == 10
    heights = sorted(float(node.get("y", "")) for node in labels)
    assert np.diff(heights).min() > 8  # points, the size of the letters


def test_cv_has_its_means_its_errors_and_both_strengths(tmp_path: Path) -> None:
    drawing, document = drawn(tmp_path, "cv", *DIABETES, "--n-lambdas", "20", "--full-path")
    lambdas, mean = document["lambdas"], np.array(document["mean"])
    assert isinstance(lambdas, list)
    line = drawing.part("line-1")
    assert line[:, 0] == pytest.approx(minus_logs(lambdas), abs=0.01)
    assert line[:, 1] == pytest.approx(mean, abs=0.002 * np.ptp(mean))
    assert drawing.part("mark-1")[:, 0] == pytest.approx(minus_logs([document["lambda_min"]] * 2), abs=0.01)
    assert drawing.part("mark-2")[:, 0] == pytest.approx(minus_logs([document["lambda_1se"]] * 2), abs=0.01)
    assert drawing.count("mark") == 2
    assert any(text.startswith("λ.min = ") for text in drawing.texts)
    assert any(text.startswith("λ.1se = ") for text in drawing.texts)
    assert "deviance (mean ± standard error)" in drawing.texts


def test_cv_has_a_line_for_each_share_of_l1(tmp_path: Path) -> None:
    drawing, _ = drawn(tmp_path, "cv", *DIABETES, "--penalty", "elasticnet", "--l1-ratio", "0.2,0.7,1", "--folds", "3")
    assert drawing.count("line") == 3
    assert {"l1_ratio 0.2", "l1_ratio 0.7", "l1_ratio 1"} <= set(drawing.texts)


def test_a_fit_has_a_bar_for_each_term_and_a_dot_for_each_row(tmp_path: Path) -> None:
    drawing, document = drawn(tmp_path, "fit", *DIABETES, "-l", "1")
    rows = sorted(document["coefficients"], key=lambda row: -abs(row["std_estimate"]))
    names = [row["term"] for row in rows]
    assert [text for text in drawing.texts if text in names] == names
    assert drawing.count("bars") == len(names)
    for at, row in enumerate(rows, start=1):
        assert drawing.extent(f"bars-{at}") == pytest.approx(row["std_estimate"], abs=0.05)
    dots = next(node for node in drawing.root.iter("g") if node.get("id") == "dots-1")
    assert len(list(dots.iter("use"))) == 442
    assert {"residual", "fitted value"} <= set(drawing.texts)


def test_of_many_bars_the_largest_are_drawn_and_the_others_counted(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(60, 40))
    table = tmp_path / "many.csv"
    text = ",".join([*(f"x{j}" for j in range(40)), "y"])
    np.savetxt(table, np.c_[X, X.sum(axis=1)], delimiter=",", header=text, comments="", fmt="%.6f")
    words = ("fit", table, "-y", "y", "--family", "gaussian", "--penalty", "l2", "-l", "0.1")
    drawing, _ = drawn(tmp_path, *words)
    assert drawing.count("bars") == 30
    assert "and 10 more, smaller ones" in drawing.texts


def test_two_classes_have_roc_and_calibration(tmp_path: Path) -> None:
    drawing, document = drawn(tmp_path, "fit", *CANCER, "-l", "0.05")
    area = document["metrics"]["train"]["auc"]
    assert f"ROC of the training rows (AUC {area:.3f})" in drawing.texts
    roc = drawing.part("line-1")
    assert roc[[0, -1]].ravel() == pytest.approx([0, 0, 1, 1], abs=0.005)
    assert (np.diff(roc, axis=0) >= -POINTS).all()
    assert float(np.trapezoid(roc[:, 1], roc[:, 0])) == pytest.approx(area, abs=0.01)
    groups = drawing.part("line-2")
    assert len(groups) == 10
    assert (np.diff(groups[:, 0]) > 0).all()


def test_rows_that_differ_where_probabilities_are_one_are_told_apart(tmp_path: Path) -> None:
    rows = [(at % 2, 0, at // 2 % 2) for at in range(12)] + [(0, 60, 0)] * 2 + [(1, 80, 1)] * 5
    table = tmp_path / "sure.csv"
    table.write_text("x,sure,y\n" + "".join(f"{x},{sure},{y}\n" for x, sure, y in rows), "ascii")
    words = ("fit", table, "-y", "y", "--family", "binomial", "--offset", "sure", "-l", "10")
    drawing, document = drawn(tmp_path, *words)
    area = document["metrics"]["train"]["auc"]
    events = [sure for _, sure, y in rows if y]
    others = [sure for _, sure, y in rows if not y]
    wins = [(one > other) + (one == other) / 2 for one in events for other in others]
    assert area == pytest.approx(sum(wins) / len(wins), rel=1e-12)
    assert f"ROC of the training rows (AUC {area:.3f})" in drawing.texts
    roc = drawing.part("line-1")
    assert float(np.trapezoid(roc[:, 1], roc[:, 0])) == pytest.approx(area, abs=0.01)


def test_counts_have_residuals_by_their_deviation(tmp_path: Path) -> None:
    drawing, _ = drawn(tmp_path, "fit", *FAULTS, "-l", "0.1")
    assert "residual / standard deviation" in drawing.texts


@pytest.fixture
def dose(tmp_path: Path) -> Path:
    """A table with one column, and a curve in it."""
    rng = np.random.default_rng(3)
    x = rng.uniform(0.0, 6.0, 120)
    table = tmp_path / "dose.csv"
    values = np.c_[x, np.sin(x) + 0.1 * rng.normal(size=120)]
    np.savetxt(table, values, delimiter=",", header="dose,y", comments="", fmt="%.6f")
    return table


@pytest.mark.parametrize("bend", [(), ("--poly", "4"), ("--spline", "dose")])
def test_one_column_has_its_rows_and_the_curve_that_the_model_predicts(
    dose: Path, tmp_path: Path, bend: tuple[str, ...]
) -> None:
    words = (dose, "-y", "y", "--family", "gaussian", "-l", "0.01", *bend)
    drawing, _ = drawn(tmp_path, "fit", *words, "-m", tmp_path / "model.json")
    curve = drawing.part("line-1")
    x = np.loadtxt(dose, delimiter=",", skiprows=1)[:, 0]
    assert curve[[0, -1], 0] == pytest.approx([x.min(), x.max()], abs=0.005)
    new = tmp_path / "new.csv"
    np.savetxt(new, curve[:, 0], header="dose", comments="", fmt="%.9f")
    scored = run("predict", tmp_path / "model.json", new, "--json").document
    assert curve[:, 1] == pytest.approx([row["prediction"] for row in scored], abs=0.02)
    dots = next(node for node in drawing.root.iter("g") if node.get("id") == "dots-1")
    assert len(list(dots.iter("use"))) == 120


def test_a_path_over_one_column_has_a_curve_for_some_strengths(dose: Path, tmp_path: Path) -> None:
    words = ("path", dose, "-y", "y", "--family", "gaussian", "--poly", "3", "-l", "1,0.1,0.01")
    drawing, _ = drawn(tmp_path, *words)
    assert {"λ = 1", "λ = 0.1", "λ = 0.01", "dose"} <= set(drawing.texts)


# -- edges -----------------------------------------------------------------------------------------------------------


def test_strength_zero_has_its_place_beyond_the_others(tmp_path: Path) -> None:
    drawing, _ = drawn(tmp_path, "path", *DIABETES, "-l", "10,1,0")
    assert "λ = 0" in drawing.texts
    assert drawing.part("line-1")[-1, 0] > 0.1


@pytest.mark.parametrize("words", [("path", "-l", "1000,500"), ("fit", "-l", "1000")])
def test_nothing_but_zeros_is_said(tmp_path: Path, words: tuple[str, ...]) -> None:
    drawing, _ = drawn(tmp_path, words[0], *DIABETES, *words[1:])
    assert any(text.startswith("every coefficient is zero") for text in drawing.texts)
    assert drawing.count("line") == drawing.count("bars") == 0


@pytest.mark.parametrize("command", ["fit", "cv", "path"])
def test_one_strength_is_a_picture_too(tmp_path: Path, command: str) -> None:
    drawing, _ = drawn(tmp_path, command, *DIABETES, "-l", "5")
    assert drawing.count("bars" if command == "fit" else "line") > 0


@pytest.mark.slow
@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_a_path_of_3000_columns_stays_small(tmp_path: Path, penalty: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3000))
    table = tmp_path / "wide.csv"
    names = ",".join([*(f"x{j}" for j in range(3000)), "y"])
    y = X[:, :20].sum(axis=1) + rng.normal(size=100)
    np.savetxt(table, np.c_[X, y], delimiter=",", header=names, comments="", fmt="%.4f")
    words = (table, "-y", "y", "--family", "gaussian", "--penalty", penalty, "--lambda-min-ratio", "0.001")
    for suffix in ("svg", "pdf"):
        run("path", *words, "--plot", tmp_path / f"it.{suffix}", "-f", "names")
        assert (tmp_path / f"it.{suffix}").stat().st_size < 1_000_000
    drawing = Drawing(tmp_path / "it.svg")
    assert drawing.count("line") <= 150
    if penalty == "l2":
        assert any("grey area: 2,850 smaller ones" in text for text in drawing.texts)


def test_names_are_data(tmp_path: Path) -> None:
    names = ["$a_b^{2}$", r"\frac{x}", "\x1b[31m", '<b>&amp;"', "\u202erev", "列名", "long_" * 30, "\ufffe!"]
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, len(names)))
    cells = np.c_[X, X @ np.arange(1, len(names) + 1)].round(4).tolist()
    header = ",".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in [*names, "$y$"])
    table = tmp_path / "odd.csv"
    table.write_text("\n".join([header, *(",".join(map(str, row)) for row in cells)]) + "\n", "utf-8")
    for command in ("fit", "path"):
        words = (command, table, "-y", "$y$", "--family", "gaussian", "-l", "0.01")
        drawing, _ = drawn(tmp_path, *words)
        for name in names[:6]:
            assert visible(name) in drawing.texts
        assert "long_long_long…ng_long_long_" in drawing.texts
        assert "\\ufffe!" in drawing.texts
        assert any(text.endswith("$y$" if command == "path" else "$y$, λ = 0.01") for text in drawing.texts)
        run(*words, "--plot", tmp_path / "it.png")


# -- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "magic"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("SVG", b"<?x")]
)
def test_the_same_run_gives_the_same_bytes(tmp_path: Path, suffix: str, magic: bytes) -> None:
    outcome = run("fit", *DIABETES, "-l", "1", "--json", "--plot", tmp_path / f"one.{suffix}")
    run("fit", *DIABETES, "-l", "1", "--json", "--plot", tmp_path / f"two.{suffix}")
    one = (tmp_path / f"one.{suffix}").read_bytes()
    assert one.startswith(magic)
    assert one == (tmp_path / f"two.{suffix}").read_bytes()
    assert not re.search(rb"CreationDate|dc:date|Software|20\d\d-\d\d-\d\d", one)
    assert outcome.out == run("fit", *DIABETES, "-l", "1", "--json").out  # the document is the same without a picture


@pytest.mark.parametrize("kind", ["fit", "cv", "path"])
def test_show_draws_documents_again(tmp_path: Path, kind: str) -> None:
    run(kind, *DIABETES, "-o", tmp_path / "it.json", "--plot", tmp_path / "one.svg", "-l", "10,1")
    run("show", tmp_path / "it.json", "--plot", tmp_path / "two.svg")
    one, two = Drawing(tmp_path / "one.svg"), Drawing(tmp_path / "two.svg")
    what = "bars" if kind == "fit" else "line"
    assert one.count(what) == two.count(what) > 0
    if kind != "fit":  # whose residuals are of rows, which documents do not hold
        assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_a_path_of_an_earlier_version_is_drawn_on_the_scale_of_the_data(tmp_path: Path) -> None:
    document = run("path", *DIABETES, "-l", "10,1", "--json").document
    for row in document["coefficients"]:
        del row["sd"]
    (tmp_path / "it.json").write_text(json.dumps(document), "utf-8")
    run("show", tmp_path / "it.json", "--plot", tmp_path / "it.svg")
    assert "coefficient (scale of the data)" in Drawing(tmp_path / "it.svg").texts


def test_show_draws_a_model(tmp_path: Path) -> None:
    run("fit", *CANCER, "-l", "0.05", "-m", tmp_path / "model.json", "-o", tmp_path / "fit.json")
    run("show", tmp_path / "model.json", "--plot", tmp_path / "model.svg")
    run("show", tmp_path / "fit.json", "--plot", tmp_path / "fit.svg")
    assert (tmp_path / "model.svg").read_bytes() == (tmp_path / "fit.svg").read_bytes()


def test_show_draws_the_path_that_a_model_was_chosen_from_and_marks_the_choice(tmp_path: Path) -> None:
    words = (*DIABETES, "--n-lambdas", "20", "--full-path")
    chosen = run("fit", *words, "--save-path", "-m", tmp_path / "model.json", "--json").document["model"]["lambda"]
    run("show", tmp_path / "model.json", "--plot", tmp_path / "model.svg")
    drawing = Drawing(tmp_path / "model.svg")
    assert drawing.part("mark-1")[:, 0] == pytest.approx(minus_logs([chosen] * 2), abs=0.01)
    assert drawing.count("line") == 10
    assert drawing.count("bars") == len(run("show", tmp_path / "model.json", "-f", "names").out.splitlines())


def refused(*words: object) -> tuple[int, str]:
    outcome = run_tool(*words, "--json")
    return outcome.status, outcome.error["code"]


def test_what_cannot_be_drawn_is_refused_before_the_work(tmp_path: Path) -> None:
    absent = tmp_path / "no.csv"  # reading it would be another error
    for name in ("it.jpg", "it", "it.svg.gz"):
        assert refused("fit", absent, "--plot", tmp_path / name) == (2, "unknown-option-value")
    assert refused("fit", absent, "--plot", tmp_path / "no" / "it.svg") == (6, "output-failed")
    (tmp_path / "folder.svg").mkdir()
    assert refused("cv", absent, "--plot", tmp_path / "folder.svg") == (6, "output-exists")
    same = tmp_path / "same.svg"
    assert refused("fit", absent, "--plot", same, "-m", same) == (2, "conflicting-options")
    assert refused("path", absent, "--plot", same, "-o", same, "-f", "json") == (2, "conflicting-options")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.svg"]


def test_show_refuses_what_has_no_picture(tmp_path: Path) -> None:
    run("inspect", DIABETES[0], "-o", tmp_path / "it.json")
    picture = tmp_path / "it.svg"
    assert refused("show", tmp_path / "it.json", "--plot", picture) == (2, "option-without-effect")
    run("path", *DIABETES, "-l", "1,0.5", "-o", tmp_path / "path.json")
    document = json.loads((tmp_path / "path.json").read_text("utf-8"))
    document["coefficients"][0]["values"].pop()
    (tmp_path / "path.json").write_text(json.dumps(document), "utf-8")
    assert refused("show", tmp_path / "path.json", "--plot", picture) == (3, "document-unreadable")
    assert not picture.exists()


def test_without_matplotlib_the_way_out_is_told_and_everything_else_works(tmp_path: Path) -> None:
    without = dict.fromkeys(name for name in sys.modules if name.split(".")[0] == "matplotlib") | {"matplotlib": None}
    with patch.dict(sys.modules, {**without, "regcli.report.plots": None}):
        del sys.modules["regcli.report.plots"]
        outcome = run_tool("fit", tmp_path / "no.csv", "--plot", tmp_path / "it.svg")
        assert outcome.status == 2
        assert outcome.err.startswith("error[not-installed]: --plot needs matplotlib, which is not installed\n")
        assert "hint: pip install 'regcli[plot]'" in outcome.err
        run("fit", *DIABETES, "-l", "1")


def test_a_check_that_fails_leaves_the_picture_and_strict_leaves_nothing(tmp_path: Path) -> None:
    picture = tmp_path / "it.svg"
    guessed = DIABETES[:3]
    assert run_tool("fit", *guessed, "-l", "1", "--strict", "--plot", picture).status == 2
    assert not picture.exists()
    assert run_tool("fit", *DIABETES, "-l", "1", "--assert", "n_selected < 1", "--plot", picture).status == 1
    assert Drawing(picture).count("bars") == 7


def test_settings_of_matplotlib_change_nothing(tmp_path: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415  (only here)

    run("cv", *DIABETES, "-l", "10,1", "--plot", tmp_path / "one.svg")
    with mpl.rc_context({"lines.linewidth": 9, "text.usetex": True, "figure.facecolor": "red"}):
        run("cv", *DIABETES, "-l", "10,1", "--plot", tmp_path / "two.svg")
        assert mpl.rcParams["figure.facecolor"] == "red"
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_a_backend_for_windows_does_not_matter(tmp_path: Path, regcli: Callable[..., Process]) -> None:
    words = ("fit", *map(str, DIABETES), "-l", "1", "-f", "names")
    one = regcli(*words, "--plot", "one.svg", MPLBACKEND="nonsense", MPLCONFIGDIR="/proc/none")
    assert (one.returncode, one.stderr) == (0, "wrote one.svg\n")
    run(*words, "--plot", tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_an_offset_or_exposure_is_taken_out_of_the_curve(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    x, hours = rng.uniform(0.0, 3.0, 80), rng.uniform(1.0, 9.0, 80)
    counts = rng.poisson(hours * np.exp(x - 1.0))
    table = tmp_path / "counts.csv"
    values = np.c_[x, hours, counts]
    np.savetxt(table, values, delimiter=",", header="x,hours,y", comments="", fmt="%.6f")
    for family, option, title in (("poisson", "--exposure", "y / hours"), ("gaussian", "--offset", "y − hours")):  # noqa: RUF001
        words = ("fit", table, "-y", "y", "--family", family, option, "hours", "-l", "0.01")
        drawing, document = drawn(tmp_path, *words)
        assert title in drawing.texts
        (row,) = document["coefficients"]
        curve = drawing.part("line-1")
        eta = document["intercept"] + row["estimate"] * curve[:, 0]
        expected = np.exp(eta) if family == "poisson" else eta
        assert curve[:, 1] == pytest.approx(expected, abs=0.02 * float(np.ptp(expected)))
