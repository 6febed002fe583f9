"""The model file: what is written is read back, and nothing that is not a model gets past the reader."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from regcli.data.encoder import Encoder
from regcli.data.fills import Fills
from regcli.data.lessons import Lessons
from regcli.data.model_file import StoredModel, model_document, write_model
from regcli.data.model_read import content_id, read_model
from regcli.data.table import Column, Levels, Numbers
from regcli.data.terms import Factor, Feature, Mark, cross
from regcli.errors import ModelFileError
from regcli.report.schemas import SCHEMAS
from regcli.results import Model, ModelFacts, TermFacts
from tests.dense import coded
from tests.tolerances import EXACT

Document = dict[str, Any]
SOURCE: Mark = "source"
SIBLING: Mark = "sibling"
COLUMN: Mark = "column"
Change = Callable[[Document], object]

FEATURES = (
    Feature("size", "number"),
    Feature("colour", "category", ("blue", "green", "red"), ("blue", "green", "red")),
    Feature("new", "category", ("False", "True"), ("True",), boolean=True),
)
COEFS = np.array([0.25, 0.0, -1.5, 1e-3, 2.0])

#: The same with missing cells, powers and an interaction; names with a colon and a caret in them.
FILLED = Encoder(
    (
        Feature("size:2", "number", missing="indicator", powers=3, flag=True),
        Feature("k", "number", missing="indicator", powers=0, flag=True),
        Feature("colour", "category", ("blue", "green", "red"), ("green", "red"), missing="mean"),
        Feature("x^2", "number", missing="drop"),
    ),
    cross([Factor("colour", "level", "red"), Factor("colour", "level", "green")], [Factor("size:2", "value")]),
    Lessons(Fills({"size:2": 1.5, "k": 0.1}, {"colour": {"blue": 0.5, "green": 0.125, "red": 0.375}})),
)


#: What files of earlier versions hold: missing cells are told by a term of every column that is made of another; and
#: what is written now.
EACH, ONCE = (
    Encoder(
        (
            Feature("when", "number", missing="indicator", flag=True, function="year", mark=first),
            Feature("when", "number", missing="indicator", flag=True, function="days", mark=second),
        ),
        lessons=Lessons(Fills({"year(when)": 2020.0, "days(when)": 18262.0})),
    )
    for first, second in ((COLUMN, COLUMN), (SOURCE, SIBLING))
)


def profile(encoder: Encoder) -> Document:
    """Ten rows, two of them with a missing cell in every column that is filled."""
    columns: Document = {}
    for feature in encoder.features:
        missing = 2 if feature.filled else 0
        tail = {"missing": missing, "missing_rate": missing / 10}
        if feature.kind == "category":
            columns[feature.column] = {"levels": dict.fromkeys(feature.levels, 2), **tail}
            continue
        marks = [float(mark) for mark in range(11)]
        named = dict(zip(("min", "q1", "median", "q3", "max"), (0.0, 2.5, 5.0, 7.5, 10.0), strict=True))
        columns[feature.column] = {**named, "quantiles": marks, "mean": 5.0, "sd": 3.0, "counts": None, **tail}
    target = {"classes": None, "mean": 1.0, "sd": 2.0, "quantiles": [0.0] * 11}
    return {"rows": 10, "columns": columns, "target": target}


def stored(family: str = "gaussian", encoder: Encoder | None = None) -> StoredModel:
    binomial, encoder = family == "binomial", encoder or Encoder(FEATURES)
    facts = ModelFacts(
        family=family, family_source="option", link="logit" if binomial else "identity",
        classes=("no", "yes") if binomial else None, positive="yes" if binomial else None,
        penalty="l1", l1_ratio=1.0, lam=0.1, lambda_as=None, lambda_max=1.0, rule=None,
        standardize="all", intercept=True, compat=None,
    )  # fmt: skip
    described = profile(encoder)
    if binomial:
        described["target"] = {"classes": {"no": 4, "yes": 6}, "mean": None, "sd": None, "quantiles": None}
    terms = tuple(TermFacts(term.name, term.sources, 1.0, 0.5, 2.0) for term in encoder.terms)
    coefs = np.resize(COEFS, len(terms))
    return StoredModel(
        model=Model(facts, terms, -3.0, coefs, 0.5 if binomial else None), encoder=encoder, target="y",
        offset="exposure", exposure=None, weights="w", id=("who",), categorical=("colour",),
        missing="error", na_values=("", "NA"),
        profile=described, files=(("a.csv", "0" * 64, 10),), seed=1, options={"lambdas": "0.1"},
    )  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "model.json")


def changed(path: str, change: Change, *, signed: bool = True, encoder: Encoder | None = None) -> None:
    """Write a model with a change; ``signed`` gives it the content id that belongs to it."""
    document = json.loads(json.dumps(model_document(stored(encoder=encoder))))
    change(document)
    if signed:
        document["id"] = content_id(document)
    Path(path).write_text(json.dumps(document), encoding="utf-8")


def refusal(path: str) -> str:
    with pytest.raises(ModelFileError) as caught:
        read_model(path)
    return caught.value.code


@pytest.mark.parametrize("family", ["gaussian", "binomial"])
def test_a_model_comes_back_as_it_was(path: str, family: str) -> None:
    written = stored(family)
    write_model(path, model_document(written))
    scorer = read_model(path)
    assert scorer.encoder == written.encoder
    assert np.array_equal(scorer.coefs, COEFS)
    assert (scorer.intercept, scorer.family, scorer.target, scorer.offset) == (-3.0, family, "y", "exposure")
    assert scorer.weights == "w"
    assert (scorer.id, scorer.missing, scorer.na_values) == (("who",), "error", ("", "NA"))
    assert scorer.classes == written.model.facts.classes
    assert (scorer.positive, scorer.threshold) == (written.model.facts.positive, written.model.threshold)
    assert scorer.mean == pytest.approx(-3.0 + 0.5 * COEFS.sum(), rel=EXACT)
    assert scorer.needed == ("size", "colour", "new", "exposure")


def test_a_model_that_fills_comes_back_as_it_was(path: str) -> None:
    document = model_document(stored(encoder=FILLED))
    jsonschema.validate(document, SCHEMAS["model"])
    write_model(path, document)
    scorer = read_model(path)
    assert scorer.encoder == FILLED
    assert [term.name for term in scorer.encoder.terms][-2:] == ["colour=red:size:2", "colour=green:size:2"]
    assert [entry["row"] for entry in document["probes"]][-1] == {"size:2": None, "k": None, "colour": None, "x^2": 0.5}
    assert scorer.needed == ("size:2", "k", "colour", "x^2", "exposure")


@pytest.mark.parametrize(
    ("encoder", "terms"),
    [
        (EACH, ["year(when)", "missing(year(when))", "days(when)", "missing(days(when))"]),
        (ONCE, ["year(when)", "missing(when)", "days(when)"]),
    ],
)
def test_missing_cells_are_told_once_or_as_earlier_versions_did(path: str, encoder: Encoder, terms: list[str]) -> None:
    document = model_document(stored(encoder=encoder))
    jsonschema.validate(document, SCHEMAS["model"])
    assert [entry["term"] for entry in document["terms"]] == terms
    write_model(path, document)
    scorer = read_model(path)
    assert scorer.encoder == encoder
    assert scorer.needed == ("when", "exposure")


def test_a_missing_cell_is_what_the_model_learnt(path: str) -> None:
    write_model(path, model_document(stored(encoder=FILLED)))
    columns: dict[str, Column] = {
        "size:2": Numbers(np.array([np.nan, 2.0])),
        "k": Numbers(np.array([np.nan, 7.0])),
        "colour": Levels(np.array([-1, 0], dtype=np.int32), ("red",)),
        "x^2": Numbers(np.array([1.0, np.nan])),
    }
    X = coded(read_model(path).encoder, columns, np.arange(2))
    filled = [1.5, 2.25, 3.375, 1.0, 1.0, 0.125, 0.375, 1.0, 0.375 * 1.5, 0.125 * 1.5]
    assert X[0].tolist() == filled
    assert X[1, :7].tolist() == [2.0, 4.0, 8.0, 0.0, 0.0, 0.0, 1.0]
    assert np.isnan(X[1, 7])


def test_it_scores_as_the_model_did(path: str) -> None:
    write_model(path, model_document(stored()))
    scorer = read_model(path)
    columns: dict[str, Column] = {
        "size": Numbers(np.array([1.0, 2.0])),
        "colour": Levels(np.array([1, 0], dtype=np.int32), ("green", "red")),
        "new": Levels(np.array([0, 1], dtype=np.int32), ("TRUE", "false")),
    }
    X = coded(scorer.working.encoder, columns, np.arange(2))
    assert scorer.working.eta(X, 10.0).tolist() == pytest.approx([-3 + 10 + 0.25 + 1e-3 + 2.0, -3 + 10 + 0.5 - 1.5])


def test_columns_without_a_coefficient_are_not_needed(path: str) -> None:
    def without(document: Document) -> None:
        for entry in document["terms"]:
            entry["estimate"] = 0.0
        document["probes"] = []

    changed(path, without)
    assert read_model(path).needed == ("exposure",)


def test_any_text_survives(path: str) -> None:
    changed(path, lambda document: document.update(target="\x1b[2J \udc80 é \u202e \n"))
    assert read_model(path).target == "\x1b[2J \udc80 é \u202e \n"


def test_half_of_a_character_cannot_be_written_and_is_refused(path: str) -> None:
    changed(path, lambda document: document.update(target="\ud800"), signed=False)
    assert refusal(path) == "model-unreadable"


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(intercept=-3.000001),
        lambda document: document["terms"][0].update(estimate=0.5),
        lambda document: document.update(target="z"),
        lambda document: document.update(more=1),
        lambda document: document.update(id="sha256:0"),
        lambda document: document.update(id=None),
    ],
)
def test_what_was_changed_is_told(path: str, change: Change) -> None:
    changed(path, change, signed=False)
    assert refusal(path) == "model-altered"
    read_model(path, verify=False)


@pytest.mark.parametrize(
    "row",
    [
        {"size": 1.0, "colour": "red", "new": "True"},  # another result
        {"size": 1.0, "colour": "violet", "new": "True"},  # a level that is not known gives no result at all
    ],
)
def test_a_probe_that_gives_something_else_is_told(path: str, row: Document) -> None:
    changed(path, lambda document: document.update(probes=[{"row": row, "link": 5.0}]))
    assert refusal(path) == "model-altered"


def test_another_schema_is_told(path: str) -> None:
    for schema in ("regcli.model/2", None, 1, ["regcli.model/1"]):
        changed(path, lambda document, schema=schema: document.update(schema=schema))  # type: ignore[misc]
        assert refusal(path) == "model-schema"
    for schema, way in (("regcli.model/2", "fit again"), ("regcli.fit/1", "models are what -m of fit writes")):
        changed(path, lambda document, schema=schema: document.update(schema=schema))  # type: ignore[misc]
        with pytest.raises(ModelFileError) as caught:
            read_model(path)
        assert (caught.value.hint or "").startswith(way)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_told(path: str, share: float) -> None:
    write_model(path, model_document(stored()))
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[: int(share * (len(content) - 2))])
    assert refusal(path) == "model-unreadable"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00", b"x,y\n1,2\n", b"[]", b"null", b"5", b'"text"', b"[" * 100_000, b'{"a":' * 100_000,
        b'{"schema": "regcli.model/1"}', b'{"schema": "regcli.model/1", "intercept": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_what_is_no_model_is_told(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)
    assert refusal(path) == "model-unreadable"


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert refusal(str(tmp_path / "absent.json")) == "model-unreadable"
    assert refusal(str(tmp_path)) == "model-unreadable"


def test_a_file_that_is_too_large_is_not_read(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_model(path, model_document(stored()))
    monkeypatch.setattr("regcli.data.model_json.MOST_BYTES", 100)
    assert refusal(path) == "model-unreadable"


def hostile() -> list[tuple[str, object]]:
    """Every member replaced by something of another kind, and more values for those that are used."""
    members = [
        "family", "link", "classes", "positive", "threshold", "target", "offset", "id_columns", "missing", "na_values",
        "intercept", "features", "terms", "profile", "probes",
    ]  # fmt: skip
    others: list[object] = [None, True, 5, 10**400, float("nan"), float("inf"), "text", [], [1], {}, {"a": 1}, [[[]]]]
    return [(member, other) for member in members for other in others]


@pytest.mark.parametrize(("member", "value"), hostile())
def test_members_of_another_kind_never_crash(path: str, member: str, value: object) -> None:
    def replace(document: Document) -> None:
        document[member] = value

    try:
        changed(path, replace)
    except ValueError:  # nan and inf have no content id
        changed(path, replace, signed=False)
    for verify in (True, False):
        with suppress(ModelFileError):
            read_model(path, verify=verify)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(intercept=10**400),
        lambda document: document.update(intercept="1"),
        lambda document: document.update(link="logit"),
        lambda document: document.update(id_columns="who"),
        lambda document: document.update(probes=5),
        lambda document: document.update(probes=[{}]),
        lambda document: document.update(probes=[{"row": [1], "link": 1.0}]),
        lambda document: document.update(probes=[{"row": {}, "link": 1.0}]),
        lambda document: document["terms"][0].update(estimate=True),
        lambda document: document["terms"][0].update(mean=None),
        lambda document: document["terms"][0].update(term="other"),
        lambda document: document["terms"].pop(),
        lambda document: document["features"].pop(),
        lambda document: document["features"][0].update(kind=["number"]),
        lambda document: document["features"][1].update(levels=7),
        lambda document: document["features"][1].update(terms=["colour=violet"]),
        lambda document: [entry.update(estimate=1e308, mean=1e308) for entry in document["terms"]],
    ],
)
def test_parts_that_do_not_belong_together_are_told(path: str, change: Change) -> None:
    changed(path, change)
    assert refusal(path) == "model-unreadable"


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["features"][0].update(fill=None),
        lambda document: document["features"][0].update(fill={"blue": 0.5}),
        lambda document: document["features"][0].update(fill=10**400),
        lambda document: document["features"][0].update(powers=2),
        lambda document: document["features"][0].update(powers=11),
        lambda document: document["features"][0].update(powers=True),
        lambda document: document["features"][0].update(powers="3"),
        lambda document: document["features"][0].update(missing="mean"),
        lambda document: document["features"][0].update(missing="guess"),
        lambda document: document["features"][0].pop("missing"),
        lambda document: document["features"][0].pop("fill"),
        lambda document: document["features"][2].update(fill=0.5),
        lambda document: document["features"][2]["fill"].pop("red"),
        lambda document: document["features"][2]["fill"].update(violet=0.5),
        lambda document: document["features"][2]["fill"].update(red="1"),
        lambda document: document["features"][2].update(levels=["blue", "green", "red", "red"]),
        lambda document: document["features"][1].update(column="colour", terms=["missing(colour)"]),
        lambda document: document["terms"][-1].update(factors=[]),
        lambda document: document["terms"][-1].update(factors=5),
        lambda document: document["terms"][-1]["factors"].pop(),
        lambda document: document["terms"][-1]["factors"].reverse(),
        lambda document: document["terms"][-1]["factors"][0].update(level="blue"),
        lambda document: document["terms"][-1]["factors"][0].update(level=["red"]),
        lambda document: document["terms"][-1]["factors"][1].update(power=2),
        lambda document: document["terms"][-1]["factors"][1].update(column="colour"),
        lambda document: document["terms"][0]["factors"][0].update(power=2),
        lambda document: document["terms"][0].update(term="size"),
        lambda document: document["probes"][-1]["row"].update({"x^2": None}),
        lambda document: document["probes"][-1]["row"].pop("k"),
    ],
)
def test_what_is_learnt_about_missing_cells_is_checked(path: str, change: Change) -> None:
    changed(path, change, encoder=FILLED)
    assert refusal(path) == "model-unreadable"


@pytest.mark.parametrize(("at", "fill"), [(0, 1.75), (2, {"blue": 0.5, "green": 0.25, "red": 0.25})])
def test_a_fill_that_was_changed_fails_its_probe(path: str, at: int, fill: object) -> None:
    changed(path, lambda document: document["features"][at].update(fill=fill), encoder=FILLED)
    assert refusal(path) == "model-altered"


def test_numbers_that_json_does_not_have_are_told(path: str) -> None:
    changed(path, lambda document: document.update(profile=float("nan")), signed=False)
    assert refusal(path) == "model-unreadable"


@pytest.mark.parametrize("depth", range(100, 1200, 100))
def test_nesting_of_any_depth_never_crashes(path: str, depth: int) -> None:
    text = json.dumps(model_document(stored()))
    Path(path).write_text(text[:-1] + ', "more": ' + "[" * depth + "]" * depth + "}", encoding="utf-8")
    assert refusal(path) in ("model-unreadable", "model-altered")


def test_the_content_id_depends_on_content_alone() -> None:
    document = model_document(stored())
    turned = dict(reversed(document.items()))
    assert content_id(turned) == document["id"]
    assert content_id({**document, "id": "other"}) == document["id"]
    assert content_id({**document, "target": "z"}) != document["id"]


def test_a_row_has_the_same_predictor_in_any_company(path: str) -> None:
    write_model(path, model_document(stored()))
    scorer = read_model(path).working
    X = np.asfortranarray(np.random.default_rng(4).normal(size=(501, scorer.coefs.size)))
    offset = np.linspace(0.0, 1.0, len(X))
    whole = scorer.eta(X, offset)
    for rows in (1, 3, 8, 100):
        for start in (0, 1, 333):
            part = slice(start, start + rows)
            assert np.array_equal(scorer.eta(X[part], offset[part]), whole[part])


def test_a_model_from_before_weights_were_kept_has_none(path: str) -> None:
    changed(path, lambda document: document.pop("weights"))
    assert read_model(path).weights is None


def test_an_unreadable_model_has_a_way_out(path: str) -> None:
    Path(path).write_text("[]", encoding="utf-8")
    with pytest.raises(ModelFileError) as caught:
        read_model(path)
    assert "-m model.json" in (caught.value.hint or "")
