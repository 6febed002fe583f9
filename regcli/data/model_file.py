"""The model file: JSON that holds all that scoring needs, says what it was made from, and can prove itself.

A file carries a content id (a hash of everything in it but the id) and probe rows, made up rather than taken from the
data, with the results the model gave when it was written. Both are checked when it is read.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from regcli import __version__
from regcli.data.encoder import Encoder
from regcli.data.lessons import Lessons
from regcli.data.model_read import SCHEMA, content_id, probe_eta, probe_matrix, scorer_of
from regcli.data.scorer import StoredPath
from regcli.data.terms import DATE_PARTS, OTHER, Factor, Feature
from regcli.data.write import write_atomically
from regcli.results import Model

__all__ = ["StoredModel", "model_document", "write_model"]


@dataclass(frozen=True)
class StoredModel:
    """Everything a model file is written from.

    ``idle`` columns of the training table play no part in the model and are left out of it.
    """

    model: Model
    encoder: Encoder
    target: str
    offset: str | None
    exposure: str | None
    weights: str | None
    id: tuple[str, ...]
    categorical: tuple[str, ...]
    missing: str
    na_values: tuple[str, ...]
    profile: Mapping[str, Any] | None
    files: tuple[tuple[str, str, int], ...]
    seed: int
    options: Mapping[str, object]
    path: StoredPath | None = None
    idle: int = 0


def model_document(stored: StoredModel) -> dict[str, Any]:
    """The document, with probes and content id."""
    model, facts = stored.model, stored.model.facts
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "regcli": __version__,
        "id": "",
        "family": facts.family,
        "link": facts.link,
        "classes": None if facts.classes is None else list(facts.classes),
        "positive": facts.positive,
        "threshold": model.threshold,
        "target": stored.target,
        "offset": stored.offset,
        "exposure": stored.exposure,
        "weights": stored.weights,
        "id_columns": list(stored.id),
        "penalty": facts.penalty,
        "l1_ratio": facts.l1_ratio,
        "lambda": facts.lam,
        "standardize": facts.standardize,
        "compat": facts.compat,
        "missing": stored.missing,
        "na_values": list(stored.na_values),
        "intercept": model.intercept,
        "idle": stored.idle,
        "features": [_stored_feature(feature, stored.encoder.lessons) for feature in stored.encoder.features],
        "terms": [
            {
                "term": term.name,
                "factors": [_stored_factor(factor) for factor in term.factors],
                "estimate": float(value),
                "mean": facts.mean,
                "sd": facts.sd,
                "penalty_factor": facts.penalty_factor,
            }
            for term, facts, value in zip(stored.encoder.terms, model.terms, model.coefs, strict=True)
        ],
        "path": None if stored.path is None else _stored_path(stored.path, stored.encoder),
        "profile": stored.profile,
        "provenance": {
            "files": [{"path": path, "sha256": digest, "rows": rows} for path, digest, rows in stored.files],
            "seed": stored.seed,
            "options": dict(stored.options),
        },
        "probes": [],
    }
    document["probes"] = _probes(document)
    document["id"] = content_id(document)
    return document


def _stored_feature(feature: Feature, lessons: Lessons) -> dict[str, Any]:
    """One column: how it becomes terms, and what is put where its cell is missing."""
    name, fill = feature.column, None
    if feature.filled and feature.kind != "text":
        number = feature.kind == "number"
        fill = lessons.fills.numbers[name] if number else dict(lessons.fills.levels[name])
    return {
        "column": feature.source,
        "function": feature.function,
        "kind": feature.kind,
        "levels": list(feature.levels),
        "pooled": list(feature.pooled),
        "boolean": feature.boolean,
        "powers": feature.powers,
        "knots": list(lessons.knots[name]) if feature.basis else None,
        "words": dict(lessons.weights[name]) if feature.kind == "text" else None,
        "ngrams": feature.ngrams,
        "weighting": feature.weighting,
        "missing": feature.missing,
        "fill": fill,
        "terms": [term.name for term in feature.terms],
    }


def _stored_path(path: StoredPath, encoder: Encoder) -> dict[str, Any]:
    """The path, with the names of its terms."""
    terms = encoder.terms
    return {
        "lambdas": path.lambdas.tolist(),
        "intercepts": (path.intercepts + 0.0).tolist(),
        "coefficients": [
            {"term": terms[at].name, "values": (path.coefs[:, column] + 0.0).tolist()}
            for column, at in enumerate(path.places)
        ],
    }


def _stored_factor(factor: Factor) -> dict[str, Any]:
    return {
        "column": factor.source,
        "function": factor.function,
        "kind": factor.kind,
        "level": factor.level,
        "power": factor.power,
    }


def write_model(path: str, document: Mapping[str, Any]) -> None:
    """Write a document, whole or not at all."""
    write_atomically(path, (_lines(document) + "\n").encode("utf-8", "surrogatepass"))


#: Members of members of members are on one line, and so is what is in a list.
_DEPTH = 3


def _lines(value: object, depth: int = 0) -> str:
    """A value as JSON: an entry a line."""
    inner, outer = "\n" + "  " * (depth + 1), "\n" + "  " * depth
    if depth < _DEPTH and value and isinstance(value, Mapping):
        members = (f"{_line(str(key))}: {_lines(member, depth + 1)}" for key, member in value.items())
        return "{" + inner + f",{inner}".join(members) + outer + "}"
    if depth < _DEPTH and value and isinstance(value, list) and isinstance(value[0], Mapping):
        return "[" + inner + f",{inner}".join(map(_line, value)) + outer + "]"
    return _line(value)


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _probes(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Made-up rows: all zeros, about one sd from the means one way, and the other way; levels in turn.

    Where cells may be missing there is one more, at the means with all of those missing.
    """
    scorer = scorer_of(document)
    features = scorer.encoder.features
    at = {entry["term"]: entry for entry in document["terms"]}
    rows = []
    for which in range(4 if any(feature.filled for feature in features) else 3):
        row: dict[str, Any] = {}
        for feature in features:
            gone = which == 3 and feature.filled
            row[feature.source] = None if gone else _probe_cell(feature, which, at)
        link = probe_eta(scorer, row)
        # Powers and products may leave double precision where no row of the data was, and no date of theirs may have
        # been in the month of the probe's: predict would refuse that, also where no month counts.
        known = not scorer.encoder.derived or bool(np.isfinite(probe_matrix(scorer.encoder, row)).all())
        if math.isfinite(link) and known:
            rows.append({"row": row, "link": link})
    return rows


#: Dates of probes: a leap day, the day that days are counted from, one before it, and the mean of none.
_PROBE_DATES = ("2024-02-29", "1970-01-01", "1969-07-20T20:17:40", "2000-01-01")


def _probe_cell(feature: Feature, which: int, at: Mapping[str, Mapping[str, Any]]) -> str | float:
    """The cell of a feature's source in the probe of this number."""
    if feature.function in DATE_PARTS:
        return _PROBE_DATES[which]
    if feature.kind == "text":
        return " ".join(feature.coded[which : which + 3]) or "nothing"  # an empty cell would be a missing one
    if feature.leveled:
        levels = [level for level in (*feature.levels, *feature.pooled) if level != OTHER]
        return levels[which % len(levels)]
    if feature.function is not None:
        return (0.5, 1.0, 2.0, 1.5)[which]  # where every function of numbers has a value
    entry = at.get(feature.coding[0].name if feature.coding else "", {"mean": 0.0, "sd": 1.0})
    mean, sd = entry["mean"], entry["sd"]
    return float(f"{(0.0, mean + sd, mean - sd, mean)[which]:.6g}")
