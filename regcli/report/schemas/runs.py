"""Schemas of comparisons, errors and configurations."""

from collections.abc import Mapping

from regcli.errors import CODES, WARNING_CODES
from regcli.report.schemas.parts import (
    COUNT,
    FLAG,
    LOCATION,
    NUMBER,
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

__all__ = ["CONFIGURED", "DIFF", "ERROR"]

#: A number in two documents, null where one has none; ``absolute`` is B - A, ``relative`` that over the size of A.
_NUMBERS_OF_BOTH: Mapping[str, Schema] = dict.fromkeys(("a", "b", "absolute", "relative"), or_null(NUMBER))

_CHANGED: Mapping[str, Schema] = {
    "change": words("same", "in", "out", "sign", "size", "absent"),
    **_NUMBERS_OF_BOTH,
    "lambda_": or_null(STRENGTH),
}

_SIDE = record(
    path=TEXT,
    kind=words("model", "fit", "cv", "path"),
    id=or_null(TEXT),
    family=TEXT,
    target=TEXT,
    rows=or_null(COUNT),
)

DIFF: Mapping[str, Schema] = {
    "regcli": TEXT,
    "a": _SIDE,
    "b": _SIDE,
    "tol": {"type": "number", "minimum": 0},
    "same": FLAG,
    "n_changes": COUNT,
    "facts": listed(record(name=TEXT, a={}, b={})),
    "strengths": listed(record(name=TEXT, **_CHANGED)),
    "intercept": record(**_CHANGED),
    "terms": listed(record(term=TEXT, **_CHANGED)),
    "n_terms": COUNT,
    "selected": record(in_=TEXTS, out=TEXTS),
    "metrics": listed(record(part=TEXT, metric=TEXT, **_CHANGED)),
    "only_a": STRENGTHS,
    "only_b": STRENGTHS,
}

ERROR: Mapping[str, Schema] = {
    "code": words(*CODES, *(code for code in WARNING_CODES if code not in CODES)),
    "exit_code": {"type": "integer", "minimum": 1},
    "message": TEXT,
    "location": LOCATION,
    "cells": TEXTS,
    "did_you_mean": TEXTS,
    "hint": or_null(TEXT),
}

_OPTION = record(
    option=TEXT,
    value={"type": ["string", "number", "boolean", "array", "null"]},
    origin=words("flag", "variable", "file", "default"),
    variable=or_null(TEXT),
    file=or_null(TEXT),
    line=or_null(COUNT),
    default=or_null(TEXT),
)

#: Options of a run, whatever their types, and where they come from; ``checks`` has what each check says for itself.
CONFIGURED: Mapping[str, Schema] = {
    "regcli": TEXT,
    "command": TEXT,
    "file": or_null(TEXT),
    "config": listed(_OPTION),
    "checks": listed(record(name=TEXT, model=TEXT, data=TEXTS, line=COUNT, options=listed(_OPTION))),
}
