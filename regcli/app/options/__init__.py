"""Every option, declared once.

A group is a frozen dataclass whose fields carry a ``Flag``. The same dataclasses are the request a use case receives,
the command line's parameters, the man pages and the tables of docs/options.md: nothing else lists the options. This
module imports nothing heavy, because ``--help`` does.

A field left at None (or at an empty tuple) was not given. Defaults that depend on the data are settled by the use
case; ``Flag.default`` says in words what then happens.
"""

from regcli.app.options.exporting import Exporting, Target
from regcli.app.options.fitting import (
    Family,
    Folds,
    Metric,
    Model,
    Penalty,
    Save,
    Search,
    Solver,
    SolverName,
    Strengths,
)
from regcli.app.options.flag import Checks, Common, Flag, Format, Limits, Picture, Run, choices
from regcli.app.options.gating import Baseline, Diffing, DriftLimits, FitBaseline, Reports
from regcli.app.options.looking import Looking, Showing
from regcli.app.options.requests import (
    CheckRequest,
    CvRequest,
    DiffRequest,
    ExportRequest,
    FitRequest,
    InspectRequest,
    PathRequest,
    PredictRequest,
    ShowRequest,
)
from regcli.app.options.scoring import Checking, Scoring
from regcli.app.options.tables import Data, Reading

__all__ = [
    "Baseline",
    "CheckRequest",
    "Checking",
    "Checks",
    "Common",
    "CvRequest",
    "Data",
    "DiffRequest",
    "Diffing",
    "DriftLimits",
    "ExportRequest",
    "Exporting",
    "Family",
    "FitBaseline",
    "FitRequest",
    "Flag",
    "Folds",
    "Format",
    "InspectRequest",
    "Limits",
    "Looking",
    "Metric",
    "Model",
    "PathRequest",
    "Penalty",
    "Picture",
    "PredictRequest",
    "Reading",
    "Reports",
    "Run",
    "Save",
    "Scoring",
    "Search",
    "ShowRequest",
    "Showing",
    "Solver",
    "SolverName",
    "Strengths",
    "Target",
    "choices",
]
