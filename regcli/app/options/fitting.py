"""What is modelled and penalised, how a strength is found, and what is kept."""

from dataclasses import dataclass
from typing import Annotated, Literal

from regcli.app.options.flag import Flag

__all__ = [
    "Family",
    "Folds",
    "Metric",
    "Model",
    "Penalty",
    "Save",
    "Search",
    "Solver",
    "SolverName",
    "Strengths",
    "TargetFamily",
]

Family = Literal["gaussian", "binomial", "poisson"]
PenaltyName = Literal["none", "l1", "l2", "elasticnet", "lasso", "ridge", "ols"]
Rule = Literal["min", "1se", "aic", "bic", "ebic"]
SolverName = Literal["auto", "direct", "cg", "row-space", "moments", "lockstep", "newton"]
Standardize = Literal["all", "numeric", "none"]
Scheme = Literal["kfold", "stratified", "group", "time", "loo"]
Metric = Literal["deviance", "mse", "rmse", "mae", "r2", "logloss", "brier", "auc", "accuracy"]

# An option of several groups, declared once.
TargetFamily = Annotated[
    Family | None, Flag(("--family",), "Distribution of the target.", None, "from the target's values")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What is modelled."""

    family: TargetFamily = None
    positive_class: Annotated[
        str | None,
        Flag(("--positive-class",), "Level of a binomial target that counts as the event.", "LEVEL", "the later one"),
    ] = None
    class_weight: Annotated[
        tuple[str, ...],
        Flag(
            ("--class-weight",),
            "Multiply the rows of a class by W; balanced gives every class the same total. Repeatable.",
            "balanced|LEVEL=W",
        ),
    ] = ()
    no_intercept: Annotated[bool, Flag(("--no-intercept",), "Fit no intercept.")] = False
    standardize: Annotated[
        Standardize | None,
        Flag(
            ("--standardize",),
            "Which columns are scaled to unit standard deviation before the penalty applies.",
            None,
            "all",
        ),
    ] = None
    no_standardize: Annotated[bool, Flag(("--no-standardize",), "The same as --standardize none.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty:
    """What is penalised, and how."""

    penalty: Annotated[
        PenaltyName | None,
        Flag(("--penalty",), "Penalty; lasso, ridge and ols are other names for l1, l2 and none.", None, "l1"),
    ] = None
    l1_ratio: Annotated[
        str | None,
        Flag(
            ("--l1-ratio",),
            "Share of L1 in an elastic net, from 0 to 1; of several the best is chosen.",
            "A[,A...]|@FILE",
            "0.5",
        ),
    ] = None
    penalty_factor: Annotated[
        tuple[str, ...],
        Flag(
            ("--penalty-factor",),
            "Multiply the penalty of a column by V; 0 never penalises it; * means all. Repeatable.",
            "COL=V",
            "1",
        ),
    ] = ()
    lower: Annotated[
        tuple[str, ...],
        Flag(("--lower",), "Lower limit of a column's coefficient, 0 or less. Repeatable.", "COL=V"),
    ] = ()
    upper: Annotated[
        tuple[str, ...],
        Flag(("--upper",), "Upper limit of a column's coefficient, 0 or more. Repeatable.", "COL=V"),
    ] = ()
    nonnegative: Annotated[bool, Flag(("--nonnegative",), "No coefficient below 0, the same as --lower '*=0'.")] = False
    compat: Annotated[
        Literal["glmnet"] | None,
        Flag(
            ("--compat",),
            "Follow another tool where it differs: glmnet divides the gaussian L2 part by the standard deviation of "
            "the target and rescales penalty factors to mean 1.",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strengths:
    """Which penalty strengths are considered."""

    lambdas: Annotated[
        str | None,
        Flag(
            ("-l", "--lambda"),
            "Strengths to consider: numbers, comma-separated, or @FILE with one a line.",
            "V[,V...]|@FILE",
            "a grid of --n-lambdas values",
        ),
    ] = None
    n_lambdas: Annotated[int | None, Flag(("--n-lambdas",), "Length of the generated grid.", "N", "100")] = None
    lambda_min_ratio: Annotated[
        float | None,
        Flag(
            ("--lambda-min-ratio",),
            "Last strength of the generated grid over its first.",
            "R",
            "1e-4, or 1e-2 with fewer rows than columns",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How one strength is chosen, and how far the search for it goes."""

    rule: Annotated[
        Rule | None,
        Flag(
            ("--rule",),
            "Which strength is reported: min is the best in cross-validation, 1se the largest within one standard "
            "error of it; aic, bic and ebic choose by an information criterion, without cross-validation.",
            None,
            "min",
        ),
    ] = None
    full_path: Annotated[
        bool,
        Flag(("--full-path",), "Walk the whole grid even when the cross-validation curve has clearly turned."),
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Folds:
    """How rows are held out."""

    folds: Annotated[
        int | None,
        Flag(("--folds",), "Number of folds, 3 or more.", "K", "10, fewer when there are fewer rows"),
    ] = None
    cv: Annotated[
        Scheme | None,
        Flag(
            ("--cv",),
            "How rows are held out: dealt to folds, by class, by group, in time, or one at a time.",
            None,
            "stratified for classes, else kfold; group with --group, time with --order-by",
        ),
    ] = None
    group: Annotated[
        str | None,
        Flag(("--group",), "Column of groups; rows of one group stay in one fold.", "COL"),
    ] = None
    fold_column: Annotated[str | None, Flag(("--fold-column",), "Column that names the fold of each row.", "COL")] = (
        None
    )
    order_by: Annotated[
        str | None,
        Flag(
            ("--order-by",),
            "Column of times, numbers or ISO dates: every fold is predicted from the rows before it.",
            "COL",
            "with --cv time the order of the file",
        ),
    ] = None
    gap: Annotated[
        int | None,
        Flag(("--gap",), "With --cv time: rows left out just before a fold and before those of --test-size.", "G", "0"),
    ] = None
    window: Annotated[
        int | None,
        Flag(("--window",), "With --cv time: train on at most this many rows before a fold.", "W", "all before it"),
    ] = None
    repeats: Annotated[int | None, Flag(("--repeats",), "Deal the rows to folds R times.", "R", "1")] = None
    metric: Annotated[
        Metric | None, Flag(("--metric",), "What the choice of a strength minimises or maximises.", None, "deviance")
    ] = None
    test: Annotated[
        tuple[str, ...],
        Flag(("--test",), "Table that is scored once, at the end, and never fitted on. Repeatable.", "FILE"),
    ] = ()
    test_size: Annotated[
        float | None,
        Flag(
            ("--test-size",),
            "Share of the rows set aside first and scored once, at the end: drawn at random, by class; with --group "
            "whole groups; with --cv time the last ones.",
            "F",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Solver:
    """When a solution is good enough."""

    tol: Annotated[
        float | None,
        Flag(("--tol",), "Largest violation of the optimality conditions.", "X", "1e-7"),
    ] = None
    solver: Annotated[
        SolverName | None,
        Flag(("--solver",), "Which solver runs; any two that can solve a problem agree.", None, "auto"),
    ] = None
    max_iter: Annotated[int | None, Flag(("--max-iter",), "Rounds a strength may take.", "N", "1000")] = None
    certify: Annotated[
        Literal["all"] | None,
        Flag(("--certify",), "Recompute every violation from the data, not only those of the reported models."),
    ] = None
    allow_unconverged: Annotated[
        bool,
        Flag(("--allow-unconverged",), "Report a model that missed --tol with a warning instead of exit 4."),
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Save:
    """What is kept of the chosen model."""

    model_out: Annotated[str | None, Flag(("-m", "--model-out"), "Write the chosen model to this file.", "PATH")] = None
    save_path: Annotated[
        bool,
        Flag(("--save-path",), "Keep the models at all strengths in the model file, for predict --lambda."),
    ] = False
    no_profile: Annotated[
        bool, Flag(("--no-profile",), "Leave counts and ranges of the training data out of the model file.")
    ] = False
    all_terms: Annotated[bool, Flag(("--all-terms",), "List coefficients that are zero too.")] = False
    threshold: Annotated[
        float | None,
        Flag(("--threshold",), "Probability from which a row is called positive.", "P", "0.5"),
    ] = None
