"""Schemas of what is said of tables: inspect, check, and the metrics of predict."""

from collections.abc import Mapping

from regcli.errors import CODES, NOTE_CODES, WARNING_CODES
from regcli.report.schemas.parts import (
    CHECKS,
    COUNT,
    FAMILY,
    FILES,
    FLAG,
    FORMAT,
    LEVELS,
    LOCATION,
    METRICS,
    NUMBER,
    SHARE,
    STRENGTH,
    TEXT,
    TEXTS,
    WARNINGS,
    Schema,
    document,
    listed,
    or_null,
    record,
    words,
)
from regcli.report.schemas.runs import ERROR

__all__ = ["CHECK", "CHECKS_OF", "INSPECT", "SCORED"]

#: In what new data are not as a model expects: a code of errors or warnings, and the first such cell.
_VIOLATIONS = listed(
    record(
        code=TEXT,
        column=or_null(TEXT),
        severity=words("error", "warning"),
        count=COUNT,
        share=SHARE,
        first=record(file=or_null(TEXT), line=or_null(COUNT), row=or_null(COUNT), cell=or_null(TEXT)),
        expected=TEXT,
        training_share=or_null(NUMBER),
        below=or_null(COUNT),
        above=or_null(COUNT),
        levels=or_null(LEVELS),
        message=TEXT,
    )
)

#: Metrics of new rows, written by predict: of how many rows, the column they were weighted by, and the rows that auc
#: ranked (null where there is no auc, or too many rows for it).
SCORED: Mapping[str, Schema] = {
    "rows": COUNT,
    "weights": or_null(TEXT),
    "auc_rows": or_null(COUNT),
    "metrics": METRICS,
    "violations": _VIOLATIONS,
    "checks": CHECKS,
}

#: Shares of the rows by column of the model; null where the data lack it, or it has no such thing.
_SHARES: Schema = {"type": "object", "additionalProperties": or_null(SHARE)}

#: How far columns have moved from the training rows; null without a profile. A category has no ks.
_DRIFT: Schema = {
    "type": "object",
    "additionalProperties": or_null(record(psi=NUMBER, ks=or_null({"type": "number", "minimum": 0}))),
}

CHECK: Mapping[str, Schema] = {
    "regcli": TEXT,
    "model": record(path=TEXT, id=TEXT, family=TEXT, link=TEXT, target=TEXT, lambda_=STRENGTH, rows=or_null(COUNT)),
    "files": listed(record(path=TEXT, rows=COUNT)),
    "rows": COUNT,
    "rows_scorable": COUNT,
    "fits": FLAG,
    "n_violations": COUNT,
    "violations": _VIOLATIONS,
    "columns": record(needed=TEXTS, unused=TEXTS, absent=TEXTS, extra=TEXTS),
    **dict.fromkeys(("missing", "out_of_range", "unknown_levels"), _SHARES),
    "drift": _DRIFT,
    "metrics": or_null(METRICS),
    "metrics_rows": or_null(COUNT),
    "weights": or_null(TEXT),
    "auc_rows": or_null(COUNT),
    "checks": CHECKS,
    "warnings": WARNINGS,
}

#: Several checks, made or planned: ``asks`` is what they ask as on a command line, ``cases`` what came of it.
CHECKS_OF: Mapping[str, Schema] = {
    "regcli": TEXT,
    "config": or_null(TEXT),
    "dry_run": FLAG,
    **dict.fromkeys(("n_checks", "n_passed", "n_failed", "n_error", "exit_code"), COUNT),
    "checks": listed(
        record(
            name=TEXT,
            line=or_null(COUNT),
            model=TEXT,
            data=TEXTS,
            asks=TEXTS,
            status=words("passed", "failed", "error", "planned"),
            exit_code=COUNT,
            cases=listed(record(check=TEXT, passed=FLAG, told=TEXT)),
            error=or_null(document("error", ERROR)),
            result=or_null(document("check", CHECK)),
        )
    ),
}

#: How the finite numbers of a column are spread; a figure is null where it is beyond double precision.
_SPREAD = record(
    min=NUMBER,
    q1=or_null(NUMBER),
    median=or_null(NUMBER),
    q3=or_null(NUMBER),
    max=NUMBER,
    mean=or_null(NUMBER),
    sd=or_null(NUMBER),
    zeros=COUNT,
    zeros_share=NUMBER,
    infinite=COUNT,
)

_COLUMN = record(
    column=TEXT,
    type=words(
        "number", "integer", "boolean", "category", "ordinal", "text", "date", "constant", "empty", "unsupported"
    ),
    role=words("target", "feature", "dropped", "left-out"),
    n_terms=COUNT,
    missing=COUNT,
    missing_share=NUMBER,
    distinct=COUNT,
    levels=LEVELS,
    numbers=or_null(_SPREAD),
    leading_zeros=FLAG,
    examples=TEXTS,
    dates=or_null(record(first=TEXT, last=TEXT, unreadable=COUNT)),
    words=or_null(
        record(distinct=COUNT, kept=COUNT, wordless_rows=COUNT, frequent=listed(record(word=TEXT, rows=COUNT)))
    ),
    order=or_null(TEXTS),
    findings=TEXTS,
)

INSPECT: Mapping[str, Schema] = {
    "regcli": TEXT,
    "data": record(
        files=FILES,
        format=FORMAT,
        delimiter=or_null(TEXT),
        decimal=or_null(TEXT),
        encoding=or_null(TEXT),
        header=FLAG,
        rows=COUNT,
        n_columns=COUNT,
        duplicate_rows=COUNT,
    ),
    "target": or_null(
        record(
            column=TEXT,
            source=TEXT,
            family=or_null(FAMILY),
            classes=or_null(LEVELS),
            positive=or_null(TEXT),
            family_source=or_null(words("option", "guessed")),
            events_per_term=or_null(NUMBER),
        )
    ),
    "columns": listed(_COLUMN),
    "duplicate_columns": listed(TEXTS),
    "collinear": record(
        groups=listed(record(columns=TEXTS, correlation=NUMBER)),
        threshold=NUMBER,
        rows=COUNT,
        seed={"type": "integer"},
    ),
    "constant": TEXTS,
    "identifiers": listed(record(column=TEXT, reason=TEXT)),
    "leaks": listed(record(column=TEXT, reason=TEXT, correlation=or_null(NUMBER))),
    "memory": record(rows=COUNT, terms=COUNT, matrix_bytes=COUNT, table_bytes=COUNT, formula=TEXT),
    "findings": listed(
        record(
            code=words(*CODES, *(code for code in WARNING_CODES if code not in CODES), *NOTE_CODES),
            severity=words("error", "warning", "note"),
            columns=TEXTS,
            message=TEXT,
            cells=TEXTS,
            location=LOCATION,
            hint=or_null(TEXT),
        )
    ),
    "options": {"type": "object"},
}
