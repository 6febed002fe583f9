"""One model, chosen by cross-validation where there is something to choose. fit and cv are the same run."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from regcli.app.context import RunContext
from regcli.app.dependent import WAY_OUT, nearly_told
from regcli.app.distant import distant_terms, warn_rounding
from regcli.app.elsewhere import strengths_elsewhere
from regcli.app.folding import RowFacts, gap_of, make_splits, refuse_mixed_schemes, scheme_of
from regcli.app.options import CvRequest, FitRequest, Folds
from regcli.app.parallel import fold_map, single_blas_thread, thread_map, threads_for
from regcli.app.path import refuse_separated, warn_path, warn_time
from regcli.app.prepare import Prepared, prepare
from regcli.app.processes import process_map
from regcli.app.scoring import scores_of
from regcli.app.search import Found, Plan, search
from regcli.app.setup import lead_problem, make_ground, model_facts, spread_of, term_facts, warn_top
from regcli.app.specify import Asked, read_penalty
from regcli.app.values import bounded, given_options, refuse
from regcli.errors import FitError, UsageError, Warn, counted
from regcli.problem.families import FAMILIES
from regcli.problem.folds import whole_partition, whole_splits
from regcli.problem.metrics import THRESHOLD
from regcli.problem.objective import Objective
from regcli.problem.protocols import Array
from regcli.results import Convergence, Drawn, FitResult, Iterate, Model, Status, Validation
from regcli.solvers.certificate import certify_lane, verdict
from regcli.solvers.engine import Problem
from regcli.solvers.information import CRITERIA
from regcli.solvers.path import polished

__all__ = ["FitOutcome", "fit", "held_out", "planned", "save"]


@dataclass(frozen=True)
class FitOutcome:
    """The result, the model's document if it is kept, and what a picture shows if one is asked for."""

    result: FitResult
    saved: Mapping[str, Any] | None
    drawn: Drawn | None

    @property
    def warnings(self) -> tuple[Warn, ...]:
        """What the user should know."""
        return self.result.warnings

    @property
    def estimates(self) -> dict[str, dict[str, float]]:
        """Coefficients by name of the term, those that are zero too: on the scale of the data, and standardized."""
        model = self.result.model
        coefs = dict(zip((term.name for term in model.terms), (model.coefs + 0.0).tolist(), strict=True))
        return {"coef": coefs, "std_coef": {term.name: coefs[term.name] * term.sd for term in model.terms}}


def fit(request: FitRequest, run: RunContext) -> FitOutcome:
    """Fit one model as the request says.

    Raises
    ------
    UsageError, DataError, FitError, ResourceError
        See their codes; nothing is written by this function.
    """
    plan = planned(request, run)
    run.progress.doing("fitting")
    single_blas_thread()
    work = plan.prepared.X.size * max(partition.n_lanes for partition in plan.splits.partitions)
    jobs = threads_for(run.jobs, work)
    run = replace(run, jobs=jobs)
    apart = jobs if run.memory.limit is None else 1  # copies of this process would have a limit each
    with thread_map(jobs, work) as parallel_map, process_map(apart, work) as lane_map:
        options = (request.model, request.penalty, request.solver)
        maps = parallel_map, lane_map, fold_map(jobs, work)
        ground = make_ground(plan.prepared, plan.asked, options, *maps)
        lead = lead_problem(ground, plan.prepared, plan.asked, request.penalty, plan.splits.partitions[0])
        found = search(ground, lead, plan, run)
        run.progress.doing("measuring the result")
        convergence = _certify(found, plan, allow=request.solver.allow_unconverged)
    result = _result(request, plan, found, convergence)
    saved, drawn = None, None
    if request.save.model_out is not None:
        from regcli.app.saving import saved_document  # noqa: PLC0415  (most fits keep no model)

        saved = saved_document(request, plan.prepared, result, found)
    if request.drawn:
        from regcli.app.drawing import draw_fit  # noqa: PLC0415  (most fits draw nothing)

        drawn = draw_fit(plan.prepared, result.model, _eta(found.problem, found.steps[found.at]))
    return FitOutcome(result, saved, drawn)


def planned(request: FitRequest, run: RunContext) -> Plan:
    """Read the options and the data, and deal the folds."""
    asked = read_penalty(request.penalty, request.strengths)
    rule = request.search.rule or "min"
    _refuse_idle(request, asked)
    seed = request.run.seed or 0
    prepared = prepare(request, run, unpenalised=asked.unpenalised, seed=seed)
    threshold = _threshold(request, prepared)
    metric = _metric(request.folds, prepared.family)
    splits, notes = whole_splits(prepared.fit_weights), list[Warn]()
    if (asked.several and rule not in CRITERIA) or _wants_folds(request):
        splits, notes = make_splits(request.folds, _row_facts(prepared), seed)
    return Plan(
        asked=asked,
        prepared=prepared.widened(splits.partitions),
        rule=rule,
        metric=metric,
        threshold=threshold,
        splits=splits,
        full_path=request.search.full_path,
        warnings=(*prepared.warnings, *notes),
    )


def _row_facts(prepared: Prepared) -> RowFacts:
    """What folds are made from."""
    return RowFacts(
        y=prepared.y,
        weights=prepared.fit_weights,
        family=prepared.family,
        n_terms=len(prepared.encoder.terms),
        classes=prepared.classes_of,
        marks=prepared.marks,
        file=prepared.facts.files[0][0],
        fold_column=prepared.roles.fold,
        group_column=prepared.roles.group,
    )


def _result(request: FitRequest, plan: Plan, found: Found, convergence: Convergence) -> FitResult:
    """Everything that is reported of the model."""
    problem, prepared, step = found.problem, plan.prepared, found.steps[found.at]
    names = plan.names
    written = problem.raw(step, 0)
    facts = replace(
        model_facts(prepared, found.asked, request.model, found.top),
        lam=step.lam,
        lambda_as=strengths_elsewhere(found.asked, problem, _spread(problem), step.lam),
        rule=plan.rule if plan.asked.several else None,
    )
    model = Model(facts, term_facts(problem, prepared), written.intercept, written.coefs, plan.threshold)
    metrics, notes = _metrics(plan, found, model, step)
    warnings = [
        *plan.warnings,
        *found.warnings,
        *warn_top(found.top),
        *warn_path(found.walk, found.steps, names, found.converged),
        *warn_time(found.stopped),
    ]
    warnings += _warn_choice(found, plan)
    if convergence.status is Status.ROUNDING_FLOOR:
        warnings.append(warn_rounding(problem, step, convergence.violation, prepared))
    if not convergence.status.usable:
        text = f"the violation of the chosen model is {convergence.violation:.2g}, above --tol"
        warnings.append(Warn("not-converged", text, {"violation": convergence.violation}))
    return FitResult(
        data=prepared.facts,
        model=model,
        sources=prepared.encoder.sources,
        dropped=(*prepared.dropped, *((names[j], "aliased") for j in step.aliased)),
        metrics=metrics,
        convergence=convergence,
        validation=held_out(request.folds, plan),
        curve=found.curve,
        grid=found.grid,
        criterion=found.criterion,
        stopped=found.stopped,
        warnings=(*warnings, *notes),
        seed=request.run.seed or 0,
        options=given_options(request),
        all_terms=request.save.all_terms,
    )


def held_out(folds: Folds, plan: Plan) -> Validation | None:
    """How rows were held out; None where none were."""
    count, repeats = plan.splits.n_folds, len(set(plan.splits.repeats))
    scheme = scheme_of(folds, classes=plan.prepared.classes_of is not None)
    gap = gap_of(folds) if scheme == "time" else None
    return Validation(scheme, count // repeats, repeats, gap) if count else None


def _spread(problem: Problem) -> float:
    """The sd of the target that glmnet divides by."""
    objective = problem.objective
    return spread_of(objective.lanes, 0, objective.y - objective.offset, objective.intercept)


def save(outcome: FitOutcome, path: str) -> None:
    """Write the model that is kept, whole or not at all."""
    from regcli.data.model_file import write_model  # noqa: PLC0415  (loaded where there is a model)

    if outcome.saved is not None:
        write_model(path, outcome.saved)


# -- what is asked for -----------------------------------------------------------------------------------------------


def _wants_folds(request: FitRequest) -> bool:
    """Whether folds are asked for although there may be nothing for them to choose."""
    folds = request.folds
    named = (folds.fold_column, folds.group, folds.order_by)
    given = (folds.folds, folds.cv, folds.gap, folds.window, folds.repeats, *named)
    return isinstance(request, CvRequest) or any(value is not None for value in given)


def _refuse_idle(request: FitRequest, asked: Asked) -> None:
    """Options that cannot have an effect."""
    folds, rule, several = request.folds, request.search.rule, asked.several
    if not several:
        idle = {
            "--rule": rule is not None,
            "--full-path": request.search.full_path,
            "--save-path": request.save.save_path,
        }
        refuse(idle, "with a single strength")
    if asked.lambdas is not None and len(asked.lambdas) == 1:
        refuse({"--rule 1se": rule == "1se"}, "with a single strength for each share of L1")
        refuse({"--l1-ratio": len(asked.l1_ratios) > 1 and asked.unpenalised}, "at strength 0")
    if not _wants_folds(request) and (not several or rule in CRITERIA):
        idle = {"--metric": folds.metric is not None, "--full-path": request.search.full_path}
        refuse(idle, "without cross-validation", "--folds 10")
    refuse({"--full-path": request.search.full_path and rule in CRITERIA}, f"with --rule {rule}, which walks it whole")
    refuse_mixed_schemes(folds)
    if request.save.model_out is None:
        idle = {"--no-profile": request.save.no_profile, "--save-path": request.save.save_path}
        refuse(idle, "without --model-out", "-m model.json")


def _threshold(request: FitRequest, prepared: Prepared) -> float | None:
    """The probability from which a row is called positive; None for families without classes."""
    threshold = request.save.threshold
    if prepared.target.classes is None:
        refuse({"--threshold": threshold is not None}, f"for the {prepared.family} family")
        return None
    if threshold is None:
        return THRESHOLD
    bounded("--threshold", threshold, 0.0, 1.0)
    return threshold


def _metric(folds: Folds, family: str) -> str:
    """What the choice is made by."""
    known = FAMILIES[family].metrics
    if folds.metric is None:
        return known[0]
    if folds.metric not in known:
        raise UsageError(
            "unknown-option-value", f"--metric {folds.metric} is not for {family}", hint=f"one of {', '.join(known)}"
        )
    return folds.metric


# -- measuring and scoring -------------------------------------------------------------------------------------------


def _certify(found: Found, plan: Plan, *, allow: bool) -> Convergence:
    """Measure the reported model from the data, and with it the models at both rules' strengths."""
    problem, at, chosen = found.problem, found.at, {found.at}
    found.steps[at] = polished(problem, found.steps[at])
    if found.curve is not None:
        chosen |= {index for index in (found.curve.index_min, found.curve.index_1se) if index is not None}
    indices = sorted(chosen)
    certificates = dict(zip(indices, certify_lane(problem, [found.steps[index] for index in indices], 0), strict=True))
    for index, measured in certificates.items():  # what the data say stands, also in the warnings
        step = found.steps[index]
        reached = verdict(measured, problem.rules.tol, step, 0)
        found.steps[index] = replace(step, status=(reached, *step.status[1:]))
    step, certificate = found.steps[at], certificates[at]
    status = step.status[0]
    if status is Status.SEPARATED:
        refuse_separated(problem, [step], plan.names)
    if not status.usable and not allow:
        text = f"the model reached a violation of {certificate.violation:.2g}, not --tol {problem.rules.tol:g}"
        near = nearly_told(step, plan.names)
        if near:
            raise FitError("not-converged", f"{text}: {near}", hint=WAY_OUT)
        distant = distant_terms(problem, step, certificate.violation, plan.prepared)
        if distant.names:
            raise FitError("not-converged", f"{text}: {distant.reason}", hint=distant.way_out)
        raise FitError("not-converged", text, hint=status.value)
    return Convergence(status, int(step.rounds[0]), certificate.violation, "data", certificate.gap)


def _warn_choice(found: Found, plan: Plan) -> list[Warn]:
    """Say when the best strength lies at an end of the grid."""
    best = found.criterion.index if found.criterion else found.curve.index_min if found.curve else None
    last = len(found.steps) - 1
    if not plan.asked.several or best is None or last < 1:
        return []
    if best not in (0, last) or (best == last and found.stopped is not None):
        return []  # a path that ended early did so because smaller strengths explain hardly more
    end, lam = "largest" if best == 0 else "smallest", found.steps[best].lam
    text = f"the best strength, {lam:.4g}, is the {end} that was tried"
    return [Warn("lambda-at-edge", text, {"lambda": lam, "index": best})]


# -- scores ----------------------------------------------------------------------------------------------------------


def _alone(problem: Problem) -> Objective:
    """The objective on all rows."""
    return problem.objective.keep(np.array([0]))


def _eta(problem: Problem, step: Iterate) -> Array:
    """Linear predictors (n,) of the training rows by the model of all rows."""
    return _alone(problem).eta(step.intercepts[:1], step.coefs[:1])[0]


def _null_intercept(problem: Problem, prepared: Prepared) -> float:
    """The model of the intercept alone on the rows as scores weigh them: class weights are of the fit."""
    if np.array_equal(prepared.fit_weights, prepared.weights):
        return float(problem.null.intercepts[0])
    partition = whole_partition(prepared.weights)
    lanes = replace(_alone(problem).lanes, partition=partition, totals=partition.totals())
    return float(replace(_alone(problem), lanes=lanes).null().intercepts[0])


def _metrics(
    plan: Plan, found: Found, model: Model, step: Iterate
) -> tuple[dict[str, dict[str, float | bool] | None], list[Warn]]:
    """Scores of the reported model on the folds, the test rows and the training rows, and of the null model."""
    problem, prepared = found.problem, plan.prepared
    objective: Objective = problem.objective
    family, threshold = objective.family, plan.cut
    eta = _eta(problem, step)
    weights = prepared.weights
    null_eta = objective.offset + _null_intercept(problem, prepared)
    out: dict[str, dict[str, float | bool] | None] = {
        "cv": None,
        "test": None,
        "train": dict(scores_of(family, objective.y, eta, weights, threshold=threshold)),
        "null": dict(scores_of(family, objective.y, null_eta, weights, threshold=threshold)),
    }
    notes: list[Warn] = []
    if found.scores is not None:
        out["cv"] = {**found.scores.at(found.at), "chosen_on_these_folds": plan.by_folds}
        kept = [rows[weights[rows] > 0] for rows in found.scores.folds]
        one = [k for k, rows in enumerate(kept) if np.unique(objective.y[rows]).size < 2]
        if "auc" in family.metrics and one and not found.scores.by_row:
            text = f"auc leaves out {counted(len(one), 'fold')} with one class only"
            notes.append(Warn("one-class-fold", text, {"folds": one}))
    if prepared.test is not None:
        test = prepared.test
        eta = model.intercept + test.offset + test.X @ model.coefs
        out["test"] = dict(scores_of(family, test.y, eta, test.weights, threshold=threshold))
    return out, notes
