"""The requests: what each command may be told."""

from dataclasses import dataclass, field

from regcli.app.options.exporting import Exporting
from regcli.app.options.fitting import Folds, Model, Penalty, Save, Search, Solver, Strengths
from regcli.app.options.flag import Checks, Limits, Picture, Run
from regcli.app.options.gating import Baseline, Diffing, DriftLimits, FitBaseline, Reports
from regcli.app.options.looking import Looking, Showing
from regcli.app.options.scoring import Checking, Scoring
from regcli.app.options.tables import Data, Reading

__all__ = [
    "CheckRequest",
    "CvRequest",
    "DiffRequest",
    "ExportRequest",
    "FitRequest",
    "InspectRequest",
    "PathRequest",
    "PredictRequest",
    "ShowRequest",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRequest:
    """Everything ``path`` may be told."""

    data: Data = field(default_factory=Data)
    reading: Reading = field(default_factory=Reading)
    model: Model = field(default_factory=Model)
    penalty: Penalty = field(default_factory=Penalty)
    strengths: Strengths = field(default_factory=Strengths)
    solver: Solver = field(default_factory=Solver)
    picture: Picture = field(default_factory=Picture)
    run: Run = field(default_factory=Run)
    limits: Limits = field(default_factory=Limits)


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
    baseline: FitBaseline = field(default_factory=FitBaseline)
    reports: Reports = field(default_factory=Reports)
    save: Save = field(default_factory=Save)
    picture: Picture = field(default_factory=Picture)
    run: Run = field(default_factory=Run)
    limits: Limits = field(default_factory=Limits)

    @property
    def drawn(self) -> bool:
        """Whether the result is drawn, to a file or in a page."""
        return self.picture.plot is not None or self.reports.drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class CvRequest(FitRequest):
    """The request of ``cv``: that of ``fit``, reported with the whole curve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictRequest:
    """Everything ``predict`` may be told."""

    scoring: Scoring = field(default_factory=Scoring)
    checks: Checks = field(default_factory=Checks)
    reading: Reading = field(default_factory=Reading)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectRequest:
    """Everything ``inspect`` may be told."""

    looking: Looking = field(default_factory=Looking)
    reading: Reading = field(default_factory=Reading)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowRequest:
    """Everything ``show`` may be told."""

    showing: Showing = field(default_factory=Showing)
    picture: Picture = field(default_factory=Picture)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """Everything ``export`` may be told."""

    exporting: Exporting = field(default_factory=Exporting)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """Everything ``check`` may be told."""

    checking: Checking = field(default_factory=Checking)
    checks: Checks = field(default_factory=Checks)
    baseline: Baseline = field(default_factory=Baseline)
    drift: DriftLimits = field(default_factory=DriftLimits)
    reports: Reports = field(default_factory=Reports)
    reading: Reading = field(default_factory=Reading)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRequest:
    """Everything ``diff`` may be told."""

    diffing: Diffing = field(default_factory=Diffing)
    reports: Reports = field(default_factory=Reports)
    limits: Limits = field(default_factory=Limits)
