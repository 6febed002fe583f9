"""Looking at tables before a fit, and at documents after it."""

from dataclasses import dataclass
from typing import Annotated

from regcli.app.options.fitting import TargetFamily
from regcli.app.options.flag import Flag
from regcli.app.options.tables import Categorical, DataFiles, Dates, Drop, Features, Ordinal, Target, Texts

__all__ = ["Looking", "Showing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """What to look at."""

    data: DataFiles = ()
    target: Target = None
    features: Features = ()
    drop: Drop = ()
    categorical: Categorical = ()
    ordinal: Ordinal = ()
    date: Dates = ()
    text: Texts = ()
    family: TargetFamily = None
    all_columns: Annotated[
        bool,
        Flag(("--all-columns",), "List every column in the table, however many there are.", None, "the first 40"),
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What to show, and how."""

    documents: Annotated[
        tuple[str, ...],
        Flag((), "Models and results that regcli wrote, or - for standard input.", "DOC..."),
    ] = ()
    equation: Annotated[
        bool, Flag(("--equation",), "Show the model as one line: the target, the intercept and every nonzero term.")
    ] = False
    digits: Annotated[
        int | None,
        Flag(("--digits",), "With --equation: significant digits, 1 to 17; 17 is exact.", "N", "6"),
    ] = None
    no_verify: Annotated[bool, Flag(("--no-verify",), "Do not check a model's content id and probe rows.")] = False
