"""Schemas of what fit, cv and path write, and of what a dry run says."""

from collections.abc import Mapping

from regcli.report.schemas.parts import (
    CHECKS,
    COUNT,
    COUNTS,
    DATA,
    DROPPED,
    FLAG,
    METRICS,
    MODEL,
    NUMBER,
    NUMBERS,
    NUMBERS_OR_NULLS,
    STRENGTH,
    STRENGTHS,
    TEXT,
    TEXTS,
    WARNINGS,
    Schema,
    listed,
    or_null,
    record,
    words,
)

__all__ = ["CV", "FIT", "PATH", "PLANNED"]

_TERM: Mapping[str, Schema] = {"term": TEXT, "sources": TEXTS, "output": or_null(TEXT)}

_CV_METRICS: Schema = {
    **METRICS,
    "properties": {"chosen_on_these_folds": FLAG},
    "required": ["chosen_on_these_folds"],
}

_CONVERGENCE = record(
    converged=FLAG,
    status=TEXT,
    iterations=COUNT,
    violation=or_null(NUMBER),
    violation_source=or_null(TEXT),
    gap=or_null(NUMBER),
)

#: How rows are held out.
_HELD: Mapping[str, Schema] = {
    "scheme": words("kfold", "stratified", "group", "time", "loo", "column"),
    "folds": COUNT,
    "repeats": COUNT,
    "gap": or_null(COUNT),
}

#: Why a path may end early.
_REASONS = ("deviance", "deviance_change", "cv_turned", "max_seconds")

_STOPPED = or_null(record(reason=or_null(words(*_REASONS)), at=COUNT, of=COUNT))

_RUN: Mapping[str, Schema] = {"warnings": WARNINGS, "seed": {"type": "integer"}, "options": {"type": "object"}}

_TAIL: Mapping[str, Schema] = {"checks": CHECKS, **_RUN}

_HEAD: Mapping[str, Schema] = {"regcli": TEXT, "data": DATA, "model": MODEL}

FIT: Mapping[str, Schema] = {
    **_HEAD,
    "intercept": or_null(NUMBER),
    "intercepts": listed(record(output=or_null(TEXT), estimate=NUMBER)),
    "coefficients": listed(
        record(**_TERM, estimate=NUMBER, std_estimate=or_null(NUMBER), penalty_factor=or_null(NUMBER))
    ),
    "selected": TEXTS,
    "n_selected": COUNT,
    "n_nonzero": COUNT,
    "n_features": COUNT,
    "n_terms": COUNT,
    "dropped": DROPPED,
    "metrics": record(cv=or_null(_CV_METRICS), test=or_null(METRICS), train=or_null(METRICS), null=or_null(METRICS)),
    "validation": or_null(record(**_HELD)),
    "criterion": or_null(record(name=words("aic", "bic", "ebic"), value=NUMBER, df=NUMBER)),
    "convergence": _CONVERGENCE,
    **_TAIL,
}

CV: Mapping[str, Schema] = {
    **FIT,
    "metric": TEXT,
    "lambdas": STRENGTHS,
    "mean": NUMBERS_OR_NULLS,
    "se": NUMBERS_OR_NULLS,
    "fold_scores": or_null(listed(NUMBERS_OR_NULLS)),
    "fold_weights": NUMBERS,
    "n_nonzero_path": COUNTS,
    "lambda_min": or_null(STRENGTH),
    "lambda_1se": or_null(STRENGTH),
    "index_min": or_null(COUNT),
    "index_1se": or_null(COUNT),
    "grid": listed(
        record(
            l1_ratio=or_null(NUMBER),
            lambdas=STRENGTHS,
            mean=NUMBERS_OR_NULLS,
            se=NUMBERS_OR_NULLS,
            n_nonzero=COUNTS,
            lambda_min=or_null(STRENGTH),
            lambda_1se=or_null(STRENGTH),
        )
    ),
    "criterion_path": or_null(NUMBERS_OR_NULLS),
    "df_path": or_null(NUMBERS),
    "stopped": _STOPPED,
}

PATH: Mapping[str, Schema] = {
    **_HEAD,
    "lambdas": STRENGTHS,
    "intercepts": listed(record(output=or_null(TEXT), values=NUMBERS)),
    "coefficients": listed(record(**_TERM, penalty_factor=or_null(NUMBER), sd=or_null(NUMBER), values=NUMBERS)),
    "n_nonzero": COUNTS,
    "n_selected": COUNTS,
    "n_features": COUNT,
    "n_terms": COUNT,
    "deviance_ratio": NUMBERS_OR_NULLS,
    "violation": NUMBERS_OR_NULLS,
    "stopped": _STOPPED,
    "dropped": DROPPED,
    **_TAIL,
}

#: What a dry run says.
PLANNED: Mapping[str, Schema] = {
    "regcli": TEXT,
    "command": words("fit", "cv", "path"),
    "data": DATA,
    "model": MODEL,
    "columns": listed(record(column=TEXT, role=TEXT, type=TEXT, n_terms=COUNT)),
    "dropped": DROPPED,
    "n_features": COUNT,
    "n_terms": COUNT,
    "terms": TEXTS,
    "rows": record(read=COUNT, fitted=COUNT, test=COUNT, train_least=or_null(COUNT)),
    "validation": or_null(record(**_HELD, metric=TEXT)),
    "grid": listed(
        record(l1_ratio=or_null(NUMBER), generated=FLAG, n=COUNT, first=or_null(STRENGTH), last=or_null(STRENGTH))
    ),
    "rule": or_null(TEXT),
    "engine": TEXT,
    "threads": COUNT,
    "models": COUNT,
    "memory": record(matrix_bytes=COUNT, fit_bytes=COUNT, limit_bytes=or_null(COUNT), formula=TEXT),
    "writes": TEXTS,
    **_RUN,
}
