"""Every option, declared once.

A group is a frozen dataclass whose fields carry a ``Flag``. The same dataclasses are the request a use case receives,
the command line's parameters, the man pages and the tables of the README: nothing else lists the options. This module
imports nothing heavy, because ``--help`` does.

A field left at None (or at an empty tuple) was not given. Defaults that depend on the data are settled by the use
case; ``Flag.default`` says in words what then happens.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args

__all__ = [
    "Checks",
    "Common",
    "CvRequest",
    "Data",
    "FitRequest",
    "Flag",
    "Folds",
    "Model",
    "PathRequest",
    "Penalty",
    "PredictRequest",
    "Reading",
    "Run",
    "Save",
    "Scoring",
    "Search",
    "Solver",
    "Strengths",
    "choices",
]


@dataclass(frozen=True, slots=True)
class Flag:
    """How a field appears on the command line.

    ``names`` are its spellings (empty for a positional argument), ``help`` one sentence, ``metavar`` what stands for
    the value, ``default`` the default in words where None is not the whole truth.
    """

    names: tuple[str, ...]
    help: str
    metavar: str | None = None
    default: str | None = None


Family = Literal["gaussian", "binomial", "poisson"]
PenaltyName = Literal["none", "l1", "l2", "elasticnet", "lasso", "ridge", "ols"]
Rule = Literal["min", "1se", "aic", "bic", "ebic"]
SolverName = Literal["auto", "direct", "cg", "row-space", "moments", "lockstep", "newton"]
Standardize = Literal["all", "numeric", "none"]
Scheme = Literal["kfold", "stratified", "group", "time", "loo"]
Metric = Literal["deviance", "mse", "rmse", "mae", "r2", "logloss", "brier", "auc", "accuracy"]
Format = Literal["auto", "table", "json", "jsonl", "csv", "md", "names"]
InputFormat = Literal["csv", "tsv", "parquet"]
ScoreType = Literal["response", "link", "class", "prob"]


def choices(form: Any) -> tuple[str, ...]:  # noqa: ANN401  (a Literal form has no type of its own)
    """The words a ``Literal`` form allows."""
    return tuple(get_args(form))


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What to read and which columns play which part."""

    data: Annotated[
        tuple[str, ...],
        Flag((), "Input tables (.csv .tsv .txt .parquet), or - for standard input.", "DATA..."),
    ] = ()
    target: Annotated[
        str | None,
        Flag(("-y", "--target"), "Column to predict.", "COL", "a column named y or target, else the last one"),
    ] = None
    features: Annotated[
        tuple[str, ...],
        Flag(("--features",), "Use these columns only: a name, or a pattern with * and ?. Repeatable.", "COL"),
    ] = ()
    drop: Annotated[
        tuple[str, ...],
        Flag(("--drop",), "Leave these columns out: a name, or a pattern with * and ?. Repeatable.", "COL"),
    ] = ()
    categorical: Annotated[
        tuple[str, ...],
        Flag(("--categorical",), "Treat this column as categories, its cells as spelt. Repeatable.", "COL"),
    ] = ()
    id: Annotated[
        tuple[str, ...],
        Flag(("--id",), "Carry this column along to predictions, never fit on it. Repeatable.", "COL"),
    ] = ()
    weights: Annotated[str | None, Flag(("--weights",), "Column of importance weights, 0 or more.", "COL")] = None
    offset: Annotated[
        str | None, Flag(("--offset",), "Column added to the linear predictor with coefficient 1.", "COL")
    ] = None
    exposure: Annotated[
        str | None,
        Flag(
            ("--exposure",), "Column of exposures, above 0; its logarithm is added to the offset. For poisson.", "COL"
        ),
    ] = None
    missing: Annotated[
        tuple[str, ...],
        Flag(
            ("--missing",),
            "What becomes of missing cells in features: error stops; drop leaves the row out; mean and median fill "
            "them with what the training rows teach; indicator fills them and adds a term missing(COL). For all, or "
            "for one column or pattern as COL=POLICY. Repeatable.",
            "[COL=]POLICY",
            "error",
        ),
    ] = ()
    missing_target: Annotated[
        str | None,
        Flag(
            ("--missing-target",),
            "Rows without target, weight, offset, exposure, fold, group or time: error or drop.",
            "error|drop",
            "error",
        ),
    ] = None
    poly: Annotated[int | None, Flag(("--poly",), "Add the powers of numeric features up to D, from 2 to 10.", "D")] = (
        None
    )
    interactions: Annotated[
        tuple[str, ...],
        Flag(
            ("--interactions",),
            "Add the products of two features: names, or patterns with * and ?. Repeatable.",
            "A:B",
        ),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How input tables are written."""

    na_values: Annotated[
        str | None,
        Flag(
            ("--na-values",),
            "Cells that mean missing, comma-separated.",
            "LIST",
            '"",NA,NaN,nan,null; in predict the model\'s',
        ),
    ] = None
    delimiter: Annotated[str | None, Flag(("--delimiter",), "Column separator.", "CHAR", "found from , ; tab |")] = None
    decimal: Annotated[str | None, Flag(("--decimal",), "Decimal mark.", "CHAR", ".")] = None
    encoding: Annotated[str | None, Flag(("--encoding",), "Text encoding.", "NAME", "utf-8")] = None
    no_header: Annotated[bool, Flag(("--no-header",), "The first line is data; columns are named c1, c2, ...")] = False
    input_format: Annotated[
        InputFormat | None,
        Flag(("--input-format",), "Format of the input, whatever its name.", None, "from the suffix; csv for -"),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What is modelled."""

    family: Annotated[
        Family | None, Flag(("--family",), "Distribution of the target.", None, "from the target's values")
    ] = None
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
            "A[,A...]",
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
    gap: Annotated[int | None, Flag(("--gap",), "With --cv time: rows left out just before a fold.", "G", "0")] = None
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
    no_profile: Annotated[
        bool, Flag(("--no-profile",), "Leave counts and ranges of the training data out of the model file.")
    ] = False
    all_terms: Annotated[bool, Flag(("--all-terms",), "List coefficients that are zero too.")] = False
    threshold: Annotated[
        float | None,
        Flag(("--threshold",), "Probability from which a row is called positive.", "P", "0.5"),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What must hold of the result."""

    checks: Annotated[
        tuple[str, ...],
        Flag(
            ("--assert",),
            "Leave with exit status 1, and write no model, unless this holds of the result: a comparison of names "
            'from the JSON document, or several joined by and, or, not; coef["NAME"] is the estimate of a term. '
            "Repeatable.",
            "EXPR",
        ),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How the work is done; no number depends on --jobs."""

    jobs: Annotated[int | None, Flag(("-j", "--jobs"), "Threads.", "N", "usable cores")] = None
    seed: Annotated[int | None, Flag(("--seed",), "Seed of folds and splits.", "N", "0")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """How rows are scored with a saved model."""

    model: Annotated[str, Flag((), "Model file written by fit or cv with --model-out.", "MODEL")] = ""
    data: Annotated[
        tuple[str, ...],
        Flag((), "Tables to score (.csv .tsv .txt .parquet), or - for standard input.", "DATA..."),
    ] = ()
    type: Annotated[
        ScoreType | None,
        Flag(("--type",), "What prediction means.", None, "response"),
    ] = None
    id: Annotated[
        tuple[str, ...],
        Flag(("--id",), "Column to carry along. Repeatable.", "COL", "those the model was fitted with"),
    ] = ()
    append: Annotated[bool, Flag(("--append",), "Carry every input column along.")] = False
    prefix: Annotated[str | None, Flag(("--prefix",), "Put P before the names of new columns.", "P")] = None
    on_bad_row: Annotated[
        Literal["error", "null", "skip"] | None,
        Flag(
            ("--on-bad-row",),
            "A row that cannot be scored: stop, leave its prediction empty, or leave it out.",
            None,
            "error",
        ),
    ] = None
    unknown_level: Annotated[
        Literal["error", "zero"] | None,
        Flag(
            ("--unknown-level",),
            "A category the model has not seen: stop, or score it as none of its levels.",
            None,
            "error",
        ),
    ] = None
    threshold: Annotated[
        float | None,
        Flag(("--threshold",), "Probability from which a row is called positive.", "P", "the model's"),
    ] = None
    metrics_out: Annotated[
        str | None,
        Flag(("--metrics-out",), "Write the metrics to this file when the target is in the data.", "PATH"),
    ] = None
    no_verify: Annotated[bool, Flag(("--no-verify",), "Do not check the model's content id and probe rows.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """Accepted before or after every command."""

    output: Annotated[
        str | None,
        Flag(("-o", "--output"), "Write the result to this file; its suffix sets the format.", "PATH", "stdout"),
    ] = None
    format: Annotated[
        Format | None,
        Flag(("-f", "--format"), "Format of the result.", None, "table on a terminal, json in a pipe"),
    ] = None
    json: Annotated[bool, Flag(("--json",), "Result and errors as JSON.")] = False
    quiet: Annotated[
        int,
        Flag(("-q", "--quiet"), "Guesses, warnings and errors only on stderr; -qq errors only."),
    ] = 0
    verbose: Annotated[int, Flag(("-v", "--verbose"), "Tell on stderr how the work is done.")] = 0
    color: Annotated[Literal["auto", "always", "never"] | None, Flag(("--color",), "Colour.", None, "auto")] = None
    no_progress: Annotated[bool, Flag(("--no-progress",), "Show no progress on a terminal.")] = False
    strict: Annotated[bool, Flag(("--strict",), "Every warning is an error.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRequest:
    """Everything ``path`` may be told."""

    data: Data = field(default_factory=Data)
    reading: Reading = field(default_factory=Reading)
    model: Model = field(default_factory=Model)
    penalty: Penalty = field(default_factory=Penalty)
    strengths: Strengths = field(default_factory=Strengths)
    solver: Solver = field(default_factory=Solver)
    run: Run = field(default_factory=Run)


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRequest:
    """Everything ``fit`` may be told; ``cv`` may be told the same."""

    data: Data = field(default_factory=Data)
    reading: Reading = field(default_factory=Reading)
    model: Model = field(default_factory=Model)
    penalty: Penalty = field(default_factory=Penalty)
    strengths: Strengths = field(default_factory=Strengths)
    search: Search = field(default_factory=Search)
    folds: Folds = field(default_factory=Folds)
    solver: Solver = field(default_factory=Solver)
    checks: Checks = field(default_factory=Checks)
    save: Save = field(default_factory=Save)
    run: Run = field(default_factory=Run)


@dataclass(frozen=True, slots=True, kw_only=True)
class CvRequest(FitRequest):
    """The request of ``cv``: that of ``fit``, reported with the whole curve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictRequest:
    """Everything ``predict`` may be told."""

    scoring: Scoring = field(default_factory=Scoring)
    checks: Checks = field(default_factory=Checks)
    reading: Reading = field(default_factory=Reading)
