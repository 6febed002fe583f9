"""Everything that can go wrong, in one tree.

::

    RegcliError                      exit
    ├─ CheckFailedError              1     a check the user asked for said no
    ├─ UsageError                    2     options that contradict, cannot have an effect, or cannot be read
    ├─ DataError                     3     the table cannot be used
    ├─ FitError                      4     the arithmetic has no usable answer
    ├─ ModelFileError                5     a saved model is unreadable or does not fit
    ├─ OutputError                   6     a result could not be written
    └─ ResourceError                 7     out of memory or time with nothing usable

Every error carries a stable ``code`` (listed in ``CODES`` and printed by ``regcli schema codes``), a sentence, and
facts: file, line, column, the first offending cells, near names, and a hint that names the way out. They are plain
exceptions. One boundary (``regcli.cli.boundary``) turns them into text or JSON and an exit status; anything that is
not a ``RegcliError`` is a bug and leaves with 70.
"""

import errno
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

__all__ = [
    "CODES",
    "NOTE_CODES",
    "NO_ROOM",
    "WARNING_CODES",
    "CheckFailedError",
    "DataError",
    "FitError",
    "Location",
    "ModelFileError",
    "OutputError",
    "RegcliError",
    "ResourceError",
    "UsageError",
    "Warn",
    "counted",
    "error_class",
    "listed",
]


#: What the system says where there is no room for what is written.
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class Location:
    """Where something was found: a file, a line of it (from 1), a column by name. Unknown parts are None.

    ``row`` is used where a format has no lines (Parquet): the row's number, counted from 1.
    """

    file: str | None = None
    line: int | None = None
    column: str | None = None
    row: int | None = None

    @property
    def told(self) -> str:
        """The place in words, empty where none is known."""
        file = self.file or ""
        if self.line is not None:
            file = f"{file}:{self.line}" if file else f"line {self.line}"
        row = "" if self.row is None else f"row {self.row}"
        column = "" if self.column is None else f"column {self.column!r}"
        return ", ".join(part for part in (file, row, column) if part)


class RegcliError(Exception):
    """An error regcli knows how to explain.

    Parameters
    ----------
    code : str
        A stable name from ``CODES``.
    message : str
        One sentence: what is wrong.
    hint : str or None
        The way out: an option, a command, a change to the file.
    where : Location
        File, line and column, as far as they are known.
    cells : sequence of str
        The first offending cells, as spelt.
    near : sequence of str
        Names close to one that was not found.
    """

    exit_code = 70

    def __init__(  # the facts of an error are its parameters
        self,
        code: str,
        message: str,
        *,
        hint: str | None = None,
        where: Location | None = None,
        cells: Sequence[str] = (),
        near: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.where = where or Location()
        self.cells = tuple(cells)
        self.near = tuple(near)


class CheckFailedError(RegcliError):
    """A check the user asked for did not hold."""

    exit_code = 1


class UsageError(RegcliError):
    """The options contradict each other, cannot have an effect or cannot be read."""

    exit_code = 2


class DataError(RegcliError):
    """The input table cannot be used as it stands."""

    exit_code = 3


class FitError(RegcliError):
    """The problem has no usable answer: separated, under-determined, or not converged."""

    exit_code = 4


class ModelFileError(RegcliError):
    """A saved model is unreadable, altered, or of another schema."""

    exit_code = 5


class OutputError(RegcliError):
    """A result could not be written. What stood at its place before still stands."""

    exit_code = 6


class ResourceError(RegcliError):
    """Out of memory or time before anything usable was found."""

    exit_code = 7


def error_class(status: int) -> type[RegcliError]:
    """The class of the errors that leave with an exit status."""
    return next(kind for kind in RegcliError.__subclasses__() if kind.exit_code == status)


@dataclass(frozen=True, slots=True)
class Warn:
    """Something the user should know although the run goes on.

    ``facts`` are further keys of the warning's JSON entry (counts, column names). Under ``--strict`` a warning is an
    error that leaves with the status of its class, ``WARNING_CODES[code][0]``.
    """

    code: str
    message: str
    facts: dict[str, object] = field(default_factory=dict)


def counted(size: int, noun: str) -> str:
    """A number of things, for a message: 1 cell, 2 cells."""
    return f"{size:,} {noun}" if size == 1 else f"{size:,} {noun}s"


def listed(names: Collection[str], most: int) -> str:
    """The first names, for a message: a, b, c, ..."""
    return ", ".join(list(names)[:most]) + (", ..." if len(names) > most else "")


#: Stable codes of errors: code -> (exit status, when it is raised).
CODES: MappingProxyType[str, tuple[int, str]] = MappingProxyType(
    {
        "usage": (2, "the command line cannot be read"),
        "unknown-option-value": (2, "an option's value is not one of its choices or not a number in its range"),
        "option-without-effect": (2, "an option was given that cannot have an effect here"),
        "bad-formula": (2, "--formula cannot be read"),
        "config-invalid": (
            2,
            "a configuration file that cannot be read, or an option or value in it that does not exist",
        ),
        "conflicting-options": (2, "two options exclude each other"),
        "column-in-two-roles": (2, "one column was given two roles"),
        "family-ambiguous": (2, "the target has two values that are not 0 and 1: say --family"),
        "family-not-available": (2, "the family that fits this target is not built yet"),
        "limit-excludes-zero": (2, "a coefficient's limits do not contain 0"),
        "unsupported-source": (2, "the input is not a local path"),
        "not-installed": (2, "what was asked for needs a package that is not installed"),
        "not-exportable": (2, "the model has a part that has no form in the language it was to be exported to"),
        "unknown-schema": (2, "no schema of that name"),
        "unknown-page": (2, "no manual page of that name"),
        "file-not-found": (3, "an input file does not exist"),
        "file-unreadable": (3, "an input file cannot be opened or is not what its suffix says"),
        "file-changed": (3, "an input file was written to while it was read"),
        "decompression-bomb": (3, "a packed input unpacks to far more than tables do"),
        "broken-line": (3, "a line that is not what its format says: JSON Lines, LIBSVM, Matrix Market"),
        "empty-file": (3, "an input file has no header or no rows, or none of several has a row"),
        "no-rows": (3, "no row is left to fit on"),
        "encoding": (3, "bytes that are not text in the stated encoding"),
        "nul-byte": (3, "a NUL byte in a text file"),
        "broken-quoting": (3, "a quoted cell is not closed or is followed by stray characters"),
        "ragged-row": (3, "a row is wider or narrower than the header"),
        "duplicate-column": (3, "two columns have the same name"),
        "empty-column-name": (3, "a column has no name"),
        "columns-differ": (3, "several files do not have the same columns"),
        "column-not-found": (3, "a named column is not in the file, or a pattern matches none"),
        "text-in-numeric-column": (3, "a column of numbers has cells that are not numbers"),
        "infinite-value": (3, "a cell is infinite or too large for double precision"),
        "missing-values": (3, "a column that is used has missing cells"),
        "missing-target": (3, "rows without target, weight, offset, exposure, fold, group or time"),
        "probable-identifier": (3, "a text column with more than 50 levels was not declared"),
        "undeclared-date": (3, "a text column of dates was not declared"),
        "bad-date": (3, "a cell of a --date column is no date"),
        "document-unreadable": (3, "a file is no document of regcli's, or a damaged one"),
        "document-schema": (3, "a document of a schema that this version does not know"),
        "unsupported-type": (3, "a column's type is not supported"),
        "constant-target": (3, "the target has one value only"),
        "one-class": (3, "the target has one class only"),
        "rare-class": (3, "a class has a single row"),
        "target-domain": (3, "the target has values the family does not allow"),
        "bad-weights": (3, "a weight is negative or all weights are zero"),
        "bad-exposure": (3, "an exposure is not above 0"),
        "bad-order": (3, "the column that orders rows holds neither numbers nor ISO dates"),
        "bad-folds": (3, "the folds do not fit the data"),
        "no-features": (3, "no column is left to fit with"),
        "duplicate-term": (3, "two terms of the model, or two of its columns, have the same name"),
        "value-range": (3, "values so large or so small that their squares overflow or vanish"),
        "unknown-level": (3, "a category that the model has not seen"),
        "bad-row": (3, "a row that cannot be scored"),
        "under-determined": (4, "fewer rows than columns and nothing penalises them"),
        "separated": (4, "coefficients that nothing penalises grow without end, as between separated classes"),
        "not-converged": (4, "the chosen model did not reach the tolerance"),
        "model-unreadable": (5, "a model file is not JSON of the expected shape"),
        "model-schema": (5, "a model file of another schema"),
        "model-altered": (5, "a model's content id or probe results do not match its content"),
        "output-exists": (6, "the output path is a directory or another thing that cannot be replaced"),
        "output-failed": (6, "writing failed"),
        "out-of-memory": (7, "not enough memory, or more than --max-memory allows"),
        "out-of-time": (7, "--max-seconds passed with nothing usable"),
        "table-too-large": (7, "a sparse table whose cells would take too much memory"),
        "too-many-lanes": (7, "more models than leave-one-out is for"),
        "check-failed": (1, "a check you asked for failed"),
        "internal": (70, "a bug in regcli"),
    }
)

#: Stable codes of warnings: code -> (exit status under --strict, when it is given).
WARNING_CODES: MappingProxyType[str, tuple[int, str]] = MappingProxyType(
    {
        "target-guessed": (2, "no --target was given"),
        "family-guessed": (2, "no --family was given"),
        "delimiter-guessed": (2, "the delimiter was found by looking and is not a comma"),
        "empty-part": (3, "of several files some have no row; they are passed over"),
        "same-file": (3, "a file is read twice, or two files hold the same"),
        "leading-zeros": (3, "an undeclared column of numbers has leading zeros in the first 1,000 rows"),
        "probable-identifier": (3, "a column of integers that seems to name rows, as numbers of customers do"),
        "constant-column": (3, "a column with one value was left out"),
        "no-words": (3, "a --text column without a word that is frequent enough was left out"),
        "all-missing-column": (3, "a column without any value was left out"),
        "rows-dropped": (3, "rows with missing cells were left out"),
        "imputed": (3, "missing cells of features were filled"),
        "column-not-found": (3, "no line of JSON Lines has a column that the model needs, and fills"),
        "duplicate-columns": (3, "columns that carry the same values"),
        "collinear-columns": (3, "columns that are multiples of each other, shifted or not"),
        "aliased": (3, "an unpenalised column that depends on the others was set aside"),
        "nearly-dependent": (3, "the others nearly make up an unpenalised column, whose estimate is worth little"),
        "rare-class": (3, "a class has fewer than eight rows"),
        "fewer-folds": (3, "fewer folds than usual, because there are few rows"),
        "same-folds": (3, "every one of --repeats has the same folds, as where each group is a fold of its own"),
        "lambda-zero-left-out": (4, "strength 0 has no answer here and was left out of the list"),
        "lambda-max-zero": (4, "no column is related to the target: every strength gives the null model"),
        "lambda-at-edge": (4, "the best strength is the first or the last of the grid"),
        "not-converged": (4, "a strength or fold did not reach the tolerance"),
        "rounding-floor": (4, "the reported model holds as far as double precision can write it, not to the tolerance"),
        "one-class-fold": (3, "auc has no value in a fold with one class"),
        "rows-skipped": (3, "rows that could not be scored were left out or are empty"),
        "unknown-level": (3, "categories that the model has not seen were scored as none of its levels"),
        "target-domain": (3, "targets that the model was not fitted for do not count in the metrics"),
        "bad-weights": (3, "weights that are none: their rows do not count in the metrics"),
        "out-of-range": (3, "numbers below or above all that the model was trained on"),
        "id-not-found": (3, "a column that names the rows is not in the data; the predictions go without it"),
        "lambda-interpolated": (
            2,
            "the strength lies between two of the saved path, and so do the coefficients",
        ),
        "model-altered": (5, "a model file that was changed after it was written is used as it is"),
        "out-of-time": (7, "--max-seconds passed; the strengths that were done by then are used"),
    }
)

#: Stable codes of what ``inspect`` alone looks for: code -> what it is. They are never errors.
NOTE_CODES: MappingProxyType[str, str] = MappingProxyType(
    {
        "suspected-leak": "a column that alone tells the target",
        "suspected-identifier": "a column that has another value in every row, and else looks like any other",
        "near-collinear": "columns that nearly are multiples of each other",
        "duplicate-rows": "rows that are repeated although that is no chance",
        "date-column": "dates, as text or as integers",
        "stand-in-value": "a number such as -999, or text such as N/A, that may mean a missing cell",
        "rounded-integers": "integers with more digits than double precision holds",
        "integer-levels": "integers with few values, which may be names of things",
        "numeric-header": "all column names are numbers",
    }
)
