"""How rows are scored with a saved model."""

from dataclasses import dataclass
from typing import Annotated, Literal

from regcli.app.options.flag import Flag

__all__ = ["Checking", "Scoring"]

ScoreType = Literal["response", "link", "class", "prob", "terms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """How rows are scored with a saved model."""

    model: Annotated[str, Flag((), "Model file written by fit or cv with --model-out.", "MODEL")] = ""
    data: Annotated[
        tuple[str, ...],
        Flag(
            (),
            "Tables to score: files, patterns in quotes, a directory of Parquet files, or - for standard input.",
            "DATA...",
        ),
    ] = ()
    type: Annotated[
        ScoreType | None,
        Flag(
            ("--type",),
            "What prediction means; terms is link with its parts beside it, estimate x value of every term.",
            None,
            "response",
        ),
    ] = None
    lam: Annotated[
        float | None,
        Flag(
            ("-l", "--lambda"),
            "Score with the model at this strength of the path that fit --save-path kept; between two strengths of it "
            "coefficients are interpolated.",
            "V",
            "the strength that fit chose",
            apart=True,
        ),
    ] = None
    id: Annotated[
        tuple[str, ...],
        Flag(("--id",), "Column to carry along. Repeatable.", "COL", "those the model was fitted with"),
    ] = ()
    append: Annotated[
        bool,
        Flag(("--append",), "Carry every input column along, as spelt: text, also in JSON; CSV has commas between."),
    ] = False
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
    missing: Annotated[
        tuple[str, ...],
        Flag(
            ("--missing",),
            "What becomes of missing cells, in place of what the model learnt: error, drop (leaves the row out), mean "
            "or median (of training rows). For all columns, or for one column or pattern as COL=POLICY. Repeatable.",
            "[COL=]POLICY",
            "as the model learnt",
        ),
    ] = ()
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
class Checking:
    """Which data are held against which model."""

    model: Annotated[
        str,
        Flag(
            (),
            "Model file written by fit or cv with --model-out. Without MODEL and DATA the checks are made that the "
            "configuration file names.",
            "[MODEL]",
            optional=True,
        ),
    ] = ""
    data: Annotated[
        tuple[str, ...],
        Flag(
            (),
            "Tables to check: files, patterns in quotes, a directory of Parquet files, or - for standard input.",
            "[DATA...]",
            optional=True,
        ),
    ] = ()
    no_verify: Annotated[bool, Flag(("--no-verify",), "Do not check the model's content id and probe rows.")] = False
    dry_run: Annotated[
        bool,
        Flag(
            ("--dry-run",),
            "Read the models and what is asked, find the data and say what would be checked; read no data.",
            in_file=False,
        ),
    ] = False
