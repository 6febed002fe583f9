"""What two documents can be compared by: one side of a comparison, whatever kind of document it is from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from regcli.app.encodings import Setting, settings_of
from regcli.errors import UsageError
from regcli.problem.metrics import THRESHOLD

__all__ = ["Estimate", "Side", "side_of", "term_of"]

Document = Mapping[str, Any]
Metrics = Mapping[str, Mapping[str, float | None]]

#: What a model is, beside its numbers.
_FACTS = ("family", "link", "classes", "positive", "penalty", "l1_ratio", "standardize", "compat")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A coefficient on the scale of the data, and per standard deviation of its column where that is known."""

    value: float
    std: float | None


@dataclass(frozen=True)
class Side:
    """A model, fit or cv: its chosen model. A check or metrics: what was measured. A path has ``strengths`` alone.

    ``metrics`` are by part (cv, test, train, null; the empty name for metrics of new rows). ``terms`` and ``selected``
    are None where the document has no model. ``settings`` are what changes predictions beside ``facts`` and terms: of
    models all of it, of fits and paths what was asked for.
    """

    path: str
    kind: str
    id: str | None
    facts: Mapping[str, object]
    rows: int | None
    numbers: Mapping[str, float | None] = field(default_factory=dict)
    intercept: float | None = None
    terms: Mapping[str, Estimate] | None = None
    selected: tuple[str, ...] | None = None
    metrics: Metrics = field(default_factory=dict)
    path_document: Document | None = None
    settings: tuple[Setting, ...] = ()


def side_of(document: Document, path: str) -> Side:
    """The side that a document makes.

    Raises
    ------
    UsageError
        ``unknown-option-value``: a document of this kind has nothing to compare.
    """
    kind = str(document["schema"]).removeprefix("regcli.").partition("/")[0]
    makers = {"model": _model, "fit": _fit, "cv": _fit, "path": _path, "check": _scored, "metrics": _scored}
    if kind not in makers:
        text = f"{path} is a document of kind {kind}, which has nothing to compare"
        raise UsageError("unknown-option-value", text, hint="a model, or what fit, cv, path or check wrote")
    return makers[kind](document, path, kind)


def _model(document: Document, path: str, kind: str) -> Side:
    terms = {
        str(entry["term"]): Estimate(entry["estimate"], entry["estimate"] * entry["sd"])
        for entry in document["terms"]
        if entry["estimate"]
    }
    used = {factor["column"] for entry in document["terms"] if entry["estimate"] for factor in entry["factors"]}
    columns = dict.fromkeys(feature["column"] for feature in document["features"])
    profile = document["profile"]
    return Side(
        path=path,
        kind=kind,
        id=document["id"],
        facts={key: document[key] for key in (*_FACTS, "target", "offset", "exposure", "weights")},
        rows=None if profile is None else profile["rows"],
        numbers={"lambda": document["lambda"]},
        intercept=document["intercept"],
        terms=terms,
        selected=tuple(column for column in columns if column in used),
        settings=(Setting("threshold", document["threshold"]), *settings_of(document)),
    )


def _fit(document: Document, path: str, kind: str) -> Side:
    model, data = document["model"], document["data"]
    terms = {
        term_of(entry): Estimate(entry["estimate"], entry["std_estimate"])
        for entry in document["coefficients"]
        if entry["estimate"]
    }
    parts = {part: _plain(scores) for part, scores in document["metrics"].items() if scores is not None}
    curve = {key: document[key] for key in ("lambda_min", "lambda_1se")} if kind == "cv" else {}
    return Side(
        path=path,
        kind=kind,
        id=None,
        facts=_facts(model, data),
        rows=data["rows_used"],
        numbers={"lambda": model["lambda"], **curve},
        intercept=document["intercept"],
        terms=terms,
        selected=tuple(document["selected"]),
        metrics=parts,
        settings=(_threshold(document), *_asked(document)),
    )


def _path(document: Document, path: str, kind: str) -> Side:
    data, count = document["data"], len(document["lambdas"])
    curves = [
        document["deviance_ratio"],
        *(row["values"] for row in (*document["intercepts"], *document["coefficients"])),
    ]
    if not document["intercepts"] or any(len(curve) != count for curve in curves):
        raise ValueError("lists of different lengths")
    facts = _facts(document["model"], data)
    return Side(
        path=path,
        kind=kind,
        id=None,
        facts=facts,
        rows=data["rows_used"],
        path_document=document,
        settings=tuple(_asked(document)),
    )


def _threshold(document: Document) -> Setting:
    """The probability from which a fit calls rows positive."""
    asked = document["options"].get("threshold")
    usual = None if document["model"]["classes"] is None else THRESHOLD
    return Setting("threshold", usual if asked is None else asked)


def _asked(document: Document) -> tuple[Setting, ...]:
    """What was asked for of missing cells, which the document does not say otherwise."""
    options = document["options"]
    return tuple(Setting(f"--{name.replace('_', '-')}", options.get(name)) for name in ("missing", "na_values"))


def _scored(document: Document, path: str, kind: str) -> Side:
    model = document.get("model", {})
    metrics = {} if document["metrics"] is None else {"": _plain(document["metrics"])}
    facts = {key: model[key] for key in ("family", "link", "target") if key in model}
    return Side(path=path, kind=kind, id=model.get("id"), facts=facts, rows=document["rows"], metrics=metrics)


def _facts(model: Document, data: Document) -> dict[str, object]:
    return {
        **{key: model[key] for key in _FACTS},
        **{key: data[key] for key in ("target", "offset", "exposure", "weights")},
    }


def term_of(entry: Document) -> str:
    """A term's name, with the output it is for where there are several."""
    return str(entry["term"]) if entry["output"] is None else f"{entry['output']}: {entry['term']}"


def _plain(scores: Mapping[str, float | bool | None]) -> dict[str, float | None]:
    """Metrics alone, without what is said about them."""
    return {name: value for name, value in scores.items() if not isinstance(value, bool)}
