"""Schemas of models and of scorers that are data."""

from collections.abc import Mapping

from regcli.report.schemas.parts import (
    COUNT,
    FAMILY,
    FILES,
    FLAG,
    NUMBER,
    NUMBERS,
    PENALTY,
    SHARE,
    STANDARDIZE,
    STRENGTH,
    STRENGTHS,
    TEXT,
    TEXTS,
    Schema,
    listed,
    or_null,
    record,
    words,
)

__all__ = ["EXPORTED", "STORED"]

_POLICY = words("error", "drop", "mean", "median", "indicator")

#: What a missing cell becomes: a number, by level what its 0/1 column gets, or null where it is not filled.
_FILL: Schema = {"anyOf": [NUMBER, {"type": "object", "additionalProperties": NUMBER}, {"type": "null"}]}

#: A term is the product of its factors: a column to a power, a level or a step as 0 or 1, whether the cell is missing,
#: a function of a spline, counts of a word.
_FACTOR: Mapping[str, Schema] = {
    "kind": words("value", "level", "missing", "step", "spline", "word"),
    "level": or_null(TEXT),
    "power": {"type": "integer", "minimum": 1},
}

_DECILES: Schema = {"type": "array", "items": NUMBER, "minItems": 11, "maxItems": 11}

#: Numbers, and rows that have them.
_COUNTS: Schema = {
    "type": "array",
    "items": {"type": "array", "prefixItems": [NUMBER, COUNT], "minItems": 2, "maxItems": 2},
}

_ABSENT: Mapping[str, Schema] = {"missing": COUNT, "missing_rate": SHARE}

_TRAINED_NUMBERS: Mapping[str, Schema] = {
    **dict.fromkeys(("min", "q1", "median", "q3", "max"), NUMBER),
    "quantiles": _DECILES,
    "mean": NUMBER,
    "sd": {"type": "number", "minimum": 0},
    "counts": or_null(_COUNTS),
    **_ABSENT,
}

_TRAINED_LEVELS: Mapping[str, Schema] = {"levels": {"type": "object", "additionalProperties": COUNT}, **_ABSENT}

_SHARES: Schema = {"type": "object", "additionalProperties": SHARE}

#: A column in the training rows: numbers, a category, or a column without any cell. Where rows have weights, ``fills``
#: are what missing cells become by the policies ``mean`` and ``median``; the rest counts rows alike.
_TRAINED: Schema = {
    "anyOf": [
        record(**_TRAINED_NUMBERS),
        record(**_TRAINED_NUMBERS, fills=record(mean=NUMBER, median=NUMBER)),
        record(**_TRAINED_LEVELS),
        record(**_TRAINED_LEVELS, fills=record(mean=_SHARES, median=_SHARES)),
        record(**_ABSENT),
    ]
}

#: What is predicted.
_PREDICTED: Mapping[str, Schema] = {
    "family": FAMILY,
    "link": words("identity", "logit", "log"),
    "classes": or_null(TEXTS),
    "positive": or_null(TEXT),
    "threshold": or_null(SHARE),
}

_PROBES = listed(record(row={"type": "object"}, link=NUMBER))

STORED: Mapping[str, Schema] = {
    "regcli": TEXT,
    "id": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
    **_PREDICTED,
    "target": TEXT,
    "offset": or_null(TEXT),
    "exposure": or_null(TEXT),
    "weights": or_null(TEXT),
    "id_columns": TEXTS,
    "penalty": PENALTY,
    "l1_ratio": or_null(SHARE),
    "lambda": STRENGTH,
    "standardize": STANDARDIZE,
    "compat": or_null(words("glmnet")),
    "missing": _POLICY,
    "na_values": TEXTS,
    "intercept": NUMBER,
    "idle": COUNT,
    "features": listed(
        record(
            column=TEXT,
            function=or_null(TEXT),
            kind=words("number", "category", "ordinal", "text"),
            levels=TEXTS,
            pooled=TEXTS,
            boolean=FLAG,
            powers=COUNT,
            knots=or_null(listed(NUMBER)),
            words=or_null({"type": "object", "additionalProperties": NUMBER}),
            ngrams=COUNT,
            weighting=words("count", "binary", "tfidf"),
            missing=_POLICY,
            fill=_FILL,
            terms=TEXTS,
        )
    ),
    "terms": listed(
        record(
            term=TEXT,
            factors=listed(record(column=TEXT, function=or_null(TEXT), **_FACTOR)),
            estimate=NUMBER,
            mean=NUMBER,
            sd=NUMBER,
            penalty_factor=NUMBER,
        )
    ),
    "path": or_null(
        record(lambdas=STRENGTHS, intercepts=NUMBERS, coefficients=listed(record(term=TEXT, values=NUMBERS)))
    ),
    "profile": or_null(
        record(
            rows=COUNT,
            columns={"type": "object", "additionalProperties": _TRAINED},
            target=record(
                classes=or_null({"type": "object", "additionalProperties": COUNT}),
                mean=or_null(NUMBER),
                sd=or_null(NUMBER),
                quantiles=or_null(_DECILES),
            ),
        )
    ),
    "provenance": record(
        files=FILES,
        seed={"type": "integer"},
        options={"type": "object"},
    ),
    "probes": _PROBES,
}

#: What a cell may go through first.
_FUNCTION = words("abs", "exp", "log", "log10", "log1p", "log2", "sqrt", "year", "month", "weekday", "days")

#: A scorer as data, written by export. A row's linear predictor is the intercept, the offset, the logarithm of the
#: exposure, and the estimate of every term times its weight and its factors. A factor is ``fill`` where its cell is
#: missing. A row has no result where a ``required`` cell is missing, a cell is none of the levels of a ``closed``
#: category, or a function in ``made`` has no value for it: a number out of its domain, a text that is no date. A word
#: is two or more letters, digits or underscores in lower case, and a run of words has spaces between.
EXPORTED: Mapping[str, Schema] = {
    "model": TEXT,
    "target": TEXT,
    **_PREDICTED,
    "offset": or_null(TEXT),
    "exposure": or_null(TEXT),
    "na_values": TEXTS,
    "inputs": listed(
        record(
            column=TEXT,
            kind=words("number", "category", "date", "text"),
            levels=TEXTS,
            pooled=TEXTS,
            knots=NUMBERS,
            boolean=FLAG,
            required=FLAG,
            closed=FLAG,
            ngrams={"type": "integer", "minimum": 1},
            binary=FLAG,
            made=listed(record(function=_FUNCTION, levels=TEXTS, pooled=TEXTS, knots=NUMBERS, closed=FLAG)),
        )
    ),
    "intercept": NUMBER,
    "terms": listed(
        record(
            term=TEXT,
            estimate=NUMBER,
            weight=NUMBER,
            factors=listed(record(column=TEXT, function=or_null(_FUNCTION), **_FACTOR, fill=or_null(NUMBER))),
        )
    ),
    "probes": _PROBES,
}
