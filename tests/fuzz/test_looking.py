"""inspect and fit agree about every table, and show takes any document without falling over."""

import json
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regcli.report.schemas import SCHEMAS
from tests.cli.damages import DAMAGES, Damage
from tests.fuzz.test_bytes import TABLES, often
from tests.fuzz.tool import Outcome, run_tool

#: Options that inspect has too.
SHARED = {
    "--target", "-y", "--features", "--drop", "--categorical", "--na-values", "--delimiter", "--decimal", "--encoding",
    "--no-header", "--input-format",
}  # fmt: skip


def agrees(fitted: Outcome, seen: Outcome, strict: Outcome) -> None:
    """What fit refuses is what inspect finds first, or what keeps it from reading; what fit takes has no error."""
    if fitted.status == 0:
        assert (seen.status, strict.status) == (0, 0), (seen.err, strict.err)
    if seen.status:
        assert (seen.status, seen.err) == (fitted.status, fitted.err)
        assert seen.out == ""
        return
    document = seen.document
    jsonschema.validate(document, SCHEMAS["inspect"])
    refused = [finding["code"] for finding in document["findings"] if finding["severity"] == "error"]
    if fitted.status == 0:
        assert refused == []
    else:
        error = fitted.error
        assert refused[0] == error["code"], (refused, error)
        assert (strict.status, strict.error["code"]) == (fitted.status, error["code"])
        assert strict.out == ""


@often
@given(TABLES, st.sampled_from([(), ("--target", "y"), ("--no-header",), ("--categorical", "*"), ("--drop", "a")]))
def test_inspect_finds_what_fit_refuses(content: bytes, words: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(content)
        fitted = run_tool("fit", path, *words, "--lambda", "0.1", "--json")
        seen, strict = (run_tool("inspect", path, *words, *more, "--json") for more in ((), ("--strict",)))
        if fitted.status == 4:  # the arithmetic, which nobody has tried
            assert seen.status == 0
        else:
            agrees(fitted, seen, strict)
        if seen.status == 0:
            assert run_tool("inspect", path, *words, "-f", "table").status == 0
            assert run_tool("inspect", path, *words, "-f", "csv").status == 0


def known(damage: Damage) -> bool:
    """Whether inspect may be told all that fit is told."""
    return {word for word in damage.options if word.startswith("-")} <= SHARED | {"--lambda", "-l"}


#: Folds are not looked at: how many there are is an option.
CASES = [damage for damage in DAMAGES if known(damage) and damage.status == 3 and damage.code != "bad-folds"]


@pytest.mark.parametrize("damage", CASES, ids=[damage.name for damage in CASES])
def test_inspect_finds_every_damage(damage: Damage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bad = damage.bad.encode() if isinstance(damage.bad, str) else damage.bad
    Path("bad.csv").write_bytes(bad)
    words = list(damage.options)
    for option in ("--lambda", "-l"):
        if option in words:
            del words[words.index(option) : words.index(option) + 2]
    seen = run_tool("inspect", "bad.csv", *words, "--json")
    if seen.status:
        assert (seen.status, seen.error["code"]) == (3, damage.code)
    else:
        assert damage.code in {finding["code"] for finding in seen.document["findings"]}


def test_there_are_cases_enough() -> None:
    assert len(CASES) >= 35


# -- show ------------------------------------------------------------------------------------------------------------

#: From here on a model can be told from other documents.
MODEL = '{"schema": "regcli.model/'

#: What stands in the place of a part of a document.
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 10**400, 1e308, -5e-324, "", "\x1b[2J", "\u202e", "[/b]", "a" * 300, [], {}, [None], [[]],
    {"": 1},
)  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """One document of each kind, as the tool writes it."""
    folder = tmp_path_factory.mktemp("written")
    table, model, metrics = folder / "t.csv", folder / "model.json", folder / "metrics.json"
    cells = ((i * 37 % 101, "uvw"[i % 3], "" if i % 7 == 0 else i % 5, i * 37 % 101 // 9 + i % 3) for i in range(60))
    rows = "".join(",".join(map(str, row)) + "\n" for row in cells)
    table.write_text("a,b,c,y\n" + rows, "utf-8")
    words = ("-y", "y", "--family", "gaussian", "--missing", "median", "--penalty", "elasticnet")
    documents = {
        "fit": run_tool("fit", table, *words, "-m", model, "--json").document,
        "cv": run_tool("cv", table, *words, "--l1-ratio", "0.5,1", "--n-lambdas", "8", "--json").document,
        "path": run_tool("path", table, *words, "--n-lambdas", "8", "--json").document,
        "inspect": run_tool("inspect", table, "--json").document,
        "model": json.loads(model.read_text("utf-8")),
    }
    assert run_tool("predict", model, table, "--metrics-out", metrics).status == 0
    return {**documents, "metrics": json.loads(metrics.read_text("utf-8"))}


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401  (JSON has no type)
    """Every place in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, item in items for place in places(item, (*at, key)))]


def changed(document: dict[str, Any], place: tuple[Any, ...], odd: Any) -> dict[str, Any]:  # noqa: ANN401
    """The document with something else in a place; with nothing there where ``odd`` is Ellipsis."""
    copy: Any = json.loads(json.dumps(document))
    inner = copy
    for key in place[:-1]:
        inner = inner[key]
    if odd is ...:
        del inner[place[-1]]
    else:
        inner[place[-1]] = odd
    return dict(copy)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["fit", "cv", "path", "model", "metrics", "inspect"])
@settings(derandomize=True, deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_documents_changed_anywhere_are_shown_or_refused(
    kind: str, written: dict[str, dict[str, Any]], data: st.DataObject
) -> None:
    document = written[kind]
    place = data.draw(st.sampled_from(places(document)[1:]))
    broken = json.dumps(changed(document, place, data.draw(st.sampled_from((..., *ODD))))).encode()
    form = data.draw(st.sampled_from((("-f", "table"), ("--json",), ("-f", "csv"), ("--equation",))))
    more = ("--no-verify",) if kind == "model" else ()
    shown = run_tool("show", "-", *more, *form, stdin=broken)
    assert shown.status in {0, 2, 3, 5}, (place, shown.err)
    assert (shown.out == "") == (shown.status > 0)
    assert "\x1b" not in shown.out
    assert "\u202e" not in shown.out
    if kind == "model" and place != ("schema",):
        verified = run_tool("show", "-", "--json", stdin=broken)
        assert verified.status == 5 or json.loads(broken) == document


@pytest.mark.parametrize("kind", ["fit", "cv", "path", "model", "metrics", "inspect"])
def test_documents_cut_anywhere_are_refused(kind: str, written: dict[str, dict[str, Any]]) -> None:
    text = json.dumps(written[kind]).encode()
    for size in (*range(40), *range(40, len(text), max(1, len(text) // 20))):
        shown = run_tool("show", "-", "--json", stdin=text[:size])
        assert shown.out == ""
        assert shown.status == (5 if kind == "model" and size >= len(MODEL) else 3), (size, shown.err)
        assert shown.error["code"] in {"document-unreadable", "model-unreadable"}


@settings(often, max_examples=60)  # a picture takes a tenth of a second
@given(st.sampled_from(["fit", "cv", "path", "model"]), st.data())
def test_documents_changed_anywhere_are_drawn_or_refused(
    written: dict[str, dict[str, Any]], kind: str, data: st.DataObject
) -> None:
    document = written[kind]
    place = data.draw(st.sampled_from(places(document)[1:]))
    broken = json.dumps(changed(document, place, data.draw(st.sampled_from([*ODD, ...])))).encode()
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "it.svg"
        drawn = run_tool("show", "-", "--no-verify" if kind == "model" else "--json", "--plot", picture, stdin=broken)
        assert drawn.status in (0, 2, 3, 5), drawn.err
        assert picture.exists() == (drawn.status == 0)
        if drawn.status == 0:
            ET.fromstring(picture.read_bytes())  # noqa: S314  (written by us)
