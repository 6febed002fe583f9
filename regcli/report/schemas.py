"""JSON Schema (2020-12) of the documents regcli writes.

Every key is required and no other is allowed; null stands where the contract says "does not apply". An additive change
of a document changes its schema here and keeps its number.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from regcli.errors import CODES, NOTE_CODES, WARNING_CODES, UsageError

__all__ = ["NAMES", "SCHEMAS", "codes", "schema_document"]

Schema = Mapping[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_document(name: str) -> Schema | list[dict[str, Any]]:
    """The schema of a document by its short name, or for ``codes`` the list of codes.

    Raises
    ------
    UsageError
        There is no schema of this name.
    """
    if name == "codes":
        return codes()
    if name in SCHEMAS:
        return SCHEMAS[name]
    near = get_close_matches(name, NAMES, n=2)
    raise UsageError("unknown-schema", f"no schema {name!r}", near=near, hint=f"one of {', '.join(NAMES)}")


def codes() -> list[dict[str, Any]]:
    """Every code: its kind, its exit status (of a warning under --strict, of a note of inspect's none), its meaning."""
    both = (("error", CODES), ("warning", WARNING_CODES))
    stopping = [
        {"kind": kind, "code": code, "exit_code": status, "meaning": meaning}
        for kind, table in both
        for code, (status, meaning) in table.items()
    ]
    notes = [
        {"kind": "note", "code": code, "exit_code": None, "meaning": meaning} for code, meaning in NOTE_CODES.items()
    ]
    return stopping + notes


def _object(**properties: Schema) -> Schema:
    """An object with these keys, all of them, and no others. A trailing underscore is not part of a key."""
    keys = {key.removesuffix("_"): value for key, value in properties.items()}
    return {"type": "object", "properties": keys, "required": list(keys), "additionalProperties": False}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    kind = schema.get("type")
    if isinstance(kind, str) and "enum" not in schema:
        return {**schema, "type": [kind, "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _words(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


def _document(name: str, properties: Mapping[str, Schema]) -> Schema:
    title = f"regcli.{name}/1"
    return {"$schema": _DIALECT, "title": title, **_object(schema={"const": title}, **properties)}


_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_NUMBER: Schema = {"type": "number"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TEXTS = _list(_TEXT)
_COUNTS = _list(_COUNT)
_NUMBERS = _list(_NUMBER)
_NUMBERS_OR_NULLS = _list(_or_null(_NUMBER))
_FORMAT = _words("csv", "parquet", "jsonl", "feather", "svm", "npz", "mtx")
_FAMILY = _words("gaussian", "binomial", "poisson")

_STRENGTH: Schema = {"type": "number", "minimum": 0}
_STRENGTHS = _list(_STRENGTH)
_SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}

_DATA = _object(
    files=_list(_object(path=_TEXT, sha256=_SHA256, rows=_COUNT)),
    format=_FORMAT,
    target=_TEXT,
    target_source=_TEXT,
    rows=_COUNT,
    rows_used=_COUNT,
    rows_dropped=_object(missing=_COUNT, missing_target=_COUNT),
    weights=_or_null(_TEXT),
    offset=_or_null(_TEXT),
    exposure=_or_null(_TEXT),
)

_LAMBDA_AS = _object(
    glmnet=_or_null(_NUMBER),
    sklearn_alpha=_or_null(_NUMBER),
    sklearn_ridge_alpha=_or_null(_NUMBER),
    sklearn_C=_or_null(_NUMBER),
    liblinear_C=_or_null(_NUMBER),
)

_MODEL = _object(
    family=_FAMILY,
    family_source=_TEXT,
    link=_TEXT,
    classes=_or_null(_TEXTS),
    positive=_or_null(_TEXT),
    penalty=_words("none", "l1", "l2", "elasticnet"),
    l1_ratio=_or_null({"type": "number", "minimum": 0, "maximum": 1}),
    lambda_=_or_null(_STRENGTH),
    lambda_as=_or_null(_LAMBDA_AS),
    lambda_max=_or_null(_STRENGTH),
    rule=_or_null(_words("min", "1se", "aic", "bic", "ebic")),
    standardize=_words("all", "numeric", "none"),
    intercept=_FLAG,
    compat=_or_null(_words("glmnet")),
)

_TERM: Mapping[str, Schema] = {"term": _TEXT, "sources": _TEXTS, "output": _or_null(_TEXT)}

_DROPPED = _list(_object(column=_TEXT, reason=_TEXT))

_METRICS: Schema = {"type": "object", "additionalProperties": _or_null(_NUMBER)}

_CV_METRICS: Schema = {
    **_METRICS,
    "properties": {"chosen_on_these_folds": _FLAG},
    "required": ["chosen_on_these_folds"],
}

_CONVERGENCE = _object(
    converged=_FLAG,
    status=_TEXT,
    iterations=_COUNT,
    violation=_or_null(_NUMBER),
    violation_source=_or_null(_TEXT),
    gap=_or_null(_NUMBER),
)

#: Why a path may end early.
_REASONS = ("deviance", "deviance_change", "cv_turned", "max_seconds")

_STOPPED = _or_null(_object(reason=_or_null(_words(*_REASONS)), at=_COUNT, of=_COUNT))

#: A warning carries further keys: the counts and names it is about.
_WARNINGS = _list(
    {"type": "object", "properties": {"code": _TEXT, "message": _TEXT}, "required": ["code", "message"]},
)

#: What --assert asked for; ``values`` are what the names in it stand for.
_CHECKS = _list(_object(check=_TEXT, passed=_FLAG, values={"type": "object"}))

_TAIL: Mapping[str, Schema] = {
    "checks": _CHECKS,
    "warnings": _WARNINGS,
    "seed": {"type": "integer"},
    "options": {"type": "object"},
}

_HEAD: Mapping[str, Schema] = {"regcli": _TEXT, "data": _DATA, "model": _MODEL}

_FIT: Mapping[str, Schema] = {
    **_HEAD,
    "intercept": _or_null(_NUMBER),
    "intercepts": _list(_object(output=_or_null(_TEXT), estimate=_NUMBER)),
    "coefficients": _list(
        _object(**_TERM, estimate=_NUMBER, std_estimate=_or_null(_NUMBER), penalty_factor=_or_null(_NUMBER))
    ),
    "selected": _TEXTS,
    "n_selected": _COUNT,
    "n_nonzero": _COUNT,
    "n_features": _COUNT,
    "n_terms": _COUNT,
    "dropped": _DROPPED,
    "metrics": _object(
        cv=_or_null(_CV_METRICS), test=_or_null(_METRICS), train=_or_null(_METRICS), null=_or_null(_METRICS)
    ),
    "validation": _or_null(
        _object(scheme=_words("kfold", "stratified", "group", "time", "loo", "column"), folds=_COUNT, repeats=_COUNT)
    ),
    "criterion": _or_null(_object(name=_words("aic", "bic", "ebic"), value=_NUMBER, df=_NUMBER)),
    "convergence": _CONVERGENCE,
    **_TAIL,
}

_CV: Mapping[str, Schema] = {
    **_FIT,
    "metric": _TEXT,
    "lambdas": _STRENGTHS,
    "mean": _NUMBERS_OR_NULLS,
    "se": _NUMBERS_OR_NULLS,
    "fold_scores": _or_null(_list(_NUMBERS_OR_NULLS)),
    "fold_weights": _NUMBERS,
    "n_nonzero_path": _COUNTS,
    "lambda_min": _or_null(_STRENGTH),
    "lambda_1se": _or_null(_STRENGTH),
    "index_min": _or_null(_COUNT),
    "index_1se": _or_null(_COUNT),
    "grid": _list(
        _object(
            l1_ratio=_or_null(_NUMBER),
            lambdas=_STRENGTHS,
            mean=_NUMBERS_OR_NULLS,
            se=_NUMBERS_OR_NULLS,
            n_nonzero=_COUNTS,
            lambda_min=_or_null(_STRENGTH),
            lambda_1se=_or_null(_STRENGTH),
        )
    ),
    "criterion_path": _or_null(_NUMBERS_OR_NULLS),
    "df_path": _or_null(_NUMBERS),
    "stopped": _STOPPED,
}

_PATH: Mapping[str, Schema] = {
    **_HEAD,
    "lambdas": _STRENGTHS,
    "intercepts": _list(_object(output=_or_null(_TEXT), values=_NUMBERS)),
    "coefficients": _list(_object(**_TERM, penalty_factor=_or_null(_NUMBER), values=_NUMBERS)),
    "n_nonzero": _COUNTS,
    "n_selected": _COUNTS,
    "n_features": _COUNT,
    "n_terms": _COUNT,
    "deviance_ratio": _NUMBERS_OR_NULLS,
    "violation": _NUMBERS_OR_NULLS,
    "stopped": _STOPPED,
    "dropped": _DROPPED,
    **_TAIL,
}

_POLICY = _words("error", "drop", "mean", "median", "indicator")

#: What a missing cell becomes: a number, by level what its 0/1 column gets, or null where it is not filled.
_FILL: Schema = {"anyOf": [_NUMBER, {"type": "object", "additionalProperties": _NUMBER}, {"type": "null"}]}

#: A term is the product of its factors: a column to a power, a level or a step as 0 or 1, whether the cell is missing,
#: a function of a spline, counts of a word.
_FACTOR = _object(
    column=_TEXT,
    function=_or_null(_TEXT),
    kind=_words("value", "level", "missing", "step", "spline", "word"),
    level=_or_null(_TEXT),
    power={"type": "integer", "minimum": 1},
)

_DECILES: Schema = {"type": "array", "items": _NUMBER, "minItems": 11, "maxItems": 11}

_ABSENT: Mapping[str, Schema] = {"missing": _COUNT, "missing_rate": {"type": "number", "minimum": 0, "maximum": 1}}

#: A column in the training rows: numbers, a category, or a column without any cell.
_TRAINED: Schema = {
    "anyOf": [
        _object(
            **dict.fromkeys(("min", "q1", "median", "q3", "max"), _NUMBER),
            quantiles=_DECILES,
            mean=_NUMBER,
            sd={"type": "number", "minimum": 0},
            **_ABSENT,
        ),
        _object(levels={"type": "object", "additionalProperties": _COUNT}, **_ABSENT),
        _object(**_ABSENT),
    ]
}

_STORED: Mapping[str, Schema] = {
    "regcli": _TEXT,
    "id": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
    "family": _FAMILY,
    "link": _words("identity", "logit", "log"),
    "classes": _or_null(_TEXTS),
    "positive": _or_null(_TEXT),
    "threshold": _or_null({"type": "number", "minimum": 0, "maximum": 1}),
    "target": _TEXT,
    "offset": _or_null(_TEXT),
    "exposure": _or_null(_TEXT),
    "weights": _or_null(_TEXT),
    "id_columns": _TEXTS,
    "penalty": _words("none", "l1", "l2", "elasticnet"),
    "l1_ratio": _or_null({"type": "number", "minimum": 0, "maximum": 1}),
    "lambda": _STRENGTH,
    "standardize": _words("all", "numeric", "none"),
    "compat": _or_null(_words("glmnet")),
    "missing": _POLICY,
    "na_values": _TEXTS,
    "intercept": _NUMBER,
    "idle": _COUNT,
    "features": _list(
        _object(
            column=_TEXT,
            function=_or_null(_TEXT),
            kind=_words("number", "category", "ordinal", "text"),
            levels=_TEXTS,
            pooled=_TEXTS,
            boolean=_FLAG,
            powers=_COUNT,
            knots=_or_null(_list(_NUMBER)),
            words=_or_null({"type": "object", "additionalProperties": _NUMBER}),
            ngrams=_COUNT,
            weighting=_words("count", "binary", "tfidf"),
            missing=_POLICY,
            fill=_FILL,
            terms=_TEXTS,
        )
    ),
    "terms": _list(
        _object(
            term=_TEXT,
            factors=_list(_FACTOR),
            estimate=_NUMBER,
            mean=_NUMBER,
            sd=_NUMBER,
            penalty_factor=_NUMBER,
        )
    ),
    "path": _or_null(
        _object(lambdas=_STRENGTHS, intercepts=_NUMBERS, coefficients=_list(_object(term=_TEXT, values=_NUMBERS)))
    ),
    "profile": _or_null(
        _object(
            rows=_COUNT,
            columns={"type": "object", "additionalProperties": _TRAINED},
            target=_object(
                classes=_or_null({"type": "object", "additionalProperties": _COUNT}),
                mean=_or_null(_NUMBER),
                sd=_or_null(_NUMBER),
                quantiles=_or_null(_DECILES),
            ),
        )
    ),
    "provenance": _object(
        files=_list(_object(path=_TEXT, sha256=_SHA256, rows=_COUNT)),
        seed={"type": "integer"},
        options={"type": "object"},
    ),
    "probes": _list(_object(row={"type": "object"}, link=_NUMBER)),
}

#: A scorer as data, written by export. A row's linear predictor is the intercept, the offset, the logarithm of the
#: exposure, and the estimate of every term times its factors. A factor is ``fill`` where its cell is missing. A row has
#: no result where a ``required`` cell is missing or a cell is none of the levels of a ``closed`` category.
_EXPORTED: Mapping[str, Schema] = {
    "model": _TEXT,
    "target": _TEXT,
    "family": _FAMILY,
    "link": _words("identity", "logit", "log"),
    "classes": _or_null(_TEXTS),
    "positive": _or_null(_TEXT),
    "threshold": _or_null({"type": "number", "minimum": 0, "maximum": 1}),
    "offset": _or_null(_TEXT),
    "exposure": _or_null(_TEXT),
    "na_values": _TEXTS,
    "inputs": _list(
        _object(
            column=_TEXT,
            kind=_words("number", "category"),
            levels=_TEXTS,
            pooled=_TEXTS,
            knots=_NUMBERS,
            boolean=_FLAG,
            required=_FLAG,
            closed=_FLAG,
        )
    ),
    "intercept": _NUMBER,
    "terms": _list(
        _object(
            term=_TEXT,
            estimate=_NUMBER,
            factors=_list(
                _object(
                    column=_TEXT,
                    kind=_words("value", "level", "missing", "step", "spline"),
                    level=_or_null(_TEXT),
                    power={"type": "integer", "minimum": 1},
                    fill=_or_null(_NUMBER),
                )
            ),
        )
    ),
    "probes": _list(_object(row={"type": "object"}, link=_NUMBER)),
}
#: In what new data are not as a model expects: a code of errors or warnings, and the first such cell.
_VIOLATIONS = _list(
    _object(
        code=_TEXT,
        column=_or_null(_TEXT),
        severity=_words("error", "warning"),
        count=_COUNT,
        share={"type": "number", "minimum": 0, "maximum": 1},
        first=_object(file=_or_null(_TEXT), line=_or_null(_COUNT), row=_or_null(_COUNT), cell=_or_null(_TEXT)),
        expected=_TEXT,
        training_share=_or_null(_NUMBER),
        below=_or_null(_COUNT),
        above=_or_null(_COUNT),
        levels=_or_null(_list(_object(level=_TEXT, count=_COUNT))),
        message=_TEXT,
    )
)

#: Metrics of new rows, written by predict: of how many rows, the column they were weighted by, and the rows that auc
#: ranked (null where there is no auc, or too many rows for it).
_SCORED: Mapping[str, Schema] = {
    "rows": _COUNT,
    "weights": _or_null(_TEXT),
    "auc_rows": _or_null(_COUNT),
    "metrics": _METRICS,
    "violations": _VIOLATIONS,
    "checks": _CHECKS,
}

#: Shares of the rows by column of the model; null where the data lack it, or it has no such thing.
_SHARES: Schema = {"type": "object", "additionalProperties": _or_null({"type": "number", "minimum": 0, "maximum": 1})}

#: How far columns have moved from the training rows; null without a profile. A category has no ks.
_DRIFT: Schema = {
    "type": "object",
    "additionalProperties": _or_null(_object(psi=_NUMBER, ks=_or_null({"type": "number", "minimum": 0}))),
}

_CHECK: Mapping[str, Schema] = {
    "regcli": _TEXT,
    "model": _object(
        path=_TEXT, id=_TEXT, family=_TEXT, link=_TEXT, target=_TEXT, lambda_=_STRENGTH, rows=_or_null(_COUNT)
    ),
    "files": _list(_object(path=_TEXT, rows=_COUNT)),
    "rows": _COUNT,
    "rows_scorable": _COUNT,
    "fits": _FLAG,
    "n_violations": _COUNT,
    "violations": _VIOLATIONS,
    "columns": _object(needed=_TEXTS, unused=_TEXTS, absent=_TEXTS, extra=_TEXTS),
    **dict.fromkeys(("missing", "out_of_range", "unknown_levels"), _SHARES),
    "drift": _DRIFT,
    "metrics": _or_null(_METRICS),
    "metrics_rows": _or_null(_COUNT),
    "weights": _or_null(_TEXT),
    "auc_rows": _or_null(_COUNT),
    "checks": _CHECKS,
    "warnings": _WARNINGS,
}

#: A number in two documents, null where one has none; ``absolute`` is B - A, ``relative`` that over the size of A.
_NUMBERS_OF_BOTH: Mapping[str, Schema] = dict.fromkeys(("a", "b", "absolute", "relative"), _or_null(_NUMBER))

_CHANGED: Mapping[str, Schema] = {
    "change": _words("same", "in", "out", "sign", "size", "absent"),
    **_NUMBERS_OF_BOTH,
    "lambda_": _or_null(_STRENGTH),
}

_SIDE = _object(
    path=_TEXT,
    kind=_words("model", "fit", "cv", "path"),
    id=_or_null(_TEXT),
    family=_TEXT,
    target=_TEXT,
    rows=_or_null(_COUNT),
)

_DIFF: Mapping[str, Schema] = {
    "regcli": _TEXT,
    "a": _SIDE,
    "b": _SIDE,
    "tol": {"type": "number", "minimum": 0},
    "same": _FLAG,
    "n_changes": _COUNT,
    "facts": _list(_object(name=_TEXT, a={}, b={})),
    "strengths": _list(_object(name=_TEXT, **_CHANGED)),
    "intercept": _object(**_CHANGED),
    "terms": _list(_object(term=_TEXT, **_CHANGED)),
    "n_terms": _COUNT,
    "selected": _object(in_=_TEXTS, out=_TEXTS),
    "metrics": _list(_object(part=_TEXT, metric=_TEXT, **_CHANGED)),
    "only_a": _STRENGTHS,
    "only_b": _STRENGTHS,
}

_LOCATION = _object(file=_or_null(_TEXT), line=_or_null(_COUNT), row=_or_null(_COUNT), column=_or_null(_TEXT))

#: How the finite numbers of a column are spread; a figure is null where it is beyond double precision.
_SPREAD = _object(
    min=_NUMBER,
    q1=_or_null(_NUMBER),
    median=_or_null(_NUMBER),
    q3=_or_null(_NUMBER),
    max=_NUMBER,
    mean=_or_null(_NUMBER),
    sd=_or_null(_NUMBER),
    zeros=_COUNT,
    zeros_share=_NUMBER,
    infinite=_COUNT,
)

_COLUMN = _object(
    column=_TEXT,
    type=_words(
        "number", "integer", "boolean", "category", "ordinal", "text", "date", "constant", "empty", "unsupported"
    ),
    role=_words("target", "feature", "dropped", "left-out"),
    n_terms=_COUNT,
    missing=_COUNT,
    missing_share=_NUMBER,
    distinct=_COUNT,
    levels=_list(_object(level=_TEXT, count=_COUNT)),
    numbers=_or_null(_SPREAD),
    leading_zeros=_FLAG,
    examples=_TEXTS,
    dates=_or_null(_object(first=_TEXT, last=_TEXT, unreadable=_COUNT)),
    words=_or_null(
        _object(distinct=_COUNT, kept=_COUNT, wordless_rows=_COUNT, frequent=_list(_object(word=_TEXT, rows=_COUNT)))
    ),
    order=_or_null(_TEXTS),
    findings=_TEXTS,
)

_INSPECT: Mapping[str, Schema] = {
    "regcli": _TEXT,
    "data": _object(
        files=_list(_object(path=_TEXT, sha256=_SHA256, rows=_COUNT)),
        format=_FORMAT,
        delimiter=_or_null(_TEXT),
        decimal=_or_null(_TEXT),
        encoding=_or_null(_TEXT),
        header=_FLAG,
        rows=_COUNT,
        n_columns=_COUNT,
        duplicate_rows=_COUNT,
    ),
    "target": _or_null(
        _object(
            column=_TEXT,
            source=_TEXT,
            family=_or_null(_FAMILY),
            classes=_or_null(_list(_object(level=_TEXT, count=_COUNT))),
            positive=_or_null(_TEXT),
            family_source=_or_null(_words("option", "guessed")),
            events_per_term=_or_null(_NUMBER),
        )
    ),
    "columns": _list(_COLUMN),
    "duplicate_columns": _list(_TEXTS),
    "collinear": _object(
        groups=_list(_object(columns=_TEXTS, correlation=_NUMBER)),
        threshold=_NUMBER,
        rows=_COUNT,
        seed={"type": "integer"},
    ),
    "constant": _TEXTS,
    "identifiers": _list(_object(column=_TEXT, reason=_TEXT)),
    "leaks": _list(_object(column=_TEXT, reason=_TEXT, correlation=_or_null(_NUMBER))),
    "memory": _object(rows=_COUNT, terms=_COUNT, matrix_bytes=_COUNT, table_bytes=_COUNT, formula=_TEXT),
    "findings": _list(
        _object(
            code=_words(*CODES, *(code for code in WARNING_CODES if code not in CODES), *NOTE_CODES),
            severity=_words("error", "warning", "note"),
            columns=_TEXTS,
            message=_TEXT,
            cells=_TEXTS,
            location=_LOCATION,
            hint=_or_null(_TEXT),
        )
    ),
    "options": {"type": "object"},
}

_ERROR: Mapping[str, Schema] = {
    "code": _words(*CODES, *(code for code in WARNING_CODES if code not in CODES)),
    "exit_code": {"type": "integer", "minimum": 1},
    "message": _TEXT,
    "location": _LOCATION,
    "cells": _TEXTS,
    "did_you_mean": _TEXTS,
    "hint": _or_null(_TEXT),
}

#: Options of a run, whatever their types, and where they come from.
_CONFIGURED: Mapping[str, Schema] = {
    "regcli": _TEXT,
    "command": _TEXT,
    "file": _or_null(_TEXT),
    "config": _list(
        _object(
            option=_TEXT,
            value={"type": ["string", "number", "boolean", "array", "null"]},
            origin=_words("flag", "variable", "file", "default"),
            variable=_or_null(_TEXT),
            file=_or_null(_TEXT),
            line=_or_null(_COUNT),
            default=_or_null(_TEXT),
        )
    ),
}

#: What a dry run says.
_PLANNED: Mapping[str, Schema] = {
    "regcli": _TEXT,
    "command": _words("fit", "cv", "path"),
    "data": _DATA,
    "model": _MODEL,
    "columns": _list(_object(column=_TEXT, role=_TEXT, type=_TEXT, n_terms=_COUNT)),
    "dropped": _DROPPED,
    "n_features": _COUNT,
    "n_terms": _COUNT,
    "terms": _TEXTS,
    "rows": _object(read=_COUNT, fitted=_COUNT, test=_COUNT, train_least=_or_null(_COUNT)),
    "validation": _or_null(
        _object(
            scheme=_words("kfold", "stratified", "group", "time", "loo", "column"),
            folds=_COUNT,
            repeats=_COUNT,
            metric=_TEXT,
        )
    ),
    "grid": _list(
        _object(
            l1_ratio=_or_null(_NUMBER), generated=_FLAG, n=_COUNT, first=_or_null(_STRENGTH), last=_or_null(_STRENGTH)
        )
    ),
    "rule": _or_null(_TEXT),
    "engine": _TEXT,
    "threads": _COUNT,
    "models": _COUNT,
    "memory": _object(matrix_bytes=_COUNT, fit_bytes=_COUNT, limit_bytes=_or_null(_COUNT), formula=_TEXT),
    "writes": _TEXTS,
    "warnings": _WARNINGS,
    "seed": {"type": "integer"},
    "options": {"type": "object"},
}

#: Schemas by short name.
SCHEMAS: Mapping[str, Schema] = {
    "fit": _document("fit", _FIT),
    "path": _document("path", _PATH),
    "cv": _document("cv", _CV),
    "model": _document("model", _STORED),
    "scorer": _document("scorer", _EXPORTED),
    "metrics": _document("metrics", _SCORED),
    "check": _document("check", _CHECK),
    "diff": _document("diff", _DIFF),
    "inspect": _document("inspect", _INSPECT),
    "config": _document("config", _CONFIGURED),
    "plan": _document("plan", _PLANNED),
    "error": _document("error", _ERROR),
}

#: What ``regcli schema`` prints by name.
NAMES = (*SCHEMAS, "codes")
