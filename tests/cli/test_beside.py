"""Several documents in one picture: a panel each, one scale for what can be compared, titles that tell apart."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from regcli.report.beside import MOST_DOCUMENTS, several
from regcli.report.panels import Panel
from regcli.report.plots import draw
from tests.cli.drawings import Drawing
from tests.cli.test_plots import CANCER, DIABETES, refused, run
from tests.fuzz.tool import run_tool


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents of every kind that can be drawn."""
    place = tmp_path_factory.mktemp("made")
    run("path", *DIABETES, "-o", place / "lasso.json")
    run("path", *DIABETES, "--penalty", "l2", "-o", place / "ridge.json")
    run("cv", *DIABETES, "-o", place / "cv.json", "-m", place / "model.json")
    run("cv", *DIABETES, "--penalty", "elasticnet", "--l1-ratio", "0.5", "-o", place / "net.json")
    run("fit", *DIABETES, "--rule", "1se", "-o", place / "fit.json")
    run("fit", *CANCER, "-l", "0.05", "-o", place / "cancer.json")
    return place


def read(made: Path, *names: str) -> list[tuple[str, dict[str, Any]]]:
    return [(f"{name}.json", json.loads((made / f"{name}.json").read_text("utf-8"))) for name in names]


def axes(drawing: Drawing) -> list[ET.Element]:
    """The panels: the upper edges with counts are axes too, which have no title."""
    found = [node for node in drawing.root.iter("g") if node.get("id", "").startswith("axes_")]
    return [node for node in found if any(".json" in (text.text or "") for text in node.iter("text"))]


def ticks(place: ET.Element, which: str) -> dict[str, float]:
    """Where the labelled ticks of an axis are, from the first on."""
    found = [tick for axis in place for tick in axis if tick.get("id", "").startswith(f"{which}tick_")]
    at = {str(next(tick.iter("text")).text): float(next(tick.iter("use")).get(which, "")) for tick in found}
    first = next(iter(at.values()))
    return {label: value - first for label, value in at.items()}


def test_two_paths_have_one_scale_and_titles_that_tell_apart(made: Path, tmp_path: Path) -> None:
    run("show", made / "lasso.json", made / "ridge.json", "--plot", tmp_path / "two.svg", "-f", "names")
    drawing = Drawing(tmp_path / "two.svg")
    one, two = axes(drawing)
    assert ticks(one, "y") == pytest.approx(ticks(two, "y"), abs=1e-3)
    assert ticks(one, "x") != ticks(two, "x")
    assert drawing.texts.count("coefficient (per standard deviation)") == 2
    assert {"lasso.json", "path · lasso", "ridge.json", "path · ridge"} <= set(drawing.texts)
    assert "gaussian → progression · 442 rows · diabetes.csv" in drawing.texts


def test_a_term_has_one_colour_in_every_panel(made: Path) -> None:
    first, second = several(read(made, "lasso", "ridge")).panels
    ranks = [{line.name: line.rank for line in panel.lines} for panel in (first, second)]
    assert ranks[0] == ranks[1]
    assert sorted(ranks[0].values()) == list(range(10))


def test_six_documents_of_four_kinds(made: Path, tmp_path: Path) -> None:
    names = ("lasso", "cv", "net", "fit", "model", "cancer")
    run("show", *(made / f"{name}.json" for name in names), "--plot", tmp_path / "six.svg", "-f", "table")
    drawing = Drawing(tmp_path / "six.svg")
    panels = axes(drawing)
    assert len(panels) == 6
    assert {f"{name}.json" for name in names} <= set(drawing.texts)
    assert [panel.scale for panel in several(read(made, *names)).panels].count("") == 0
    again = tmp_path / "again.svg"
    run("show", *(made / f"{name}.json" for name in names), "--plot", again, "-f", "table")
    assert again.read_bytes() == (tmp_path / "six.svg").read_bytes()


def bars_of(panel: Panel) -> Mapping[str, float]:
    assert panel.bars is not None
    return dict(zip(panel.bars.names, panel.bars.values.tolist(), strict=True))


def test_bars_are_of_the_same_terms_and_true(made: Path) -> None:
    documents = read(made, "fit", "cv")
    fits = [documents[0], ("cv-as-fit.json", {**documents[1][1], "schema": "regcli.fit/1"})]
    panels = several(fits).panels
    first, second = map(bars_of, panels)
    assert list(first) == list(second)
    for (_, document), found in zip(fits, (first, second), strict=True):
        expected = {row["term"]: row["std_estimate"] for row in document["coefficients"]}
        assert {name: value for name, value in found.items() if value} == pytest.approx(expected)
    largest = [max(abs(first[name]), abs(second[name])) for name in first]
    assert largest == sorted(largest, reverse=True)


def test_other_targets_keep_their_own_scale(made: Path) -> None:
    one, two, three = several(read(made, "fit", "model", "cancer")).panels
    assert one.scale == two.scale != three.scale


def test_what_differs_is_in_the_panels_and_what_does_not_in_the_title(made: Path) -> None:
    picture = several(read(made, "cv", "net"))
    assert picture.title == "gaussian → progression · 442 rows · diabetes.csv"
    told = [panel.title.split("\n") for panel in picture.panels]
    assert told[0][0] == "cv.json"
    assert told[0][1].startswith("cross-validation · lasso · λ = ")
    assert told[1][1] == "cross-validation · elastic net (l1_ratio 0.5)"  # no line is wider than a panel
    assert told[1][2].startswith("λ = ")


def test_titles_and_notes_have_lines_of_their_own(made: Path) -> None:
    """What does not fit above a panel is broken between facts; notes do not stand in its way."""
    pairs = [(name, one) for name, (_, one) in zip("abcd", read(made, "fit", "cv", "cancer", "lasso"), strict=True)]
    many = json.loads(json.dumps(pairs[0][1]))
    row = many["coefficients"][0]
    many["coefficients"] = [{**row, "term": f"term {at}"} for at in range(60)]
    pairs[0] = ("a", many)
    picture = several(pairs)
    assert all(len(line) <= 46 for panel in picture.panels for line in panel.title.split("\n"))
    assert picture.panels[0].bars is not None
    assert len(picture.panels[0].bars.names) == 20  # above each other they have to be read
    text = draw(picture, "svg").decode()
    assert "and 40 more" in text


def test_files_of_one_name_are_told_apart_by_their_folders(made: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "it.json").write_bytes((made / "fit.json").read_bytes())
    pairs = [(f"{folder}/it.json", read(made, "fit")[0][1]) for folder in ("a", "b")]
    assert [panel.title.split("\n")[0] for panel in several(pairs).panels] == ["a/it.json", "b/it.json"]


def test_one_document_is_drawn_as_by_itself(made: Path, tmp_path: Path) -> None:
    run("show", made / "cv.json", "--plot", tmp_path / "one.svg", "-f", "json")
    run("cv", *DIABETES, "--plot", tmp_path / "two.svg", "--json")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_hostile_names_are_drawn_as_they_are(tmp_path: Path, made: Path) -> None:
    name = "$x^2$ <b>&\x1b[2J.json"
    (tmp_path / name).write_bytes((made / "fit.json").read_bytes())
    run("show", tmp_path / name, made / "fit.json", "--plot", tmp_path / "it.svg", "-f", "table")
    assert "$x^2$ <b>&\\x1b[2J.json" in Drawing(tmp_path / "it.svg").texts


def test_what_cannot_be_drawn_beside_others_is_refused(made: Path, tmp_path: Path) -> None:
    run("inspect", DIABETES[0], "-o", tmp_path / "it.json")
    picture = tmp_path / "it.svg"
    assert refused("show", made / "fit.json", tmp_path / "it.json", "--plot", picture) == (2, "option-without-effect")
    many = [made / "fit.json"] * (MOST_DOCUMENTS + 1)
    assert refused("show", *many, "--plot", picture) == (2, "conflicting-options")
    broken = json.loads((made / "lasso.json").read_text("utf-8"))
    broken["coefficients"][0]["values"].pop()
    (tmp_path / "broken.json").write_text(json.dumps(broken), "utf-8")
    outcome = run_tool("show", made / "lasso.json", tmp_path / "broken.json", "--plot", picture, "-f", "md")
    assert (outcome.status, f"at {tmp_path / 'broken.json'}" in outcome.err) == (3, True)
    assert not picture.exists()


def test_all_zero_models_have_panels(tmp_path: Path) -> None:
    run("fit", *DIABETES, "-l", "1000", "-o", tmp_path / "none.json")
    picture = several(read(tmp_path, "none", "none"))
    assert all(panel.bars is not None and not np.any(panel.bars.values) for panel in picture.panels)
    run("show", tmp_path / "none.json", tmp_path / "none.json", "--plot", tmp_path / "it.png", "-f", "table")
