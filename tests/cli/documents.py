"""Documents written by hand, with names nobody should trust."""

from typing import Any

HOSTILE = ("[/b]", "[red]x", ":smile:", "\x1b[2J", 'y,"x', "a|b`c", "x\u202ey", "new\nline")

HEAD: dict[str, Any] = {
    "regcli": "0.1.0",
    "data": {
        "files": [{"path": "data.csv", "sha256": "0" * 64, "rows": 20}],
        "format": "csv",
        "target": "y",
        "target_source": "option",
        "rows": 20,
        "rows_used": 19,
        "rows_dropped": {"missing": 1, "missing_target": 0},
        "weights": None,
        "offset": None,
        "exposure": None,
    },
    "model": {
        "family": "gaussian",
        "family_source": "guessed",
        "link": "identity",
        "classes": None,
        "positive": None,
        "penalty": "l1",
        "l1_ratio": 1.0,
        "lambda": 0.1,
        "lambda_as": {
            "glmnet": 0.1,
            "sklearn_alpha": 0.1,
            "sklearn_ridge_alpha": None,
            "sklearn_C": None,
            "liblinear_C": None,
        },
        "lambda_max": 1.0,
        "rule": "min",
        "standardize": "all",
        "intercept": True,
        "compat": None,
    },
}

TAIL: dict[str, Any] = {"checks": [], "warnings": [], "seed": 0, "options": {"target": "y"}}


def fit_document(names: tuple[str, ...] = ("age", "bmi")) -> dict[str, Any]:
    """A fit with a coefficient per name: 0.5, -1.5, 2.5, ..."""
    rows = [
        {
            "term": name,
            "sources": [name],
            "output": None,
            "estimate": (i + 0.5) * (-1) ** i,
            "std_estimate": (i + 1.0) * (-1) ** i,
            "penalty_factor": 1.0,
        }
        for i, name in enumerate(names)
    ]
    return {
        "schema": "regcli.fit/1",
        **HEAD,
        "intercept": 2.25,
        "intercepts": [{"output": None, "estimate": 2.25}],
        "coefficients": rows,
        "selected": list(names),
        "n_selected": len(names),
        "n_nonzero": len(names),
        "n_features": len(names) + 2,
        "n_terms": len(names) + 2,
        "dropped": [{"column": "[bold]k", "reason": "constant"}],
        "metrics": {
            "cv": {"mse": 1.5, "r2": 0.25, "chosen_on_these_folds": True},
            "test": None,
            "train": {"mse": 1.25, "r2": None},
            "null": {"mse": 2.0, "r2": 0.0},
        },
        "validation": {"scheme": "kfold", "folds": 2, "repeats": 1, "gap": None},
        "criterion": None,
        "convergence": {
            "converged": True,
            "status": "converged",
            "iterations": 7,
            "violation": 1e-9,
            "violation_source": "data",
            "gap": None,
        },
        **TAIL,
    }


def cv_document(names: tuple[str, ...] = ("age", "bmi")) -> dict[str, Any]:
    curve = {"lambdas": [1.0, 0.1, 0.01], "mean": [2.0, 1.5, None], "se": [0.5, 0.25, 0.125]}
    return {
        **fit_document(names),
        "schema": "regcli.cv/1",
        "metric": "mse",
        **curve,
        "fold_scores": [[2.0, 1.0, 1.5], [2.5, 1.75, None]],
        "fold_weights": [10.0, 9.0],
        "n_nonzero_path": [0, 2, 3],
        "lambda_min": 0.1,
        "lambda_1se": 1.0,
        "index_min": 1,
        "index_1se": 0,
        "grid": [{"l1_ratio": 1.0, **curve, "n_nonzero": [0, 2, 3], "lambda_min": 0.1, "lambda_1se": 1.0}],
        "criterion_path": None,
        "df_path": None,
        "stopped": None,
    }


def path_document(names: tuple[str, str] = ("age", "bmi")) -> dict[str, Any]:
    """Four strengths: the first name enters at 1, the second at 2, the first leaves at 3."""
    values = ([0.0, 0.5, 0.25, 0.0], [0.0, 0.0, -1.0, -1.5])
    return {
        "schema": "regcli.path/1",
        **HEAD,
        "model": {**HEAD["model"], "lambda": None, "lambda_as": None, "rule": None},
        "lambdas": [1.0, 0.5, 0.25, 0.125],
        "intercepts": [{"output": None, "values": [2.0, 2.0, 2.25, 2.5]}],
        "coefficients": [
            {"term": name, "sources": [name], "output": None, "penalty_factor": 1.0, "sd": 2.0, "values": series}
            for name, series in zip(names, values, strict=True)
        ],
        "n_nonzero": [0, 1, 2, 1],
        "n_selected": [0, 1, 2, 1],
        "n_features": 4,
        "n_terms": 4,
        "deviance_ratio": [0.0, 0.25, 0.5, 0.75],
        "violation": [0.0, 1e-9, 1e-9, None],
        "stopped": {"reason": "deviance_change", "at": 3, "of": 100},
        "dropped": [],
        **TAIL,
    }
