"""Reports for build servers: readable by their readers, and no name in them is more than a name."""

import base64
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from lxml import etree
from markdown_it import MarkdownIt

from regcli.report.escape import visible
from tests.cli.conftest import ROOT, environment
from tests.fuzz.tool import Outcome, run_tool

pytestmark = pytest.mark.usefixtures("folder")

DIABETES = str(ROOT / "sample_data" / "diabetes.csv")
FIT = ("fit", DIABETES, "-y", "progression", "--family", "gaussian", "-l", "1", "--folds", "5", "-f", "json")
SCHEMA = etree.XMLSchema(etree.parse(str(Path(__file__).with_name("junit.xsd"))))

#: Names that would be commands, markup, or the end of either.
HOSTILE = (
    "a\n::error title=x::y",
    "b\r\n::stop-commands::z",
    "c]]><script>alert(1)</script>",
    "d\\| e | `f` | </code>",
    "g%0A::add-mask::h, i: j",
    "##[error]k\x1b[2J\ufffe",
    '"><img src=x onerror=alert(1)>',
)


def check_of(name: str) -> str:
    """A check that fails."""
    doubled = name.replace('"', '""')
    return f'coef["{doubled}"] > 1e9'


def hostile_table() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(size=(60, len(HOSTILE)))
    frame = pd.DataFrame(values, columns=list(HOSTILE)).assign(y=values.sum(axis=1) + rng.normal(size=60))
    frame.to_parquet("odd.parquet")


def odd(*words: str, environ: dict[str, str] | None = None) -> Outcome:
    """Fit hostile names, with a check of every one that fails, as a process of its own."""
    hostile_table()
    checks = [word for name in HOSTILE for word in ("--assert", check_of(name))]
    command = [sys.executable, "-m", "regcli", "fit", "odd.parquet", "-y", "y", "--family", "gaussian", "-l", "0.001"]
    done = subprocess.run(
        [*command, *checks, *words, "-o", "fit.json"], env=environment(**(environ or {})), capture_output=True,
        check=False, timeout=60,
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def suite(path: str = "r.xml") -> Any:  # noqa: ANN401  (lxml's elements have no type)
    tree = etree.parse(path)
    SCHEMA.assertValid(tree)
    return tree.getroot()


# -- junit -----------------------------------------------------------------------------------------------------------


def test_junit_has_a_case_for_every_check() -> None:
    checks = ("metrics.cv.r2 > 0.4", "metrics.cv.r2 > 0.9", "n_selected < 3")
    words = [word for check in checks for word in ("--assert", check)]
    outcome = run_tool(*FIT, *words, "--report", "junit=r.xml")
    root = suite()
    assert outcome.status == 1
    assert [case.get("name") for case in root.iter("testcase")] == list(checks)
    assert [case.find("failure") is None for case in root.iter("testcase")] == [True, False, False]
    assert {(part.get("tests"), part.get("failures")) for part in (root, root[0])} == {("3", "2")}
    assert root.find(".//failure").get("message").startswith("metrics.cv.r2 > 0.9 does not hold (metrics.cv.r2 = 0.4")
    again = Path("r.xml").read_bytes()
    run_tool(*FIT, *words, "--report", "junit=r.xml")
    assert Path("r.xml").read_bytes() == again


def test_the_schema_says_no() -> None:
    assert not SCHEMA.validate(etree.fromstring('<testsuites name="x" tests="1" failures="no" errors="0"/>'))
    assert not SCHEMA.validate(
        etree.fromstring('<testsuite name="x" tests="1" failures="0" errors="0"><a/></testsuite>')
    )


def test_junit_of_checks_baselines_and_comparisons() -> None:
    assert run_tool(*FIT, "-m", "model.json", "-o", "old.json").status == 0
    words = ("--baseline", "old.json", "--max-drop", "r2=0", "--same-selected")
    assert run_tool(*FIT, *words, "--report", "junit=r.xml").status == 0
    assert [case.get("name") for case in suite().iter("testcase")] == ["--max-drop r2=0", "--same-selected"]
    text = Path(DIABETES).read_text("utf-8").replace("21.6", "tall", 1)
    Path("new.csv").write_text(text, "utf-8")
    assert run_tool("check", "model.json", "new.csv", "--assert", "rows > 1", "--report", "junit=r.xml").status == 1
    cases = {case.get("name"): case.find("failure") is None for case in suite().iter("testcase")}
    assert cases == {"every row can be scored": False, "rows > 1": True}
    assert run_tool(*FIT, "-l", "9", "-o", "new.json").status == 0
    for asked, status, count in (([], 0, 0), (["--exit-code"], 1, 1)):
        assert run_tool("diff", "old.json", "new.json", *asked, "--report", "junit=r.xml").status == status
        assert len(list(suite().iter("failure"))) == count


def test_hostile_names_in_junit() -> None:
    assert odd("--report", "junit=r.xml").status == 1
    told = "".join(case.get("name") for case in suite().iter("testcase"))
    for name in HOSTILE:
        assert visible(check_of(name)).replace("\ufffe", "\\ufffe") in told


# -- github ----------------------------------------------------------------------------------------------------------


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Workflow commands as the runner takes them from a stream: a line that begins so, or ##[word] anywhere."""
    found = []
    for line in re.split(r"\r\n|\r|\n", text):
        assert "##[" not in line or line.lstrip().startswith("::")
        if (match := re.match(r"\s*::([\w-]+)(?: ([^:]*?))?::(.*)", line)) is not None:
            pairs = [part.partition("=") for part in (match[2] or "").split(",") if part]
            found.append((match[1], {key: undone(value) for key, _, value in pairs}, undone(match[3])))
    return found


def undone(text: str) -> str:
    for code, sign in (("%3A", ":"), ("%2C", ","), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, sign)
    return text


def test_failed_checks_are_annotations() -> None:
    outcome = run_tool(*FIT, "--assert", "metrics.cv.r2 > 0.9", "--assert", "n_selected > 1", "--report", "github")
    ((name, properties, message),) = commands(outcome.err)
    assert (name, properties) == ("error", {"title": "regcli fit: check failed"})
    assert message.startswith("metrics.cv.r2 > 0.9 does not hold")


def test_violations_are_annotated_where_they_are() -> None:
    assert run_tool(*FIT, "-m", "model.json", "-o", "old.json").status == 0
    text = Path(DIABETES).read_text("utf-8").replace("21.6", "tall", 1).replace("25.3", "253", 1)
    Path("a,b:c.csv").write_text(text, "utf-8")
    outcome = run_tool("check", "model.json", "a,b:c.csv", "--report", "github", "-o", "check.json", "-q")
    places = {(kind, p.get("file"), p.get("line"), p["title"]) for kind, p, _ in commands(outcome.err)}
    assert ("error", "a,b:c.csv", "3", "text-in-numeric-column") in places
    assert ("warning", "a,b:c.csv", "5", "out-of-range") in places


def test_no_name_is_a_command() -> None:
    outcome = odd("--report", "github", environ={"GITHUB_ACTIONS": "true"})
    found = commands(outcome.err)
    assert outcome.status == 1
    assert [kind for kind, _, _ in found] == ["error"] * len(HOSTILE)
    for name, (_, properties, message) in zip(HOSTILE, found, strict=True):
        assert properties == {"title": "regcli fit: check failed"}
        assert message.startswith(visible(check_of(name)).replace("##[", "#\\u0023["))


def test_errors_stay_json_in_an_action() -> None:
    name = "##[error]x"
    command = [sys.executable, "-m", "regcli", "fit", f"{name}.csv", "--json"]
    env = environment(GITHUB_ACTIONS="true")
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert "##[" not in done.stderr
    assert name in json.loads(done.stderr)["message"]


def rendered(text: str) -> tuple[int, int, set[str]]:
    """Rows of tables, cells of tables, and kinds of what is markup, as a reader of Markdown has them."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    kinds = [token.type for token in tokens]
    inline = {child.type for token in tokens for child in token.children or ()}
    return kinds.count("tr_open"), kinds.count("td_open") + kinds.count("th_open"), inline


def test_the_summary_of_a_step_is_a_table_that_names_stay_in() -> None:
    Path("summary.md").write_text("before\n", "utf-8")
    assert odd(environ={"GITHUB_STEP_SUMMARY": "summary.md"}).status == 1
    text = Path("summary.md").read_text("utf-8")
    assert text.startswith("before\n### regcli fit")
    rows, cells, inline = rendered(text)
    names = len(HOSTILE)
    assert rows == 1 + names + 1 + 1 + names + 1 + 5
    assert cells == 3 * (1 + names) + 3 * (2 + names) + 3 * 6
    assert inline <= {"text", "code_inline", "html_inline"}
    assert set(re.findall(r"<[^>]*>", re.sub(r"(`+).*?\1", "", text))) <= {"<code>", "</code>"}
    for line in text.splitlines():
        bare = re.sub(r"\\.", "", line)  # GitHub splits a row at every bar that no backslash is before
        assert bare.count("|") in (0, 4)
    assert "does not hold" in text
    numbers = re.findall(r"(?<=\| )-?\d[^ ]*(?= \|)", text)
    assert len(numbers) > 2 * names
    assert all(float(f"{float(number):.6g}") == float(number) for number in numbers)  # short, for people


def test_there_is_no_summary_where_no_file_or_none_that_can_be_written_is_named() -> None:
    before = set(Path().iterdir())
    assert odd(environ={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": ""}).status == 1
    assert {path.name for path in set(Path().iterdir()) - before} == {"odd.parquet", "fit.json"}
    outcome = odd(environ={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "absent/summary.md"})
    assert (outcome.status, "error[output-failed]" in outcome.err) == (6, True)


# -- html ------------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Tags with their attributes, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_runs_and_loads_nothing() -> None:
    assert odd("--report", "html=r.html").status == 1
    text = Path("r.html").read_text("utf-8")
    page = Page(text)
    assert {tag for tag, _ in page.tags} == {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "pre", "table", "tr", "th", "td", "details",
        "summary", "img",
    }  # fmt: skip
    attributes = {key for _, attrs in page.tags for key in attrs}
    assert attributes == {"lang", "charset", "http-equiv", "content", "name", "class", "alt", "src"}
    (policy,) = [attrs["content"] for _, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "; img-src data:; " in policy
    assert "unsafe" not in policy
    assert "://" not in text
    assert "th,td.n{white-space:nowrap}" in text  # however narrow, no heading and no number is broken in two
    for name in HOSTILE:
        assert visible(name) in page.words
    document = json.loads(next(word for word in page.words if word.startswith("{")))
    assert document == json.loads(Path("fit.json").read_text("utf-8"))


def picture_of(page: Page) -> str | None:
    """The text of the one picture of a page, if it has any."""
    sources = [attrs["src"] or "" for tag, attrs in page.tags if tag == "img"]
    start = "data:image/svg+xml;base64,"
    assert all(source.startswith(start) for source in sources)
    assert len(sources) <= 1
    return base64.b64decode(sources[0].removeprefix(start)).decode() if sources else None


def test_the_page_has_the_picture_that_plot_draws() -> None:
    assert run_tool(*FIT, "--report", "html=r.html", "--plot", "p.svg", "-o", "fit.json").status == 0
    drawn = picture_of(Page(Path("r.html").read_text("utf-8")))
    assert drawn == Path("p.svg").read_text("utf-8")
    assert "Residuals of the training rows" in drawn
    assert run_tool(*FIT, "--report", "html=alone.html", "-o", "fit.json").status == 0
    assert picture_of(Page(Path("alone.html").read_text("utf-8"))) == drawn


def test_a_page_of_a_result_that_does_not_hold_is_drawn_too() -> None:
    assert run_tool(*FIT, "--assert", "n_selected < 1", "--report", "html=r.html", "-o", "fit.json").status == 1
    assert "Coefficients" in (picture_of(Page(Path("r.html").read_text("utf-8"))) or "")


def test_without_what_draws_the_page_has_no_picture() -> None:
    absent = dict.fromkeys(name for name in sys.modules if name.split(".")[0] == "matplotlib") | {"matplotlib": None}
    with patch.dict(sys.modules, {**absent, "regcli.report.plots": None}):
        sys.modules.pop("regcli.report.plots")
        assert run_tool(*FIT, "--report", "html=r.html", "-o", "fit.json").status == 0
    text = Path("r.html").read_text("utf-8")
    assert picture_of(Page(text)) is None
    assert "img-src" not in text


@pytest.mark.parametrize("command", ["cv", "check", "diff"])
def test_every_command_has_a_page(command: str) -> None:
    assert run_tool(*FIT, "-m", "model.json", "-o", "old.json").status == 0
    words = {
        "cv": ("cv", *FIT[1:]),
        "check": ("check", "model.json", DIABETES),
        "diff": ("diff", "old.json", "model.json"),
    }
    assert run_tool(*words[command], "--report", "html=r.html", "-o", "out.json").status == 0
    page = Page(Path("r.html").read_text("utf-8"))
    document = json.loads(next(word for word in page.words if word.startswith("{")))
    assert document == json.loads(Path("out.json").read_text("utf-8"))


# -- errors ----------------------------------------------------------------------------------------------------------

SLOW = ("fit", str(ROOT / "sample_data" / "breast_cancer.csv"), "-y", "diagnosis", "-l", "0.01", "--max-iter", "1")

ERRORS = {
    "strict": (("fit", DIABETES, "--strict", "-l", "1"), 2, "target-guessed"),
    "no file": (("fit", "absent.csv"), 3, "file-not-found"),
    "no fit": (SLOW, 4, "not-converged"),
    "cv": (("cv", "absent.csv"), 3, "file-not-found"),
    "check": (("check", "absent.json", DIABETES), 5, "model-unreadable"),
    "diff": (("diff", "absent.json", "absent.json"), 3, "file-not-found"),
    "assert": ((*FIT, "--assert", "metrics.cv.auc > 1"), 2, "unknown-option-value"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_reported(name: str) -> None:
    words, status, code = ERRORS[name]
    reports = ("--report", "junit=r.xml", "--report", "html=r.html", "--report", "github")
    outcome = run_tool(*words, *reports)
    assert (outcome.status, outcome.out) == (status, "")
    (case, *_) = suite().iter("testcase")
    assert case.find("failure").get("type") == code
    message = case.find("failure").get("message")
    assert f"error[{code}]: {message}" in outcome.err
    kinds = [(kind, properties["title"]) for kind, properties, _ in commands(outcome.err)]
    assert kinds[0] == ("error", f"regcli {words[0]}: {code}")
    assert message in "".join(Page(Path("r.html").read_text("utf-8")).words)


EARLY = {
    "no folder": ((*FIT, "-m", "absent/m.json"), 6, "output-failed"),
    "no format": ((*FIT[:-2], "-f", "jsonl"), 2, "option-without-effect"),
    "no picture": ((*FIT, "--plot", "a.txt"), 2, "unknown-option-value"),
    "two files": ((*FIT, "-m", "m.json", "-o", "m.json"), 2, "conflicting-options"),
    "another report": ((*FIT, "--report", "html=absent/r.html"), 6, "output-failed"),
    "configuration": ((*FIT, "--config", "bad.toml"), 2, "config-invalid"),
    "two formats": ((*FIT, "--format", "csv", "--json"), 2, "conflicting-options"),
    "check": (("check", "m.json", "a.csv", "-f", "jsonl"), 2, "option-without-effect"),
    "checks": (("check", "-o", "absent/c.json"), 6, "output-failed"),
    "no checks": (("check", "--config", "bad.toml"), 2, "config-invalid"),
    "diff": (("diff", "a.json", "b.json", "--tol", "-1"), 2, "unknown-option-value"),
    "differing": (("diff", "a.json", "b.json", "-o", "absent/d.json"), 6, "output-failed"),
}


@pytest.mark.parametrize("name", EARLY)
def test_no_report_of_yesterday_stays_where_a_run_ends_early(name: str) -> None:
    words, status, code = EARLY[name]
    Path("bad.toml").write_text("nonsense = 1\n")
    Path("r.xml").write_text("OLD")
    outcome = run_tool(*words, "--report", "junit=r.xml")
    assert (outcome.status, outcome.out) == (status, "")
    (case,) = suite().iter("testcase")
    assert case.find("failure").get("type") == code
    assert outcome.err.count(case.find("failure").get("message")) == 1
    assert sorted(map(str, Path().iterdir())) == ["bad.toml", "r.xml"]


@pytest.mark.parametrize("config", [(), ("--config", "bad.toml")])
@pytest.mark.parametrize("path", ["data.csv", "bad.toml", "m.json", "./o.json", "link.html"])
def test_no_error_is_reported_over_what_is_read_or_goes_elsewhere(config: tuple[str, ...], path: str) -> None:
    for name in ("data.csv", "m.json", "o.json"):
        Path(name).write_text(name)
    Path("bad.toml").write_text("nonsense = 1\n" if config else "seed = 1\n")
    Path("link.html").symlink_to("data.csv")
    before = {each.name: each.read_bytes() for each in Path().iterdir()}
    words = ("fit", "data.csv", "-m", "m.json", "-o", "o.json", *(config or ("--config", "bad.toml")))
    outcome = run_tool(*words, "--report", f"html={path}")
    assert outcome.status == 2
    assert {each.name: each.read_bytes() for each in Path().iterdir()} == before


@pytest.mark.parametrize("more", [("--config", "bad.toml"), ("-f", "csv"), ("-m", "absent/m.json")])
def test_an_early_error_that_is_reported_is_json_alone(more: tuple[str, ...]) -> None:
    Path("bad.toml").write_text("nonsense = 1\n")
    outcome = run_tool(*FIT[:-2], "--json", *more, "--report", "junit=r.xml")
    assert outcome.error["code"] == suite().find(".//failure").get("type")


def test_a_plan_writes_no_report() -> None:
    for words in ((*FIT, "--dry-run"), (*FIT, "--dry-run", "-m", "absent/m.json"), (*FIT, "--show-config")):
        run_tool(*words, "--report", "junit=r.xml")
        assert list(Path().iterdir()) == []


def test_a_strict_run_reports_its_result_with_the_warning() -> None:
    words = ("fit", DIABETES, "-y", "progression", "-l", "1", "--strict", "-m", "m.json", "-o", "o.json")
    outcome = run_tool(*words, "--report", "html=r.html", "--report", "junit=r.xml")
    assert (outcome.status, sorted(map(str, Path().iterdir()))) == (2, ["r.html", "r.xml"])
    page = Page(Path("r.html").read_text("utf-8"))
    document = json.loads(next(word for word in page.words if word.startswith("{")))
    assert [warning["code"] for warning in document["warnings"]] == ["family-guessed"]
    assert document["n_selected"] > 0


def test_an_error_in_an_action_is_in_its_summary() -> None:
    environ = environment(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY="summary.md")
    command = [sys.executable, "-m", "regcli", "fit", "a|b.csv"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3
    text = Path("summary.md").read_text("utf-8")
    assert text.startswith("### regcli fit&#58; error file-not-found")
    assert rendered(text)[:2] == (2, 4)


def test_a_report_that_cannot_be_written_does_not_hide_the_error() -> None:
    environ = environment(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY="absent/summary.md")
    command = [sys.executable, "-m", "regcli", "fit", "absent.csv"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3
    assert "absent/summary.md was not written" in done.stderr


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("--report", "pdf=x"), 2, "unknown-option-value"),
        (("--report", "junit"), 2, "unknown-option-value"),
        (("--report", "html="), 2, "unknown-option-value"),
        (("--report", "junit=a.xml", "--report", "html=a.xml"), 2, "conflicting-options"),
        (("--report", "html=m.json", "-m", "m.json"), 2, "conflicting-options"),
        (("--report", "html=./o.json", "-o", "o.json"), 2, "conflicting-options"),
        (("--report", "junit=absent/a.xml"), 6, "output-failed"),
    ],
)
def test_reports_that_cannot_be_are_refused_before_the_work(words: tuple[str, ...], status: int, code: str) -> None:
    outcome = run_tool("fit", "absent.csv", *words)
    assert (outcome.status, outcome.out, list(Path().iterdir())) == (status, "", [])
    assert f"error[{code}]" in outcome.err
