"""What help and manual say beside the options: sentences, examples, exit statuses, variables, files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from regcli.app.options import (
    CheckRequest,
    CvRequest,
    DiffRequest,
    ExportRequest,
    FitRequest,
    Flag,
    InspectRequest,
    PathRequest,
    PredictRequest,
    ShowRequest,
)

__all__ = [
    "COMMANDS",
    "ENVIRONMENT",
    "EXIT_STATUS",
    "OBJECTIVE",
    "REPEATED",
    "SUMMARY",
    "CommandText",
    "Example",
    "ManRequest",
    "SchemaRequest",
    "epilog",
]

SUMMARY = "Fit lasso, ridge and elastic-net regression from the command line."

OBJECTIVE = """\
minimise over (b0, b):
  sum_i w_i loss(y_i, offset_i + b0 + x_i'b)
  + lambda * sum_j v_j [ l1_ratio |b_j| + (1 - l1_ratio)/2 b_j^2 ]"""

_OBJECTIVE_WORDS = (
    "The weights w are divided by their sum. The loss is half the unit deviance up to a constant, with eta = offset + "
    "b0 + x'b: (y - eta)^2 / 2 for gaussian, log(1 + exp(eta)) - y eta for binomial, exp(eta) - y eta for poisson. "
    "Columns are centred and scaled by their weighted 1/n standard deviation before the penalty applies, and "
    "coefficients are reported on the scale of the data. The intercept is never penalised. Penalty factors v are used "
    "as given; 0 means never penalised. This is the documented objective of glmnet and of scikit-learn's ElasticNet; "
    "glmnet's own gaussian family divides the L2 part by the standard deviation of the target, and so does --compat "
    "glmnet."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaName:
    """Which schema."""

    name: Annotated[
        str | None,
        Flag(
            (),
            "fit, path, cv, model, scorer, metrics, check, checks, diff, inspect, config, plan, error, or codes.",
            "[NAME]",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaRequest:
    """Everything ``schema`` may be told."""

    which: SchemaName = field(default_factory=SchemaName)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageName:
    """Which manual page."""

    name: Annotated[str | None, Flag((), "A command.", "[NAME]")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManRequest:
    """Everything ``man`` may be told."""

    which: PageName = field(default_factory=PageName)


@dataclass(frozen=True, slots=True)
class Example:
    """A command line and what it is for."""

    line: str
    purpose: str


@dataclass(frozen=True, slots=True)
class CommandText:
    """A command's words: one sentence, paragraphs of description, examples; and the dataclass of its options."""

    summary: str
    description: tuple[str, ...]
    examples: tuple[Example, ...]
    request: type
    usage: str = "[OPTIONS] DATA..."


_FIT = CommandText(
    summary="Fit one regularized regression model and report its coefficients.",
    description=(
        (
            "Without a penalty strength, fit cross-validates a grid of them and reports the model that --rule chooses. "
            "With one strength, or with --penalty none, it fits that model; a fold option has it scored as well."
        ),
        (
            "With --rule aic, bic or ebic an information criterion chooses: -2 log-likelihood + c df, with c = 2, log "
            "n or log n + 2 log p. No cross-validation runs then, unless a fold option asks for it."
        ),
        "The model solves",
        OBJECTIVE,
        _OBJECTIVE_WORDS,
    ),
    examples=(
        Example("regcli fit data.csv --penalty l1", "lasso, strength chosen by cross-validation"),
        Example("regcli fit data.csv -y churned --rule 1se -m model.json", "logistic regression, saved"),
        Example(
            "regcli fit data.csv -y claims --family poisson --exposure days", "counts in different lengths of time"
        ),
        Example("regcli fit data.csv --assert 'metrics.cv.r2 > 0.6'", "exit status 1 if the model is not good enough"),
    ),
    request=FitRequest,
)

_PATH = CommandText(
    summary="Compute coefficients along a path of penalty strengths.",
    description=(
        (
            "The path starts at the smallest strength at which every penalised coefficient is zero and goes down. Like "
            "glmnet's, a generated path ends early when the deviance hardly changes any more; the result then says so. "
            "Strengths given with --lambda are all walked."
        ),
        "At each strength the model solves",
        OBJECTIVE,
        _OBJECTIVE_WORDS,
    ),
    examples=(
        Example("regcli path data.csv -y price", "which columns enter, and when"),
        Example("regcli path data.csv -y price -f csv -o path.csv", "long table: lambda, term, estimate"),
        Example("regcli path data.csv -y price -l 1,0.1,0.01", "three strengths"),
    ),
    request=PathRequest,
)

_CV = CommandText(
    summary="Cross-validate penalty strengths and report the whole curve.",
    description=(
        (
            "The same run as regcli fit, always cross-validated; the document adds the mean and standard error of "
            "every strength, the score of every fold, and the two strengths that the rules min and 1se choose. Where "
            "fit is cross-validated too, its numbers are the same."
        ),
        "On the training rows of each fold, and then on all rows, the model solves",
        OBJECTIVE,
        _OBJECTIVE_WORDS,
        (
            "Centring, scaling, the fills of missing cells and everything else that is learnt from the data is learnt "
            "on the training rows of each fold. Rows that belong together need --group, rows in time --order-by: dealt "
            "one by one they make a model look better than it is."
        ),
        (
            "In time every fold is predicted from the rows before it, the folds of scikit-learn's TimeSeriesSplit, "
            "except that rows at one time stay together; --gap and --window count rows. With several --l1-ratio the "
            "one with the best mean is reported, and every curve is in the document."
        ),
    ),
    examples=(
        Example("regcli cv data.csv -y price", "the curve and both choices"),
        Example("regcli cv data.csv -y churned --metric auc --folds 5", "choose by area under the curve"),
        Example("regcli cv data.csv -y price --group shop", "rows of a shop stay in one fold"),
        Example("regcli cv data.csv -y price --order-by date --gap 30", "folds in time, each predicted from before"),
    ),
    request=CvRequest,
)

_PREDICT = CommandText(
    summary="Score rows with a saved model.",
    description=(
        (
            "Writes CSV: the columns named by --id, then the prediction. Rows keep their order and are streamed: "
            "memory does not grow with their number, and from a pipe they are scored as they arrive. Only the columns "
            "with a nonzero coefficient are needed, and the offset or exposure if the model has one."
        ),
        (
            "To standard output an error may come after rows were written; with -o the file is whole or not there. "
            "When the target is in the data, metrics are shown on standard error: of the rows whose target is usable, "
            "weighted by the model's weights if they are in the data too. Of more than 2,000,000 rows there is no auc. "
            "With --json the metrics, as --metrics-out writes them, and every warning are lines of JSON there."
        ),
        (
            "--type terms writes the linear predictor and beside it what it is the sum of: (intercept), (offset) if "
            "the model has one, and term(NAME) for every term with a nonzero coefficient, estimate x value. Added up "
            "from left to right in double precision they are the prediction to the last digit."
        ),
    ),
    examples=(
        Example("regcli predict model.json new.csv -o scores.csv", "one prediction per row"),
        Example("regcli predict model.json new.csv --type prob --append", "probabilities beside the input"),
        Example("cat new.csv | regcli predict model.json -", "from standard input"),
    ),
    request=PredictRequest,
    usage="[OPTIONS] MODEL DATA...",
)

_INSPECT = CommandText(
    summary="Say what is in a table before anything is fitted.",
    description=(
        (
            "Reads the table as fit would and reports each column (type, missing cells, values, spread), the target "
            "and the family that fit would guess, rows and columns that are repeated, columns that nearly are "
            "multiples of each other, probable identifiers, columns that alone tell the target, and the memory that "
            "a fit takes."
        ),
        (
            "What fit would refuse in the cells is a finding with the code of fit's error and the option that helps, "
            "and the exit status is 0; with --strict the first is an error. A file that cannot be read is one always."
        ),
        (
            "Correlations between columns are looked for in at most 100,000 rows, drawn with a fixed seed (fewer where "
            "there are more than 100 columns), and measured on all rows where they are found. Repeated rows are "
            "compared in the target and the features; --drop leaves a column out of that too."
        ),
    ),
    examples=(
        Example("regcli inspect data.csv -y price", "what there is, and what is in the way of a fit"),
        Example("regcli inspect data.csv --strict -q -o report.json", "stop a script where fit would stop"),
        Example("regcli inspect data.csv -f csv", "a row for each column"),
    ),
    request=InspectRequest,
)

_SHOW = CommandText(
    summary="Print a saved model or any document of regcli's.",
    description=(
        (
            "DOC is a model, or what fit, cv, path, predict --metrics-out or inspect wrote as JSON. On a terminal it "
            "is shown as the command would have; in a pipe it is JSON again, unless -f says otherwise. Several are "
            "shown one after the other, which JSON and CSV cannot be. A model is checked against its content id and "
            "probe rows."
        ),
        (
            "--equation writes the model of fit, cv or a model file as one line. Terms have the names they have in "
            "coefficients: chas=1 is 1 where the cell is that level and 0 elsewhere. Names that are more than one "
            "word are in backquotes. For classes it is the logit of a probability, for counts the logarithm of the "
            "mean; an exposure enters as its logarithm."
        ),
        "A document of a later schema, a damaged one and any other file are refused; nothing is printed then.",
    ),
    examples=(
        Example("regcli show model.json", "what a saved model is"),
        Example("regcli show model.json --equation --digits 3", "the model as a line of text"),
        Example("regcli fit data.csv --json | regcli show - -f md", "a table for a report"),
    ),
    request=ShowRequest,
    usage="[OPTIONS] DOC...",
)

_EXPORT = CommandText(
    summary="Write a scorer that works without regcli.",
    description=(
        (
            "The scorer gives the link (the linear predictor), the response and, for classes, the class at the model's "
            "threshold: what predict gives with --type link, response and class. It carries the encoding of "
            "categories, the fills of missing cells, powers, products, functions, parts of dates, words, offset and "
            "exposure, and says which model it is."
        ),
        (
            "sql is one SELECT for SQLite, DuckDB and PostgreSQL; python one file that needs the standard library; c "
            "one file of C99; onnx a graph in double precision; pmml a PMML 4.4 regression model; json the scorer as "
            "data, regcli.scorer/1. python and c test themselves with --self-test. Each says in its head how it is "
            "used."
        ),
        (
            "Rows that predict refuses, with a missing cell that the model does not fill or a category that it does "
            "not know, have no result: NULL, None, NaN or an empty cell. So do texts with letters that a language does "
            "not know."
        ),
    ),
    examples=(
        Example("regcli export model.json --to sql --table customers -o score.sql", "scores in a database"),
        Example("regcli export model.json --to python -o scorer.py", "scores where Python is"),
        Example("regcli export model.json --to c -o scorer.c", "scores where a C compiler is"),
    ),
    request=ExportRequest,
    usage="--to sql|python|c|onnx|pmml|json [OPTIONS] MODEL",
)

_CHECK = CommandText(
    summary="Hold new data against a saved model, without fitting.",
    description=(
        (
            "The model file knows what it was trained on: columns, their types and levels, ranges, and how often cells "
            "were missing. check reads the data once, in constant memory, and counts what is not so, with the place of "
            "the first such cell: columns that are absent or of another type, categories that the model has not seen, "
            "numbers out of the training range, missing cells. Columns without a coefficient may be absent, and other "
            "columns may be there. When the target is in the data, metrics are computed as well."
        ),
        (
            "The exit status is 1 if a row cannot be scored, as predict would refuse it; what predict would survive is "
            "a warning. With --strict every violation is an error with the status of its class. The document is "
            "printed in every case, as long as the data can be read. --assert may ask for more: missing, out_of_range "
            "and unknown_levels hold the share of the rows, by column of the model."
        ),
        (
            "drift says how far each column has moved from the training rows, 'drift.age.psi < 0.2' for --assert. psi "
            "is the population stability index, sum (p - q) ln(p / q), over the ten bins between the deciles of the "
            "training rows, or over the levels of a category and one bin for levels that are not known; a share below "
            "0.0001 counts as 0.0001. ks is the distance of Kolmogorov and Smirnov as far as the deciles tell: the "
            "true one is at least that and at most 0.1 more. Without change psi is about 9 (1/n + 1/m) for n and m "
            "rows, so small tables say little. Where the model has no profile both are null, and a check of them "
            "fails. --max-psi and --max-ks are limits for all columns."
        ),
        (
            "Without MODEL and DATA every check is made that the configuration file names: a table [[check]] each, "
            "with model, data, perhaps a name, and options of this command as keys. Files lie beside the configuration "
            "file. All checks are made, whatever becomes of the others; the exit status is the worst, where an error "
            "outranks a check that fails. Options on the command line hold for every check."
        ),
    ),
    examples=(
        Example("regcli check model.json new.csv", "what predict would meet"),
        Example("regcli check model.json new.csv --assert 'missing.age < 0.05'", "a gate"),
        Example("regcli check model.json new.parquet -f csv -o findings.csv", "the findings as a table"),
        Example("regcli check --report junit=checks.xml", "every check that regcli.toml names"),
    ),
    request=CheckRequest,
    usage="[OPTIONS] [MODEL DATA...]",
)

_DIFF = CommandText(
    summary="Compare two models or results.",
    description=(
        (
            "A and B are two of models, fits and cvs, or two paths, as JSON. Told are terms that came in or went out, "
            "or changed sign or size; the intercept; the strength; settings, target and classes where they differ; and "
            "the metrics, unless one of the two is a model, which has none. A term that is not listed has coefficient "
            "zero. Paths are compared at the strengths that both have, each term where it is furthest apart."
        ),
        (
            "Two numbers are the same when they differ by at most --tol times the larger, or by a share of the largest "
            "number of their kind that is --tol too, but never more than 1e-7. For a coefficient the largest is that "
            "of the estimates per standard deviation, so that units of columns do not matter; for a metric it is the "
            "largest of its name in either document. Between kinds of processor the last digits of a fit may differ; "
            "--tol 1e-6, the default, passes over that."
        ),
        (
            "absolute is B - A and relative that as a share of the size of A. -f md is a table for a pull request. The "
            "exit status is 0 whatever was found, unless --exit-code is given."
        ),
    ),
    examples=(
        Example("regcli diff old.json new.json", "what changed between two models"),
        Example("regcli diff old.json new.json --tol 0.05 -f md -o comment.md", "changes above 5% as a comment"),
        Example("regcli fit data.csv --json | regcli diff fit.json - --exit-code -q", "does a fit still come out so"),
    ),
    request=DiffRequest,
    usage="[OPTIONS] A B",
)

_SCHEMA = CommandText(
    summary="Print a JSON Schema of regcli's documents.",
    description=(
        (
            "NAME is fit, path, cv, model, scorer, metrics, check, checks, diff, inspect, config, plan or error; codes "
            "lists every code of errors, warnings and notes with its exit status and meaning. Without NAME the names "
            "are printed."
        ),
    ),
    examples=(
        Example("regcli schema fit", "JSON Schema of the document that fit prints"),
        Example("regcli schema codes", "every code of errors and warnings"),
    ),
    request=SchemaRequest,
    usage="[OPTIONS] [NAME]",
)

_MAN = CommandText(
    summary="Show a manual page.",
    description=(
        (
            "NAME is a command; without it the overview is shown. On a terminal the page opens in man(1), otherwise it "
            "is printed as plain text."
        ),
    ),
    examples=(
        Example("regcli man", "the overview"),
        Example("regcli man fit", "the page of regcli fit"),
    ),
    request=ManRequest,
    usage="[OPTIONS] [NAME]",
)

COMMANDS: Mapping[str, CommandText] = {
    "fit": _FIT,
    "path": _PATH,
    "cv": _CV,
    "predict": _PREDICT,
    "check": _CHECK,
    "inspect": _INSPECT,
    "show": _SHOW,
    "diff": _DIFF,
    "export": _EXPORT,
    "schema": _SCHEMA,
    "man": _MAN,
}

#: As of cp and git: an alias may be overridden behind it.
REPEATED = (
    "Of an option that takes one value and is given several times the last one counts; those that are repeatable add "
    "up. What stands behind the command's name wins over what stands before it."
)

EXIT_STATUS: Mapping[int, str] = {
    0: "success",
    1: "a check you asked for failed",
    2: "the command line cannot be used",
    3: "the input data cannot be used",
    4: "the fit failed",
    5: "the model file cannot be used",
    6: "the output was not written",
    7: "out of memory or time, with nothing usable",
    70: "a bug in regcli",
    129: "hung up",
    130: "interrupted",
    141: "the reader of the output has gone",
    143: "terminated",
}

ENVIRONMENT: Mapping[str, str] = {
    "REGCLI_JOBS": "Threads and processes, where --jobs is not given.",
    "REGCLI_FORMAT": "Format of results, where --format is not given and no output file sets it.",
    "REGCLI_COLOR": "auto, always or never, where --color is not given.",
    "REGCLI_PROGRESS": "0 shows no progress.",
    "REGCLI_QUIET": "1 or 2, like -q and -qq.",
    "REGCLI_CONFIG": "Configuration file, where --config is not given.",
    "REGCLI_MAX_MEMORY": "A size or a share, where --max-memory is not given.",
    "REGCLI_MAX_SECONDS": "Seconds, where --max-seconds is not given.",
    "NO_COLOR": "Any value: no colour.",
    "FORCE_COLOR": "Any value: colour where there is no terminal too.",
    "GITHUB_ACTIONS": "true: the run is a step of GitHub Actions, whose commands no name may spell.",
    "GITHUB_STEP_SUMMARY": "Of steps of GitHub Actions: a file that fit, cv, check and diff add their result to.",
}


def epilog(name: str | None) -> str:
    """What stands under the options in ``--help``: examples of a command, exit statuses of the whole.

    Lines are kept apart as paragraphs of one line, which is the one spelling that Typer keeps on a terminal and in a
    pipe alike.
    """
    if name is None:
        return "Exit status: " + "; ".join(f"{status} {meaning}" for status, meaning in EXIT_STATUS.items()) + "."
    lines = [f"{example.line}  # {example.purpose}" for example in COMMANDS[name].examples]
    return "\n\n".join(["Examples:", *lines])
