"""Results to documents: plain dictionaries with the keys of the contract, in its order."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regcli import __version__
from regcli.errors import Warn
from regcli.results import (
    Change,
    CheckResult,
    Criterion,
    Curve,
    DataFacts,
    Difference,
    FitResult,
    ModelFacts,
    PathResult,
    PlanResult,
    Stopped,
    TermFacts,
    Validation,
    figure,
)

__all__ = [
    "check_document",
    "checks_document",
    "cv_document",
    "difference_document",
    "fit_document",
    "path_document",
    "plan_document",
    "warning_entry",
]

#: Fold scores of more folds than this would be most of the document.
MOST_FOLDS = 100

#: Terms that a plan names; it counts all.
FIRST_TERMS = 20

Document = dict[str, Any]


def fit_document(result: FitResult) -> Document:
    """The document ``regcli.fit/1``."""
    return {"schema": "regcli.fit/1", **_fit(result)}


def cv_document(result: FitResult) -> Document:
    """The document ``regcli.cv/1``: all of fit's keys, and the curve."""
    document = {"schema": "regcli.cv/1", **_fit(result)}
    curve = result.curve
    if curve is None:
        raise ValueError("a cv document needs a curve")
    return {**document, **_curve(result, curve), "stopped": _stopped(result.stopped)}


def path_document(result: PathResult) -> Document:
    """The document ``regcli.path/1``."""
    nonzero = result.coefs != 0
    ever = np.flatnonzero(nonzero.any(axis=0))
    return {
        "schema": "regcli.path/1",
        "regcli": __version__,
        "data": _data(result.data),
        "model": _model(result.facts),
        "lambdas": _numbers(result.lambdas),
        "intercepts": [{"output": None, "values": _numbers(result.intercepts)}],
        "coefficients": [
            {**_term(result.terms[at]), "penalty_factor": result.terms[at].penalty_factor,
             "sd": figure(result.terms[at].sd), "values": _numbers(result.coefs[:, at])}
            for at in ever
        ],
        "n_nonzero": [int(count) for count in nonzero.sum(axis=1)],
        "n_selected": [len(_sources(result.terms, row)) for row in nonzero],
        "n_features": len(result.sources),
        "n_terms": len(result.terms),
        "deviance_ratio": _numbers(result.deviance_ratio),
        "violation": _numbers(result.violation),
        "stopped": _stopped(result.stopped),
        "dropped": [{"column": column, "reason": reason} for column, reason in result.dropped],
        "checks": [],
        "warnings": _warnings(result.warnings),
        "seed": result.seed,
        "options": dict(result.options),
    }  # fmt: skip


def plan_document(result: PlanResult, command: str, writes: Sequence[str]) -> Document:
    """The document ``regcli.plan/1``: what ``command`` would do, and the files that it would write."""
    held = _validation(result.validation)
    return {
        "schema": "regcli.plan/1",
        "regcli": __version__,
        "command": command,
        "data": _data(result.data),
        "model": _model(result.facts),
        "columns": [
            {"column": one.name, "role": one.role, "type": one.type, "n_terms": one.n_terms} for one in result.columns
        ],
        "dropped": [{"column": column, "reason": reason} for column, reason in result.dropped],
        "n_features": sum(column.role == "feature" for column in result.columns),
        "n_terms": len(result.terms),
        "terms": list(result.terms[:FIRST_TERMS]),
        "rows": {
            "read": result.data.rows,
            "fitted": result.data.rows_used,
            "test": result.n_test,
            "train_least": result.least_train,
        },
        "validation": None if held is None else {**held, "metric": result.metric},
        "grid": [
            {
                "l1_ratio": grid.l1_ratio,
                "generated": grid.generated,
                "n": grid.lambdas.size,
                "first": figure(grid.lambdas[0]),
                "last": figure(grid.lambdas[-1]),
            }
            for grid in result.grids
        ],
        "rule": result.rule,
        "engine": result.engine,
        "threads": result.threads,
        "models": result.models,
        "memory": {
            "matrix_bytes": result.matrix_bytes,
            "fit_bytes": result.fit_bytes,
            "limit_bytes": result.limit,
            "formula": "the matrix (8 bytes x rows x terms, or 12 a cell without zeros), and "
            f"{result.row_and_lane} bytes x rows x training sets at a time",
        },
        "writes": list(writes),
        "warnings": _warnings(result.warnings),
        "seed": result.seed,
        "options": dict(result.options),
    }


def check_document(result: CheckResult) -> Document:
    """The document ``regcli.check/1``."""
    metrics: Mapping[str, Any] = result.metrics or {}
    return {
        "schema": "regcli.check/1",
        "regcli": __version__,
        "model": dict(result.model),
        "files": [{"path": path, "rows": rows} for path, rows in result.files],
        "rows": result.rows,
        "rows_scorable": result.rows_scorable,
        "fits": result.rows_scorable == result.rows,
        "n_violations": len(result.violations),
        "violations": [violation.entry() for violation in result.violations],
        "columns": {part: list(names) for part, names in result.columns.items()},
        **{name: dict(shares) for name, shares in result.shares.items()},
        "drift": {name: None if moved is None else dict(moved) for name, moved in result.drift.items()},
        "metrics": metrics.get("metrics"),
        "metrics_rows": metrics.get("rows"),
        "weights": metrics.get("weights"),
        "auc_rows": metrics.get("auc_rows"),
        "checks": [],
        "warnings": _warnings(result.warnings),
    }


def checks_document(config: str | None, entries: Sequence[Document], *, planned: bool) -> Document:
    """The document ``regcli.checks/1``: several checks, made or planned, and the status that all of them come to."""
    count = Counter(entry["status"] for entry in entries)
    return {
        "schema": "regcli.checks/1",
        "regcli": __version__,
        "config": config,
        "dry_run": planned,
        "n_checks": len(entries),
        **{f"n_{status}": count[status] for status in ("passed", "failed", "error")},
        "exit_code": max((entry["exit_code"] for entry in entries), default=0),
        "checks": list(entries),
    }


def difference_document(result: Difference) -> Document:
    """The document ``regcli.diff/1``."""
    return {
        "schema": "regcli.diff/1",
        "regcli": __version__,
        "a": dict(result.a),
        "b": dict(result.b),
        "tol": result.tol,
        "same": not result.n_changes,
        "n_changes": result.n_changes,
        "facts": [{"name": name, "a": a, "b": b} for name, a, b in result.facts],
        "strengths": [{"name": change.name, **_change(change)} for change in result.strengths],
        "intercept": _change(result.intercept),
        "terms": [{"term": change.name, **_change(change)} for change in result.terms],
        "n_terms": result.n_terms,
        "selected": {part: list(names) for part, names in result.selected.items()},
        "metrics": [{"part": part, "metric": change.name, **_change(change)} for part, change in result.metrics],
        "only_a": list(result.only_a),
        "only_b": list(result.only_b),
    }


def _fit(result: FitResult) -> Document:
    """The keys of fit after ``schema``."""
    model = result.model
    shown = [at for at in range(len(model.terms)) if result.all_terms or model.coefs[at] != 0]
    selected = _sources(model.terms, model.coefs != 0)
    return {
        "regcli": __version__,
        "data": _data(result.data),
        "model": _model(model.facts),
        "intercept": figure(model.intercept),
        "intercepts": [{"output": None, "estimate": figure(model.intercept)}],
        "coefficients": [
            {
                **_term(model.terms[at]),
                "estimate": figure(model.coefs[at]),
                "std_estimate": figure(model.coefs[at] * model.terms[at].sd),
                "penalty_factor": model.terms[at].penalty_factor,
            }
            for at in shown
        ],
        "selected": [source for source in result.sources if source in selected],
        "n_selected": len(selected),
        "n_nonzero": int(np.count_nonzero(model.coefs)),
        "n_features": len(result.sources),
        "n_terms": len(model.terms),
        "dropped": [{"column": column, "reason": reason} for column, reason in result.dropped],
        "metrics": {part: _metrics(result.metrics[part]) for part in ("cv", "test", "train", "null")},
        "validation": _validation(result.validation),
        "criterion": _criterion(result.criterion),
        "convergence": {
            "converged": result.convergence.status.usable,
            "status": result.convergence.status.code,
            "iterations": result.convergence.iterations,
            "violation": figure(result.convergence.violation),
            "violation_source": result.convergence.source,
            "gap": figure(result.convergence.gap),
        },
        "checks": [],
        "warnings": _warnings(result.warnings),
        "seed": result.seed,
        "options": dict(result.options),
    }


def _curve(result: FitResult, curve: Curve) -> Document:
    """The keys of cv beyond those of fit."""
    few = curve.fold_weights.size <= MOST_FOLDS
    shared = _strengths(curve)
    return {
        "metric": curve.metric,
        **{key: shared[key] for key in ("lambdas", "mean", "se")},
        "fold_scores": [_numbers(fold) for fold in curve.fold_scores] if few else None,
        "fold_weights": _numbers(curve.fold_weights),
        "n_nonzero_path": shared["n_nonzero"],
        "lambda_min": shared["lambda_min"],
        "lambda_1se": shared["lambda_1se"],
        "index_min": curve.index_min,
        "index_1se": curve.index_1se,
        "grid": [{"l1_ratio": ratio, **_strengths(other)} for ratio, other in result.grid],
        "criterion_path": None if result.criterion is None else _numbers(result.criterion.values),
        "df_path": None if result.criterion is None else _numbers(result.criterion.df),
    }


def _strengths(curve: Curve) -> Document:
    """One share of L1: its curve and what the two rules choose."""
    return {
        "lambdas": _numbers(curve.lambdas),
        "mean": _numbers(curve.mean),
        "se": _numbers(curve.se),
        "n_nonzero": [int(count) for count in curve.n_nonzero],
        "lambda_min": None if curve.index_min is None else figure(curve.lambdas[curve.index_min]),
        "lambda_1se": None if curve.index_1se is None else figure(curve.lambdas[curve.index_1se]),
    }


def _validation(validation: Validation | None) -> Document | None:
    """How rows were held out."""
    if validation is None:
        return None
    return {
        "scheme": validation.scheme,
        "folds": validation.folds,
        "repeats": validation.repeats,
        "gap": validation.gap,
    }


def _criterion(criterion: Criterion | None) -> Document | None:
    """The information criterion that chose, at the chosen strength."""
    if criterion is None or criterion.index is None:
        return None
    at = criterion.index
    return {"name": criterion.name, "value": figure(criterion.values[at]), "df": figure(criterion.df[at])}


def _data(data: DataFacts) -> Document:
    return {
        "files": [{"path": path, "sha256": digest, "rows": rows} for path, digest, rows in data.files],
        "format": data.format,
        "target": data.target,
        "target_source": data.target_source,
        "rows": data.rows,
        "rows_used": data.rows_used,
        "rows_dropped": {"missing": data.dropped_missing, "missing_target": data.dropped_target},
        "weights": data.weights,
        "offset": data.offset,
        "exposure": data.exposure,
    }


def _model(model: ModelFacts) -> Document:
    return {
        "family": model.family,
        "family_source": model.family_source,
        "link": model.link,
        "classes": None if model.classes is None else list(model.classes),
        "positive": model.positive,
        "penalty": model.penalty,
        "l1_ratio": model.l1_ratio,
        "lambda": model.lam,
        "lambda_as": None if model.lambda_as is None else dict(model.lambda_as),
        "lambda_max": model.lambda_max,
        "rule": model.rule,
        "standardize": model.standardize,
        "intercept": model.intercept,
        "compat": model.compat,
    }


def _term(term: TermFacts) -> Document:
    return {"term": term.name, "sources": list(term.sources), "output": None}


def _sources(terms: Sequence[TermFacts], used: NDArray[np.bool_]) -> set[str]:
    """Columns of the terms that are used (p,)."""
    return {source for term, wanted in zip(terms, used.tolist(), strict=True) if wanted for source in term.sources}


def _metrics(metrics: Mapping[str, float | bool] | None) -> Document | None:
    if metrics is None:
        return None
    return {name: value if isinstance(value, bool) else figure(value) for name, value in metrics.items()}


def _stopped(stopped: Stopped | None) -> Document | None:
    return None if stopped is None else {"reason": stopped.reason, "at": stopped.at, "of": stopped.of}


def _warnings(warnings: tuple[Warn, ...]) -> list[Document]:
    return list(map(warning_entry, warnings))


def warning_entry(warning: Warn) -> Document:
    """A warning as documents have it."""
    return {"code": warning.code, "message": warning.message, **warning.facts}


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return list(map(figure, values.tolist()))


def _change(change: Change) -> Document:
    return {
        "change": change.kind,
        "a": figure(change.a),
        "b": figure(change.b),
        "absolute": change.absolute,
        "relative": change.relative,
        "lambda": figure(change.lam),
    }
