"""Numbers of other tools that pages quote are those that are stored."""

import json
import re
from statistics import median
from typing import Any

import pytest

from regcli.cli.boundary import run
from tests.reference.stored import HERE, load_cases, load_generated, load_json

pytestmark = pytest.mark.reference

DOCS = HERE.parents[1] / "docs"


def row(page: str, start: str) -> list[str]:
    """The cells of the one row of a table that begins with ``start``."""
    (line,) = [line for line in page.splitlines() if line.startswith(f"| {start}")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_lasso_of_glmnet_in_the_page_on_lambda_is_the_stored_one(capsys: pytest.CaptureFixture[str]) -> None:
    page = (DOCS / "lambda.md").read_text("utf-8")
    header, figures = row(page, "| intercept"), row(page, "`glmnet(x, y, lambda")
    strength = float(re.findall(r"lambda = ([\d.]+)", figures[0])[0])
    case = next(case for case in load_cases() if case.name == "gaussian_diabetes_1")
    at = case.lambdas.tolist().index(strength)
    stored = {"intercept": case.intercepts[at], **dict(zip(case.features, case.coefs[at], strict=True))}
    assert dict(zip(header[1:], figures[1:], strict=True)) == {
        name: f"{value:.5f}" for name, value in stored.items() if value
    }
    sample = HERE.parents[1] / "sample_data" / "diabetes.csv"
    words = ["fit", str(sample), "-y", "progression", "--family", "gaussian", "-l", str(strength), "--tol", "1e-11"]
    assert run([*words, "-f", "csv"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    ours = {line.split(",")[0].strip("()"): f"{float(line.split(',')[1]):.5f}" for line in lines}
    assert ours == dict(zip(header[1:], figures[1:], strict=True))


# -- what the page on the comparison says ----------------------------------------------------------------------------

COMPARISON = (DOCS / "comparison.md").read_text("utf-8")
RESULTS = HERE.parents[1] / "benchmarks" / "results"

TIMES = " \N{MULTIPLICATION SIGN} "

#: Rows of the table of speeds, by their case in the benchmarks.
SPEEDS = {
    "lasso, 100,000 x 200": "tall",
    "lasso, 5,000 x 2,000": "mid",
    "lasso, 500 x 20,000": "wide",
    "elastic net 0.5, 100,000 x 200": "tall-enet",
    "elastic net 0.5, 5,000 x 2,000": "mid-enet",
    "elastic net 0.5, 500 x 20,000": "wide-enet",
    "logistic lasso, 50,000 x 100": "ltall",
    "logistic lasso, 500 x 5,000": "lwide",
    "ridge, 100,000 x 200": "tall-ridge",
    "ridge, 5,000 x 2,000": "mid-ridge",
    "ridge, 500 x 20,000": "wide-ridge",
}


def test_the_counts_of_cases_in_the_page_are_right() -> None:
    cases = load_cases()
    tables = len({case.csv for case in cases})
    steps = {case.lambdas.size for case in cases}
    assert f"{len(cases)} models on {tables} tables, at {steps.pop()} strengths each" in COMPARISON
    assert not steps
    assert f"{len(load_generated())} generated paths" in COMPARISON
    assert f"`lambda_as`, {len(load_json('elsewhere.json')['fits'])} models" in COMPARISON
    assert f"{len(load_json('glm.json')['fits'])} poisson tables without a penalty" in COMPARISON


#: Rows of the table of accuracies.
HELD = {
    "lasso of 100,000 rows, 200 columns": "tall",
    "lasso of 500 rows, 20,000 columns": "wide",
    "elastic net of 100,000 rows, 200 columns": "tall-enet",
    "elastic net of 500 rows, 20,000 columns": "wide-enet",
    "five elastic nets of 100,000 rows, 200 columns": "tall-shares",
    "logistic lasso of 50,000 rows, 100 columns": "ltall",
    "logistic lasso of 500 rows, 5,000 columns": "lwide",
}


def measured(accuracy: str = "default") -> dict[tuple[str, str], Any]:
    """Records of one core at an accuracy, by case and tool."""
    records = json.loads((RESULTS / "solvers.json").read_text("utf-8"))["records"]
    kept = [record for record in records if record["accuracy"] == accuracy and record["cores"] == 1]
    return {(record["case"], record["peer"]): record for record in kept if record["state"] == "ok"}


def shown_as(value: float, text: str) -> bool:
    """Whether a number is rounded as the page shows it."""
    digits = len(text.partition(".")[2])
    return abs(value - float(text)) <= 0.5 * 10**-digits + 1e-9


def test_every_time_in_the_page_was_measured() -> None:
    found = measured()
    times = {key: median(record["cpu"]) for key, record in found.items()}
    for name, case in SPEEDS.items():
        _, whole, stopped, glmnet, fastest, factor = row(COMPARISON, name.replace(" x ", TIMES))
        assert shown_as(times[case, "regcli"], whole), (name, times[case, "regcli"])
        assert stopped == "\N{EN DASH}" or shown_as(times[case, "regcli-stopped"], stopped), name
        assert shown_as(times[case, "glmnet"], glmnet), (name, times[case, "glmnet"])
        peer, seconds = fastest.split()
        others = {tool: time for (where, tool), time in times.items() if where == case and "regcli" not in tool}
        assert peer == min(others, key=lambda tool: others[tool])
        assert shown_as(others[peer], seconds), (name, others[peer])
        assert shown_as(others[peer] / times[case, "regcli"], factor), (name, others[peer] / times[case, "regcli"])
    rows = re.findall(rf"^\| ([^|]*{TIMES}[^|]*?) \|", COMPARISON, re.MULTILINE)
    assert [name.replace(TIMES, " x ") for name in rows] == list(SPEEDS)


@pytest.mark.parametrize(("at", "accuracy"), [(1, "1e-4"), (2, "1e-6")])
def test_every_factor_at_an_accuracy_was_measured(at: int, accuracy: str) -> None:
    times = {key: median(record["cpu"]) for key, record in measured(accuracy).items()}
    for name, case in HELD.items():
        others = [time for (where, tool), time in times.items() if where == case and "regcli" not in tool]
        assert shown_as(min(others) / times[case, "regcli"], row(COMPARISON, name)[at]), (name, accuracy)


def test_the_table_of_the_readme_is_that_of_the_page() -> None:
    readme = (HERE.parents[1] / "README.md").read_text("utf-8")
    names = re.findall(rf"^\| ([^|]*{TIMES}[^|]*?) \|", readme, re.MULTILINE)
    assert len(names) >= 7
    assert "logistic lasso, 500 x 5,000".replace(" x ", TIMES) in names  # the one that is slower
    for name in names:
        _, whole, stopped, _, fastest, factor = row(COMPARISON, name)
        assert row(readme, name) == [name, whole, stopped, fastest, factor]


def test_accuracy_and_memory_in_the_page_were_measured() -> None:
    found = measured()
    told = [found[case, "glmnet"]["worst"] for case in SPEEDS.values()]
    assert 1.5e-4 < min(told) < 2.5e-4
    assert 1.5e-3 < max(told) < 2.5e-3
    assert max(found[case, "regcli"]["worst"] for case in SPEEDS.values()) < 1e-7
    for case in ("tall", "mid"):
        for peer in ("regcli", "scikit-learn", "glmnet"):
            record = found[case, peer]
            used = (record["peak"] - record["bare"]) / 2**20
            assert f"{used:.0f}" in COMPARISON.partition("**Memory**")[2].partition("## ")[0], (case, peer, used)
    small = COMPARISON.partition("**Where it is slower.**")[2].partition("**")[0]
    for peer, text in (("glmnet", "0.035"), ("scikit-learn", "0.090"), ("adelie-cov", "0.014"), ("regcli", "0.094")):
        assert text in small
        assert shown_as(median(found["diabetes", peer]["cpu"]), text)


def test_the_times_of_starting_in_the_page_are_those_that_were_measured() -> None:
    rows = re.findall(r"^\| .+ \|$", (RESULTS / "startup.md").read_text("utf-8"), re.MULTILINE)
    assert len(rows) == 6
    for line in rows[1:]:
        assert line in COMPARISON
