"""Pieces of JSON Schema, and those that several documents share."""

from collections.abc import Mapping
from typing import Any

__all__ = [
    "CHECKS",
    "COUNT",
    "COUNTS",
    "DATA",
    "DROPPED",
    "FAMILY",
    "FILES",
    "FLAG",
    "FORMAT",
    "LEVELS",
    "LOCATION",
    "METRICS",
    "MODEL",
    "NUMBER",
    "NUMBERS",
    "NUMBERS_OR_NULLS",
    "PENALTY",
    "SHA256",
    "SHARE",
    "STANDARDIZE",
    "STRENGTH",
    "STRENGTHS",
    "TEXT",
    "TEXTS",
    "WARNINGS",
    "Schema",
    "document",
    "listed",
    "or_null",
    "record",
    "words",
]

Schema = Mapping[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def record(**properties: Schema) -> Schema:
    """An object with these keys, all of them, and no others. A trailing underscore is not part of a key."""
    keys = {key.removesuffix("_"): value for key, value in properties.items()}
    return {"type": "object", "properties": keys, "required": list(keys), "additionalProperties": False}


def listed(items: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": items}


def or_null(schema: Schema) -> Schema:
    """Null too, for what does not apply."""
    kind = schema.get("type")
    if isinstance(kind, str) and "enum" not in schema:
        return {**schema, "type": [kind, "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def words(*those: str) -> Schema:
    """One of these words."""
    return {"type": "string", "enum": list(those)}


def document(name: str, properties: Mapping[str, Schema]) -> Schema:
    """A whole document, which names its schema."""
    title = f"regcli.{name}/1"
    return {"$schema": _DIALECT, "title": title, **record(schema={"const": title}, **properties)}


TEXT: Schema = {"type": "string"}

FLAG: Schema = {"type": "boolean"}

NUMBER: Schema = {"type": "number"}

COUNT: Schema = {"type": "integer", "minimum": 0}

TEXTS = listed(TEXT)

COUNTS = listed(COUNT)

NUMBERS = listed(NUMBER)

NUMBERS_OR_NULLS = listed(or_null(NUMBER))

STRENGTH: Schema = {"type": "number", "minimum": 0}

STRENGTHS = listed(STRENGTH)

#: A part of a whole.
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}

SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}

FAMILY = words("gaussian", "binomial", "poisson")

#: What tables are read from.
FORMAT = words("csv", "parquet", "jsonl", "feather", "svm", "npz", "mtx")

FILES = listed(record(path=TEXT, sha256=SHA256, rows=COUNT))
LEVELS = listed(record(level=TEXT, count=COUNT))

PENALTY = words("none", "l1", "l2", "elasticnet")
STANDARDIZE = words("all", "numeric", "none")

DATA = record(
    files=FILES,
    format=FORMAT,
    target=TEXT,
    target_source=TEXT,
    rows=COUNT,
    rows_used=COUNT,
    rows_dropped=record(missing=COUNT, missing_target=COUNT),
    weights=or_null(TEXT),
    offset=or_null(TEXT),
    exposure=or_null(TEXT),
)

_LAMBDA_AS = record(
    glmnet=or_null(NUMBER),
    sklearn_alpha=or_null(NUMBER),
    sklearn_ridge_alpha=or_null(NUMBER),
    sklearn_C=or_null(NUMBER),
    liblinear_C=or_null(NUMBER),
)

MODEL = record(
    family=FAMILY,
    family_source=TEXT,
    link=TEXT,
    classes=or_null(TEXTS),
    positive=or_null(TEXT),
    penalty=PENALTY,
    l1_ratio=or_null(SHARE),
    lambda_=or_null(STRENGTH),
    lambda_as=or_null(_LAMBDA_AS),
    lambda_max=or_null(STRENGTH),
    rule=or_null(words("min", "1se", "aic", "bic", "ebic")),
    standardize=STANDARDIZE,
    intercept=FLAG,
    compat=or_null(words("glmnet")),
)

DROPPED = listed(record(column=TEXT, reason=TEXT))

METRICS: Schema = {"type": "object", "additionalProperties": or_null(NUMBER)}

#: A warning carries further keys: the counts and names it is about.
WARNINGS = listed(
    {"type": "object", "properties": {"code": TEXT, "message": TEXT}, "required": ["code", "message"]},
)

#: What --assert asked for; ``values`` are what the names in it stand for.
CHECKS = listed(record(check=TEXT, passed=FLAG, values={"type": "object"}))

LOCATION = record(file=or_null(TEXT), line=or_null(COUNT), row=or_null(COUNT), column=or_null(TEXT))
