"""What to read, which columns play which part, and how tables are written."""

from dataclasses import dataclass
from typing import Annotated, Literal

from regcli.app.options.flag import Flag

__all__ = ["Categorical", "Data", "DataFiles", "Dates", "Drop", "Features", "Ordinal", "Reading", "Target", "Texts"]

MissingTarget = Literal["error", "drop"]
TextWeights = Literal["count", "binary", "tfidf"]
InputFormat = Literal["csv", "tsv", "parquet", "jsonl", "feather", "svm", "npz", "mtx"]

# Options of several groups, declared once.
DataFiles = Annotated[
    tuple[str, ...],
    Flag(
        (),
        "Input tables (.csv .tsv .txt .jsonl .parquet .feather .arrow .svm .npz .mtx; text also packed: .gz .bz2 .xz "
        ".zst), patterns in quotes, a directory of Parquet files, or - for standard input.",
        "DATA...",
    ),
]
Target = Annotated[
    str | None,
    Flag(("-y", "--target"), "Column to predict.", "COL", "a column named y or target, else the last one"),
]
Features = Annotated[
    tuple[str, ...],
    Flag(("--features",), "Use these columns only: a name, or a pattern with * and ?. Repeatable.", "COL"),
]
Drop = Annotated[
    tuple[str, ...],
    Flag(("--drop",), "Leave these columns out: a name, or a pattern with * and ?. Repeatable.", "COL"),
]
Categorical = Annotated[
    tuple[str, ...],
    Flag(("--categorical",), "Treat this column as categories, its cells as spelt. Repeatable.", "COL"),
]
Ordinal = Annotated[
    tuple[str, ...],
    Flag(
        ("--ordinal",),
        "Treat this column as ordered levels: a term COL>=LEVEL for every step. In the order given, else sorted. "
        "Repeatable.",
        "COL[=LOW,...,HIGH]",
    ),
]
Dates = Annotated[
    tuple[str, ...],
    Flag(
        ("--date",),
        "Treat this column as dates (ISO 8601): year(COL), month(COL), weekday(COL) and days(COL). Repeatable.",
        "COL",
    ),
]
Texts = Annotated[
    tuple[str, ...],
    Flag(("--text",), "Treat this column as text: a term word(COL,WORD) for every word. Repeatable.", "COL"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What to read and which columns play which part."""

    data: DataFiles = ()
    target: Target = None
    features: Features = ()
    drop: Drop = ()
    categorical: Categorical = ()
    ordinal: Ordinal = ()
    date: Dates = ()
    text: Texts = ()
    text_ngrams: Annotated[
        int | None, Flag(("--text-ngrams",), "Runs of up to N words are words too, from 1 to 5.", "N", "1")
    ] = None
    text_weights: Annotated[
        TextWeights | None,
        Flag(
            ("--text-weights",),
            "How words are weighted: number of occurrences, presence (0/1), or tf-idf (needs --no-standardize).",
            None,
            "count",
        ),
    ] = None
    text_min_rows: Annotated[
        int | None, Flag(("--text-min-rows",), "Leave out words in fewer than N training rows.", "N", "2")
    ] = None
    text_max_words: Annotated[
        int | None, Flag(("--text-max-words",), "Keep the N most frequent words.", "N", "10000")
    ] = None
    spline: Annotated[
        tuple[str, ...],
        Flag(
            ("--spline",),
            "Bend this column: a natural cubic spline with K knots, from 3 to 20, at quantiles of the training rows. "
            "Repeatable.",
            "COL[=K]",
            "5 knots",
        ),
    ] = ()
    min_level_count: Annotated[
        int | None,
        Flag(
            ("--min-level-count",),
            "Pool the levels of a category that fewer than N training rows have into one, (other).",
            "N",
            "1",
        ),
    ] = None
    formula: Annotated[
        str | None,
        Flag(
            ("--formula",),
            "Target and terms in one: y ~ a + b + a:b, with a*b, C(a), poly(a, D), spline(a), spline(a, K), log(a), "
            "log2, log10, log1p, sqrt, exp, abs, `quoted names`, . for all other columns and - to leave one out.",
            "F",
        ),
    ] = None
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
        MissingTarget | None,
        Flag(
            ("--missing-target",),
            "Rows without target, weight, offset, exposure, fold, group or time: error or drop.",
            None,
            "error",
        ),
    ] = None
    poly: Annotated[int | None, Flag(("--poly",), "Add the powers of numeric features up to D, from 1 to 20.", "D")] = (
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
