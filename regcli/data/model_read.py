"""Read a model file back: every member checked for its type, its range and whether it belongs to the others."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from regcli.data.derive import NUMBER_FUNCTIONS, derived_columns
from regcli.data.encoder import Encoder
from regcli.data.fills import Fills
from regcli.data.lessons import Lessons
from regcli.data.model_json import (
    MALFORMED,
    count_of,
    entries_of,
    flag_of,
    load,
    name_of,
    number_of,
    numbers_of,
    object_of,
    text_of,
    texts_of,
    unreadable,
)
from regcli.data.scorer import Probe, Scorer, StoredPath
from regcli.data.spline import MOST_KNOTS, basis_of
from regcli.data.table import Column, Levels, Numbers
from regcli.data.terms import DATE_PARTS, MOST_NGRAMS, MOST_POWERS, POLICIES, Factor, Feature, FeatureKind, Mark, cross
from regcli.data.training import read_profile
from regcli.data.words import WEIGHTINGS
from regcli.errors import Location, ModelFileError
from regcli.problem.families import FAMILIES

__all__ = [
    "PROBE_TOLERANCE",
    "SCHEMA",
    "content_id",
    "probe_eta",
    "probe_matrix",
    "read_model",
    "scorer_of",
    "verified_model",
]

SCHEMA = "regcli.model/1"

#: A probe's result may differ by this share of its parts' sizes: products are summed in another order elsewhere.
PROBE_TOLERANCE = 1e-12

Array = NDArray[np.float64]

_ALTERED = "fit again, or --no-verify to use it as it is"


def content_id(document: Mapping[str, Any]) -> str:
    """SHA-256 of the document without its id, as JSON with sorted keys and no spaces."""
    rest = {key: value for key, value in document.items() if key != "id"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def read_model(path: str, *, verify: bool = True) -> Scorer:
    """Read a model file and check it.

    Types, ranges, order and what belongs together are always checked; ``verify`` also holds content id and probe rows
    against the content.

    Raises
    ------
    ModelFileError
        ``model-unreadable``, ``model-schema``, ``model-altered``.
    """
    return verified_model(path, load(path), verify=verify)


def verified_model(path: str, document: Mapping[str, Any], *, verify: bool = True) -> Scorer:
    """Check a document that is said to be a model; ``path`` is where it is from, for messages.

    Raises
    ------
    ModelFileError
        ``model-unreadable``, ``model-schema``, ``model-altered``.
    """
    schema = document.get("schema")
    if schema != SCHEMA:
        result = isinstance(schema, str) and schema.startswith("regcli.") and not schema.startswith("regcli.model/")
        raise ModelFileError(
            "model-schema",
            f"{path!r} has schema {schema!r:.80}, not {SCHEMA!r}",
            where=Location(path),
            hint="models are what -m of fit writes" if result else "fit again with this version of regcli, and -m",
        )
    try:
        content = content_id(document)
        same = isinstance(document["id"], str) and text_of(document, "id") == content
        if verify and not same:
            text = f"{path!r} was changed after it was written: its content id does not match"
            raise ModelFileError("model-altered", text, hint=_ALTERED)
        scorer = scorer_of(document, content, altered=not same)
        if verify:
            scorer = replace(scorer, probes=tuple(_stored_probes(document, scorer)))
            _hold_probes(path, scorer)
    except MALFORMED as error:
        raise unreadable(f"{path!r} is not a complete model: {_told(error)}", path) from error
    return scorer


def _told(error: Exception) -> str:
    """What is wrong with a model, for a message."""
    if isinstance(error, KeyError):
        return f"it has no {str(error.args[0])!r:.80}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def scorer_of(document: Mapping[str, Any], content: str = "", *, altered: bool = False) -> Scorer:
    """Build the scorer, checking types, ranges and what belongs together on the way."""
    terms = entries_of(document, "terms")
    encoder = _encoder(entries_of(document, "features"), terms)
    coefs = np.array([number_of(entry, "estimate") for entry in terms])
    parts = [value * _moments(entry) for value, entry in zip(coefs.tolist(), terms, strict=True)]
    family = FAMILIES.get(text_of(document, "family"))
    if family is None or document["link"] != family.link:
        raise ValueError("family and link")
    classes = texts_of(document, "classes") if family.classes else None
    _check_facts(document, classes)
    place = {term.name: at for at, term in enumerate(encoder.terms)}
    whole, path = encoder, document.get("path")
    encoder, coefs = _without_idle_words(whole, coefs) if path is None else (whole, coefs)
    profile = document.get("profile")
    return Scorer(
        encoder=encoder,
        coefs=coefs,
        intercept=number_of(document, "intercept"),
        family=family.name,
        link=family.link,
        classes=classes,
        positive=name_of(document, "positive"),
        threshold=None if document["threshold"] is None else number_of(document, "threshold"),
        target=text_of(document, "target"),
        offset=name_of(document, "offset"),
        exposure=name_of({"exposure": None, **document}, "exposure"),
        weights=name_of({"weights": None, **document}, "weights"),
        id=texts_of(document, "id_columns"),
        missing=text_of(document, "missing"),
        na_values=texts_of(document, "na_values"),
        mean=_finite_sum([number_of(document, "intercept"), *parts]),
        lam=number_of(document, "lambda"),
        content_id=content,
        profile=None if profile is None else read_profile(object_of(document, "profile"), whole.features, classes),
        path=None if path is None else _path(object_of(document, "path"), place),
        altered=altered,
    )


def _moments(entry: Mapping[str, Any]) -> float:
    """The mean of a term, its sd and penalty factor checked as well."""
    if number_of(entry, "sd") < 0 or number_of(entry, "penalty_factor") < 0:
        raise ValueError(f"sd or penalty factor of {entry['term']!r}")
    return number_of(entry, "mean")


def _finite_sum(parts: list[float]) -> float:
    total = math.fsum(parts)
    if not math.isfinite(total):
        raise ValueError("coefficients and means are beyond double precision")
    return total


def _check_facts(document: Mapping[str, Any], classes: tuple[str, ...] | None) -> None:
    """Check what scoring does not need, or only together: a file that is wrong in one thing is not to be trusted."""
    positive, threshold = document["positive"], document["threshold"]
    if classes is None:
        together = document["classes"] is None and positive is None and threshold is None
    else:
        together = len(set(classes)) == len(classes) == 2 and positive in classes
        together = together and 0.0 <= number_of(document, "threshold") <= 1.0
    if not together:
        raise ValueError("classes, positive and threshold do not belong together")
    ratio = document["l1_ratio"]
    if number_of(document, "lambda") < 0 or (ratio is not None and not 0.0 <= number_of(document, "l1_ratio") <= 1.0):
        raise ValueError("lambda or l1_ratio is out of range")
    words = {
        "penalty": ("none", "l1", "l2", "elasticnet"),
        "standardize": ("all", "numeric", "none"),
        "missing": POLICIES,
        "compat": ("glmnet", None),
    }
    for key, known in words.items():
        if document[key] not in known:
            raise ValueError(f"{key}: there is no {document[key]!r:.80}")
    text_of(document, "regcli")
    count_of(document, "idle")
    provenance = object_of(document, "provenance")
    for entry in entries_of(provenance, "files"):
        text_of(entry, "path")
        text_of(entry, "sha256")
        count_of(entry, "rows")
    object_of(provenance, "options")
    if type(provenance["seed"]) is not int:
        raise TypeError("seed is not an integer")
    for probe in entries_of(document, "probes"):
        object_of(probe, "row")
        number_of(probe, "link")


def _path(document: Mapping[str, Any], place: Mapping[str, int]) -> StoredPath:
    """The models along the path."""
    lambdas, intercepts = (np.array(numbers_of(document, key)) for key in ("lambdas", "intercepts"))
    if not lambdas.size or intercepts.size != lambdas.size or (np.diff(lambdas) >= 0).any() or lambdas[-1] < 0:
        raise ValueError("path: strengths must decrease, with an intercept for each")
    entries = entries_of(document, "coefficients")
    names = [text_of(entry, "term") for entry in entries]
    values = [numbers_of(entry, "values") for entry in entries]
    if len(set(names)) < len(names) or not all(name in place for name in names):
        raise ValueError("path: terms do not fit the model")
    if any(len(part) != lambdas.size for part in values):
        raise ValueError("path: coefficients do not fit the strengths")
    coefs = np.array(values).T if values else np.zeros((lambdas.size, 0))
    return StoredPath(lambdas, intercepts, coefs, np.array([place[name] for name in names], dtype=np.intp))


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
    """The encoder: features with their lessons, and the products among the terms. All terms must follow from these."""
    features = _with_siblings([_feature(entry) for entry in entries])
    factors = [tuple(_factor(factor) for factor in entries_of(entry, "factors")) for entry in terms]
    pairs = tuple(pair for pair in factors if len(pair) != 1)
    coding = {factor for feature in features for factor in feature.coding}
    if len({feature.column for feature in features}) < len(features):
        raise ValueError("a column twice")
    if not all(len(pair) == 2 and coding.issuperset(pair) and pair[0].column != pair[1].column for pair in pairs):
        raise ValueError("a term that is no product of two columns")
    interactions = tuple(term for one, other in pairs for term in cross((one,), (other,)))
    encoder = Encoder(features, interactions, _lessons(features, entries))
    expected = [(term.name, term.factors) for term in encoder.terms]
    if [(text_of(entry, "term"), found) for entry, found in zip(terms, factors, strict=True)] != expected:
        raise ValueError("terms do not follow from features")
    if len({term.name for term in encoder.terms}) < len(terms):
        raise ValueError("a term twice")
    return encoder


def _feature(entry: Mapping[str, Any]) -> Feature:
    """One feature; the levels that have a term, and whether missing cells have one, are read off the terms' names."""
    function, missing, names = name_of(entry, "function"), text_of(entry, "missing"), texts_of(entry, "terms")
    kind: Any = text_of(entry, "kind")
    if kind not in get_args(FeatureKind) or missing not in POLICIES:
        raise ValueError(f"feature {entry['column']!r:.80}")
    if function is not None and function not in (*DATE_PARTS, *NUMBER_FUNCTIONS):
        raise ValueError(f"function of {entry['column']!r:.80}")
    plain = Feature(
        source=text_of(entry, "column"),
        kind=kind,
        levels=texts_of(entry, "levels"),
        boolean=flag_of(entry, "boolean"),
        missing=missing,
        powers=_small(entry, "powers", MOST_POWERS),
        function=function,
        pooled=texts_of(entry, "pooled"),
        basis=0 if entry["knots"] is None else basis_of(_knots(entry)),
        ngrams=_small(entry, "ngrams", MOST_NGRAMS),
        weighting=text_of(entry, "weighting"),
    )
    if len({*plain.levels, *plain.pooled}) < len(plain.levels) + len(plain.pooled) or plain.weighting not in WEIGHTINGS:
        raise ValueError(f"levels of {plain.column!r}")
    if bool(plain.levels) != plain.leveled or (plain.kind == "text") != (entry["words"] is not None):
        raise ValueError(f"levels or words of {plain.column!r}")
    if plain.basis and (plain.kind != "number" or plain.powers):
        raise ValueError(f"knots of {plain.column!r}")
    marks: dict[str, Mark] = {replace(plain, mark=mark).indicator.name: mark for mark in ("column", "source")}
    mark = marks.get(names[-1]) if names else None
    flag = mark is not None
    feature = replace(plain, coded=_coded(plain, entry, names), flag=flag, mark=mark or "source")
    if names != tuple(term.name for term in feature.terms) or (flag and missing != "indicator"):
        raise ValueError(f"terms of {plain.column!r}")
    return feature


def _with_siblings(features: Sequence[Feature]) -> tuple[Feature, ...]:
    """Features, those told whose missing cells are told by the term of another one of their source."""
    told = {feature.source for feature in features if feature.flag and feature.mark == "source"}
    return tuple(
        replace(feature, flag=True, mark="sibling")
        if feature.source in told and feature.missing == "indicator" and not feature.flag
        else feature
        for feature in features
    )


def _coded(plain: Feature, entry: Mapping[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    """The levels or words that have a term."""
    if plain.kind == "text":
        return texts_of({"words": list(object_of(entry, "words"))}, "words")
    known = set(names)
    every = replace(plain, coded=plain.levels).coding if plain.leveled else ()
    return tuple(factor.level or "" for factor in every if factor.name in known)


def _small(entry: Mapping[str, Any], key: str, most: int) -> int:
    """A whole number from 0 to a bound."""
    if count_of(entry, key) > most:
        raise ValueError(f"{key} is above {most}")
    return count_of(entry, key)


def _knots(entry: Mapping[str, Any]) -> tuple[float, ...]:
    """Knots of a spline in order: one or two, where quantiles coincided, are those of a straight line."""
    knots = numbers_of(entry, "knots")
    if not 1 <= len(knots) <= MOST_KNOTS or any(left >= right for left, right in pairwise(knots)):
        raise ValueError("knots out of order, or too many or too few")
    return knots


def _factor(entry: Mapping[str, Any]) -> Factor:
    """One factor; whether there is such a one is seen when terms are held against features."""
    kind: Any = text_of(entry, "kind")
    level, function = name_of(entry, "level"), name_of(entry, "function")
    return Factor(text_of(entry, "column"), kind, level, count_of(entry, "power"), function)


def _lessons(features: Sequence[Feature], entries: Sequence[Mapping[str, Any]]) -> Lessons:
    """What training rows taught: fills for every feature whose policy fills, knots, weights of words."""
    numbers, levels, knots, weights = {}, {}, {}, {}
    for feature, entry in zip(features, entries, strict=True):
        name = feature.column
        if feature.basis:
            knots[name] = _knots(entry)
        if feature.kind == "text":
            weights[name] = {word: number_of(object_of(entry, "words"), word) for word in feature.coded}
        if not feature.filled or feature.kind == "text":
            if entry["fill"] is not None:
                raise ValueError(f"{name!r} is not filled, but has a fill")
        elif feature.kind == "number":
            numbers[name] = number_of(entry, "fill")
        else:
            fill = object_of(entry, "fill")
            if set(fill) != set(feature.levels):
                raise ValueError(f"fills of {name!r}")
            levels[name] = {level: number_of(fill, level) for level in feature.levels}
    return Lessons(Fills(numbers, levels), knots=knots, weights=weights)


def _stored_probes(document: Mapping[str, Any], scorer: Scorer) -> Iterator[Probe]:
    """The probe rows, each with what is added up for it: the intercept and the parts of the terms that count."""
    working, used = scorer.working, scorer.working.coefs != 0
    for entry in entries_of(document, "probes"):
        row, link = object_of(entry, "row"), number_of(entry, "link")
        parts = float(np.abs(probe_matrix(working.encoder, row)[used]) @ np.abs(working.coefs[used]))
        yield Probe(row, link, max(abs(scorer.intercept) + parts, abs(link)))


def _hold_probes(path: str, scorer: Scorer) -> None:
    """Hold the probe rows against the content."""
    for probe in scorer.probes:
        found = probe_eta(scorer, probe.row)
        # "not within" rather than "beyond", so that nan fails
        if not abs(found - probe.link) <= PROBE_TOLERANCE * probe.size:
            raise ModelFileError(
                "model-altered", f"{path!r} gives {found!r} on a probe row, not {probe.link!r}", hint=_ALTERED
            )


def probe_matrix(encoder: Encoder, row: Mapping[str, Any]) -> Array:
    """One coded row (p,)."""
    columns: dict[str, Column] = {}
    for feature in encoder.features:
        value = row[feature.source]
        gone = value is None and feature.filled
        if feature.reads_numbers:
            columns[feature.source] = Numbers(np.array([math.nan if gone else number_of(row, feature.source)]))
        else:
            columns[feature.source] = Levels(np.full(1, -1 if gone else 0, dtype=np.int32), (str(value),))
    found = encoder.matrix(derived_columns(columns, encoder.derived), np.zeros(1, dtype=np.intp))
    return (found if isinstance(found, np.ndarray) else found.toarray())[0]


def probe_eta(scorer: Scorer, row: Mapping[str, Any]) -> float:
    """The linear predictor of a probe row, offset zero."""
    return float(scorer.working.eta(probe_matrix(scorer.working.encoder, row)[None], 0.0)[0])
