"""The model file: JSON that holds all that scoring needs, says what it was made from, and can prove itself.

A file carries a content id (a hash of everything in it but the id) and probe rows, made up rather than taken from the
data, with the results the model gave when it was written. Both are checked when it is read.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from regcli import __version__
from regcli.data.derive import DATE_PARTS, NUMBER_FUNCTIONS, derived_columns
from regcli.data.encoder import Encoder, Matrix
from regcli.data.fills import Fills
from regcli.data.lessons import Lessons
from regcli.data.spline import MOST_KNOTS
from regcli.data.table import Column, Levels, Numbers
from regcli.data.terms import OTHER, POLICIES, Factor, Feature, FeatureKind, cross
from regcli.data.words import WEIGHTINGS
from regcli.data.write import write_atomically
from regcli.errors import ModelFileError
from regcli.problem.families import FAMILIES
from regcli.results import Model

__all__ = [
    "MOST_BYTES",
    "PROBE_TOLERANCE",
    "SCHEMA",
    "Probe",
    "Profile",
    "Scorer",
    "StoredModel",
    "model_document",
    "read_model",
    "verified_model",
    "write_model",
]

SCHEMA = "regcli.model/1"

#: Files larger than this are not models: 50 million bytes hold about a million terms.
MOST_BYTES = 200_000_000

#: No model has higher powers: --poly goes up to 10. Nor longer runs of words: --text-ngrams goes up to 5.
MOST_POWERS, MOST_NGRAMS = 10, 5

#: A probe's result may differ by this share of its parts' sizes: products are summed in another order elsewhere.
PROBE_TOLERANCE = 1e-12

Array = NDArray[np.float64]

#: What reading a document of another shape than expected can raise: absent keys, other types, numbers out of range.
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Profile:
    """What the training data looked like, by source column."""

    columns: Mapping[str, Any]
    rows: int


@dataclass(frozen=True)
class StoredModel:
    """Everything a model file is written from."""

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
    profile: Profile | None
    files: tuple[tuple[str, str, int], ...]
    seed: int
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Probe:
    """A made-up row, what the model gave for it when it was written, and the size of what was added up to that."""

    row: Mapping[str, float | str | None]
    link: float
    size: float


@dataclass(frozen=True)
class Scorer:
    """A model as it is read: how to code columns, and the coefficients (p,) of their terms.

    ``target`` and ``weights`` are columns that metrics are made from; scoring does without them. ``probes`` are those
    of a file that was verified.
    """

    encoder: Encoder
    coefs: Array
    intercept: float
    family: str
    link: str
    classes: tuple[str, ...] | None
    positive: str | None
    threshold: float | None
    target: str
    offset: str | None
    exposure: str | None
    weights: str | None
    id: tuple[str, ...]
    missing: str
    na_values: tuple[str, ...]
    mean: float
    content_id: str
    probes: tuple[Probe, ...]

    @property
    def needed(self) -> tuple[str, ...]:
        """Source columns with a nonzero coefficient, in order, then offset and exposure."""
        terms = zip(self.encoder.terms, self.coefs, strict=True)
        used = {source for term, value in terms if value != 0 for source in term.sources}
        names = tuple(source for source in self.encoder.sources if source in used)
        return (*names, *(name for name in (self.offset, self.exposure) if name is not None))

    def eta(self, X: Matrix, offset: Array | float) -> Array:
        """Linear predictor of (r, p) coded rows; columns with coefficient zero play no part.

        Column by column, because the last digits of a matrix product depend on how many rows it has: a row has the
        same prediction alone, in a chunk of any size and in any part of a file that was split.
        """
        eta = np.full(X.shape[0], self.intercept, dtype=np.float64)
        eta += offset
        if not isinstance(X, np.ndarray):  # a product with a sparse matrix by columns goes column by column, too
            eta += X @ self.coefs
            return eta
        for j in np.flatnonzero(self.coefs):
            eta += self.coefs[j] * X[:, j]
        return eta


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
        "profile": None
        if stored.profile is None
        else {"rows": stored.profile.rows, "columns": dict(stored.profile.columns)},
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


def _stored_factor(factor: Factor) -> dict[str, Any]:
    return {
        "column": factor.source,
        "function": factor.function,
        "kind": factor.kind,
        "level": factor.level,
        "power": factor.power,
    }


def content_id(document: Mapping[str, Any]) -> str:
    """SHA-256 of the document without its id, as JSON with sorted keys and no spaces."""
    rest = {key: value for key, value in document.items() if key != "id"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def write_model(path: str, document: Mapping[str, Any]) -> None:
    """Write a document, whole or not at all."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(path, (text + "\n").encode("utf-8", "surrogatepass"))


def read_model(path: str, *, verify: bool = True) -> Scorer:
    """Read a model file and check it.

    Raises
    ------
    ModelFileError
        ``model-unreadable``, ``model-schema``, ``model-altered``.
    """
    return verified_model(path, _load(path), verify=verify)


def verified_model(path: str, document: Mapping[str, Any], *, verify: bool = True) -> Scorer:
    """Check a document that is said to be a model; ``path`` is where it is from, for messages.

    Raises
    ------
    ModelFileError
        ``model-unreadable``, ``model-schema``, ``model-altered``.
    """
    if document.get("schema") != SCHEMA:
        raise ModelFileError(
            "model-schema",
            f"{path!r} has schema {document.get('schema')!r}, not {SCHEMA!r}",
            hint="fit again with this version of regcli, and -m",
        )
    try:
        scorer = _scorer(document)
        if verify:
            scorer = replace(scorer, probes=tuple(_stored_probes(document, scorer)))
            _verify(path, document, scorer)
    except _MALFORMED as error:
        raise _unreadable(f"{path!r} is not a complete model: {error!r}") from error
    return scorer


def _load(path: str) -> dict[str, Any]:
    """Parse bounded JSON."""
    file = Path(path)
    try:
        if file.is_file() and file.stat().st_size > MOST_BYTES:
            raise _unreadable(f"{path!r} is too large for a model")
        text = file.read_bytes().decode("utf-8", "surrogatepass")
    except OSError as error:
        raise _unreadable(f"cannot read {path!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _unreadable(f"{path!r} is not a JSON model") from error
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"{path!r} is not a JSON model: {error}") from error
    if not isinstance(document, dict):
        raise _unreadable(f"{path!r} is not a JSON model")
    return document


def _unreadable(message: str) -> ModelFileError:
    return ModelFileError("model-unreadable", message, hint="regcli fit data.csv -m model.json writes a model")


def _scorer(document: Mapping[str, Any]) -> Scorer:
    """Build the scorer, checking types and sizes on the way."""
    terms = _entries(document["terms"])
    encoder = _encoder(_entries(document["features"]), terms)
    coefs = np.array([_finite(entry["estimate"]) for entry in terms])
    parts = [float(value) * _finite(entry["mean"]) for value, entry in zip(coefs, terms, strict=True)]
    if document["link"] != FAMILIES[document["family"]].link:
        raise ValueError("unknown link")
    classes = document["classes"]
    if FAMILIES[document["family"]].classes and (len(classes) != 2 or document["positive"] not in classes):
        raise ValueError("classes")
    encoder, coefs = _without_idle_words(encoder, coefs)
    return Scorer(
        encoder=encoder,
        coefs=coefs,
        intercept=_finite(document["intercept"]),
        family=document["family"],
        link=document["link"],
        classes=None if classes is None else _words(classes),
        positive=document["positive"],
        threshold=None if document["threshold"] is None else _finite(document["threshold"]),
        target=str(document["target"]),
        offset=_name(document["offset"]),
        exposure=_name(document.get("exposure")),
        weights=_name(document.get("weights")),
        id=_words(document["id_columns"]),
        missing=str(document["missing"]),
        na_values=_words(document["na_values"]),
        mean=_finite(_finite(document["intercept"]) + math.fsum(parts)),
        content_id=str(document.get("id", "")),
        probes=(),
    )


def _without_idle_words(encoder: Encoder, coefs: Array) -> tuple[Encoder, Array]:
    """The same without words whose coefficient is zero, which are most of them: nothing else need be counted."""
    estimates = {term.name: value for term, value in zip(encoder.terms, coefs.tolist(), strict=True)}
    features = tuple(
        replace(feature, coded=tuple(f.level or "" for f in feature.coding if estimates[f.name] != 0))
        if feature.kind == "text"
        else feature
        for feature in encoder.features
    )
    encoder = replace(encoder, features=features)
    return encoder, np.array([estimates[term.name] for term in encoder.terms])


def _encoder(entries: Sequence[Mapping[str, Any]], terms: Sequence[Mapping[str, Any]]) -> Encoder:
    """The encoder: features with their fills, and the products among the terms. All terms must follow from these."""
    features = tuple(_feature(entry) for entry in entries)
    factors = [tuple(_factor(factor) for factor in _entries(entry["factors"])) for entry in terms]
    pairs = tuple(pair for pair in factors if len(pair) != 1)
    coding = {factor for feature in features for factor in feature.coding}
    if len({feature.column for feature in features}) < len(features):
        raise ValueError("a column twice")
    if not all(len(pair) == 2 and coding.issuperset(pair) and pair[0].column != pair[1].column for pair in pairs):
        raise ValueError("a term that is no product of two columns")
    interactions = tuple(term for one, other in pairs for term in cross((one,), (other,)))
    encoder = Encoder(features, interactions, _lessons(features, entries))
    expected = [(term.name, term.factors) for term in encoder.terms]
    if [(entry["term"], found) for entry, found in zip(terms, factors, strict=True)] != expected:
        raise ValueError("terms do not follow from features")
    return encoder


def _feature(entry: Mapping[str, Any]) -> Feature:
    """One feature; the levels that have a term, and whether missing cells have one, are read off the terms' names."""
    function, kind, missing, names = entry["function"], entry["kind"], entry["missing"], _words(entry["terms"])
    if kind not in get_args(FeatureKind) or missing not in POLICIES:
        raise ValueError(f"feature {entry['column']!r}")
    if function is not None and function not in (*DATE_PARTS, *NUMBER_FUNCTIONS):
        raise ValueError(f"function of {entry['column']!r}")
    plain = Feature(
        source=str(entry["column"]),
        kind=kind,
        levels=_words(entry["levels"]),
        boolean=bool(entry["boolean"]),
        missing=missing,
        powers=_count(entry["powers"], MOST_POWERS),
        function=function,
        pooled=_words(entry["pooled"]),
        basis=0 if entry["knots"] is None else len(_knots(entry["knots"])) - 1,
        ngrams=_count(entry["ngrams"], MOST_NGRAMS),
        weighting=entry["weighting"],
    )
    if len({*plain.levels, *plain.pooled}) < len(plain.levels) + len(plain.pooled) or plain.weighting not in WEIGHTINGS:
        raise ValueError(f"levels of {plain.column!r}")
    flag = bool(names) and names[-1] == f"missing({plain.column})"
    feature = replace(plain, coded=_coded(plain, entry, names), flag=flag)
    if names != tuple(term.name for term in feature.terms) or (flag and missing != "indicator"):
        raise ValueError(f"terms of {plain.column!r}")
    return feature


def _coded(plain: Feature, entry: Mapping[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    """The levels or words that have a term."""
    if plain.kind == "text":
        return tuple(map(str, dict(entry["words"])))
    known = set(names)
    every = replace(plain, coded=plain.levels).coding if plain.leveled else ()
    return tuple(factor.level or "" for factor in every if factor.name in known)


def _count(value: object, most: int) -> int:
    """A whole number from 0."""
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"{value!r} is no number from 0 to {most}")
    return value


def _knots(value: object) -> tuple[float, ...]:
    """Knots of a spline, two or more in order."""
    if not isinstance(value, list) or not 2 <= len(value) <= MOST_KNOTS:
        raise TypeError("knots were expected")
    knots = tuple(map(_finite, value))
    if any(left >= right for left, right in pairwise(knots)):
        raise ValueError("knots out of order")
    return knots


def _factor(entry: Mapping[str, Any]) -> Factor:
    """One factor; whether there is such a one is seen when terms are held against features."""
    return Factor(entry["column"], entry["kind"], entry["level"], entry["power"], entry["function"])


def _lessons(features: Sequence[Feature], entries: Sequence[Mapping[str, Any]]) -> Lessons:
    """What training rows taught: fills for every feature whose policy fills, knots, weights of words."""
    numbers, levels, knots, weights = {}, {}, {}, {}
    for feature, entry in zip(features, entries, strict=True):
        name, fill = feature.column, entry["fill"]
        if feature.basis:
            knots[name] = _knots(entry["knots"])
        if feature.kind == "text":
            weights[name] = {word: _finite(entry["words"][word]) for word in feature.coded}
        elif feature.filled and feature.kind == "number":
            numbers[name] = _finite(fill)
        elif feature.filled:
            if set(fill) != set(feature.levels):
                raise ValueError(f"fills of {name!r}")
            levels[name] = {level: _finite(fill[level]) for level in feature.levels}
    return Lessons(Fills(numbers, levels), knots=knots, weights=weights)


def _entries(value: object) -> Sequence[Mapping[str, Any]]:
    """A list of objects."""
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise TypeError("a list of objects was expected")
    return value


def _words(value: object) -> tuple[str, ...]:
    """A list of words."""
    if not isinstance(value, list):
        raise TypeError("a list was expected")
    return tuple(map(str, value))


def _name(value: object) -> str | None:
    """The name of a column, or None."""
    return None if value is None else str(value)


def _finite(value: object) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a number")
    return float(value)


def _verify(path: str, document: Mapping[str, Any], scorer: Scorer) -> None:
    """Hold the content id and the probe rows against the content."""
    if document["id"] != content_id(document):
        raise ModelFileError(
            "model-altered", f"{path!r} was changed after it was written: its content id does not match", hint=_ALTERED
        )
    for probe in scorer.probes:
        found = _probe_eta(scorer, probe.row)
        # "not within" rather than "beyond", so that nan fails
        if not abs(found - probe.link) <= PROBE_TOLERANCE * probe.size:
            raise ModelFileError(
                "model-altered", f"{path!r} gives {found!r} on a probe row, not {probe.link!r}", hint=_ALTERED
            )


_ALTERED = "fit again, or --no-verify to use it as it is"


def _probes(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Made-up rows: all zeros, about one sd from the means one way, and the other way; levels in turn.

    Where cells may be missing there is one more, at the means with all of those missing.
    """
    scorer = _scorer(document)
    features = scorer.encoder.features
    at = {entry["term"]: entry for entry in document["terms"]}
    rows = []
    for which in range(4 if any(feature.filled for feature in features) else 3):
        row: dict[str, Any] = {}
        for feature in features:
            gone = which == 3 and feature.filled
            row[feature.source] = None if gone else _probe_cell(feature, which, at)
        link = _probe_eta(scorer, row)
        if math.isfinite(link):  # powers and products may leave double precision where no row of the data was
            rows.append({"row": row, "link": link})
    return rows


#: Dates of probes: a leap day, the day that days are counted from, one before it, and the mean of none.
_PROBE_DATES = ("2024-02-29", "1970-01-01", "1969-07-20T20:17:40", "2000-01-01")


def _probe_cell(feature: Feature, which: int, at: Mapping[str, Mapping[str, Any]]) -> str | float:
    """The cell of a feature's source in the probe of this number."""
    if feature.function in DATE_PARTS:
        return _PROBE_DATES[which]
    if feature.kind == "text":
        return " ".join(feature.coded[which : which + 3])
    if feature.leveled:
        levels = [level for level in (*feature.levels, *feature.pooled) if level != OTHER]
        return levels[which % len(levels)]
    if feature.function is not None:
        return (0.5, 1.0, 2.0, 1.5)[which]  # where every function of numbers has a value
    entry = at.get(feature.coding[0].name if feature.coding else "", {"mean": 0.0, "sd": 1.0})
    mean, sd = entry["mean"], entry["sd"]
    return float(f"{(0.0, mean + sd, mean - sd, mean)[which]:.6g}")


def _stored_probes(document: Mapping[str, Any], scorer: Scorer) -> Iterator[Probe]:
    """The probe rows, each with what is added up for it: the intercept and the parts of the terms."""
    for entry in _entries(document["probes"]):
        row = {str(key): value for key, value in dict(entry["row"]).items()}
        parts = float(np.abs(_probe_matrix(scorer.encoder, row)) @ np.abs(scorer.coefs))
        link = _finite(entry["link"])
        yield Probe(row, link, max(abs(scorer.intercept) + parts, abs(link)))


def _probe_matrix(encoder: Encoder, row: Mapping[str, Any]) -> Array:
    """One coded row (p,)."""
    columns: dict[str, Column] = {}
    for feature in encoder.features:
        value = row[feature.source]
        gone = value is None and feature.filled
        if feature.kind == "number" and feature.function not in DATE_PARTS:
            columns[feature.source] = Numbers(np.array([math.nan if gone else _finite(value)]))
        else:
            columns[feature.source] = Levels(np.full(1, -1 if gone else 0, dtype=np.int32), (str(value),))
    found = encoder.matrix(derived_columns(columns, encoder.derived), np.zeros(1, dtype=np.intp))
    return (found if isinstance(found, np.ndarray) else found.toarray())[0]


def _probe_eta(scorer: Scorer, row: Mapping[str, Any]) -> float:
    """The linear predictor of a probe row, offset zero."""
    return float(scorer.eta(_probe_matrix(scorer.encoder, row)[None], 0.0)[0])
