"""Comparing: two documents with each other, and a result with an earlier one."""

from dataclasses import dataclass
from typing import Annotated

from regcli.app.options.flag import Flag

__all__ = ["Baseline", "Diffing", "DriftLimits", "FitBaseline", "Reports"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diffing:
    """Which two documents are compared, and when numbers are the same."""

    first: Annotated[str, Flag((), "A model, or what fit, cv or path wrote: the one before.", "A")] = ""
    second: Annotated[str, Flag((), "The one after. One of the two may be - for standard input.", "B")] = ""
    tol: Annotated[
        float | None,
        Flag(
            ("--tol",),
            "Numbers are the same when they differ by at most this share of the larger one, or by almost nothing: "
            "this share, but no more than 1e-7, of the largest number of their kind.",
            "X",
            "1e-6",
        ),
    ] = None
    exit_code: Annotated[bool, Flag(("--exit-code",), "Leave with exit status 1 when A and B are not the same.")] = (
        False
    )
    no_verify: Annotated[bool, Flag(("--no-verify",), "Do not check a model's content id and probe rows.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """An earlier result, and how much worse this one may be."""

    baseline: Annotated[
        str | None,
        Flag(
            ("--baseline",),
            "An earlier result or model that this one is held against, for the options below. Where one of them does "
            "not hold, or there is no such number on either side, the exit status is 1 and no model is written.",
            "OLD.json",
        ),
    ] = None
    max_drop: Annotated[
        tuple[str, ...],
        Flag(
            ("--max-drop",),
            "Largest allowed drop below the baseline, for metrics where higher is better (r2, auc, accuracy): V as it "
            "stands, V% of the size of the baseline's. METRIC as in --assert: cv.r2, test.r2; r2 alone is that of "
            "cross-validation, in check that of the data. Repeatable.",
            "METRIC=V[%]",
        ),
    ] = ()
    max_increase: Annotated[
        tuple[str, ...],
        Flag(
            ("--max-increase",),
            "Largest allowed increase above the baseline, for metrics where lower is better (deviance, rmse, mae, mse, "
            "logloss, brier); METRIC and V as in --max-drop. Repeatable.",
            "METRIC=V[%]",
        ),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FitBaseline(Baseline):
    """What a model may be held to beside its metrics."""

    max_coef_change: Annotated[
        str | None,
        Flag(
            ("--max-coef-change",),
            "Most that any coefficient may differ from the baseline's, up or down: V% of its size there, or V. A term "
            "that came in has grown by more than any percentage, one that went out has changed by 100%.",
            "V[%]",
        ),
    ] = None
    same_selected: Annotated[
        bool, Flag(("--same-selected",), "The selected columns must be those of the baseline.")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftLimits:
    """How far columns may have moved from the training rows."""

    max_psi: Annotated[
        float | None,
        Flag(
            ("--max-psi",),
            "Most that the population stability index of any column may be: 0.1 is something, 0.25 is much. Where it "
            "is more, or the model has no profile to compare with, the exit status is 1.",
            "X",
        ),
    ] = None
    max_ks: Annotated[
        float | None,
        Flag(("--max-ks",), "The same for the distance of Kolmogorov and Smirnov, of columns of numbers.", "X"),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """What is written beside the result, for systems that run checks."""

    reports: Annotated[
        tuple[str, ...],
        Flag(
            ("--report",),
            "Write a report as well, of checks that fail too: junit=PATH is JUnit XML with a test case for each check, "
            "github annotates a run of GitHub Actions (workflow commands on stderr), html=PATH is a page that needs no "
            "other file, with a picture where matplotlib is installed. Repeatable.",
            "junit=PATH|github|html=PATH",
        ),
    ] = ()

    @property
    def drawn(self) -> bool:
        """Whether one of them holds a picture."""
        return any(report.startswith("html=") for report in self.reports)
