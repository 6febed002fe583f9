"""One model, chosen by cross-validation where there is something to choose. fit and cv are the same run."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regcli.app.context import RunContext
from regcli.app.elsewhere import strengths_elsewhere
from regcli.app.options import CvRequest, FitRequest, Folds
from regcli.app.parallel import single_blas_thread, thread_map
from regcli.app.path import refuse_separated, warn_path, without_zero
from regcli.app.prepare import Prepared, prepare
from regcli.app.saving import Saved, make_saved, write_saved
from regcli.app.scoring import FoldScores, scores_of
from regcli.app.setup import build_problem, model_facts, refuse_undetermined, spread_of, term_facts, warn_top
from regcli.app.specify import Asked, make_grid, read_penalty
from regcli.app.values import bounded, given_options, refuse
from regcli.errors import DataError, FitError, Location, UsageError, Warn, counted
from regcli.problem.families import FAMILIES
from regcli.problem.folds import deal_folds, fold_partition, whole_partition
from regcli.problem.lanes import Partition
from regcli.problem.metrics import BETTER_HIGH, base_metric
from regcli.problem.objective import Objective
from regcli.results import Convergence, Curve, FitResult, Iterate, Model, Status, Stopped
from regcli.solvers.certificate import certify_lane, verdict
from regcli.solvers.engine import Problem
from regcli.solvers.path import Grid, Walk
from regcli.solvers.stopping import has_turned

__all__ = ["FitOutcome", "fit", "save"]

#: glmnet's number of folds, and the fewest it allows.
FOLDS, LEAST_FOLDS = 10, 3

#: Fewer folds than this give no paired standard errors worth stopping by.
FOLDS_TO_STOP = 5

THRESHOLD = 0.5

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class FitOutcome:
    """The result, and what ``save`` writes."""

    result: FitResult
    saved: Saved

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


@dataclass(frozen=True)
class _Plan:
    """What is asked for, held against the data: the penalty, the folds (n,) if there are any, how scores are made."""

    asked: Asked
    several: bool
    prepared: Prepared
    metric: str
    threshold: float | None
    folds: Rows | None
    warnings: tuple[Warn, ...]

    @property
    def cut(self) -> float:
        """The probability from which a row is called positive."""
        return THRESHOLD if self.threshold is None else self.threshold

    def partition(self) -> Partition:
        """All rows, and the training rows of every fold."""
        weights = self.prepared.fit_weights
        if self.folds is None:
            return whole_partition(weights)
        partition = fold_partition(self.folds, int(self.folds.max()) + 1, weights)
        _check_folds(partition, self.prepared)
        return partition


@dataclass(frozen=True)
class _Walked:
    """A finished walk: its iterates (those of no further use without their predictors), scores and curve."""

    problem: Problem
    walk: Walk
    steps: list[Iterate]
    scores: FoldScores | None
    curve: Curve | None
    stopped: Stopped | None
    top: float | None
    warnings: tuple[Warn, ...]


def fit(request: FitRequest, run: RunContext) -> FitOutcome:
    """Fit one model as the request says.

    Raises
    ------
    UsageError, DataError, FitError
        See their codes; nothing is written by this function.
    """
    plan = _plan(request)
    single_blas_thread()
    partition = plan.partition()
    with thread_map(run.jobs, plan.prepared.X.size * partition.n_lanes) as parallel_map:
        options = (request.model, request.penalty, request.solver)
        problem = build_problem(plan.prepared, plan.asked, options, partition, parallel_map)
        walked = _walk(problem, plan, run, may_stop=not request.search.full_path)
        at = _chosen(walked, request.search.rule or "min", _names(plan.prepared), several=plan.several)
        convergence = _certify(walked, at, plan, allow=request.solver.allow_unconverged)
    run.note(walked.walk.account())
    result = _result(request, plan, walked, at, convergence)
    return FitOutcome(result, make_saved(request, plan.prepared, result))


def _plan(request: FitRequest) -> _Plan:
    """Read the options and the data, and deal the folds."""
    asked = read_penalty(request.penalty, request.strengths)
    several = asked.lambdas is None or len(asked.lambdas) > 1
    _refuse_idle(request, several=several)
    seed = request.run.seed or 0
    prepared = prepare(request, unpenalised=asked.unpenalised, seed=seed)
    threshold = _threshold(request, prepared)
    metric = _metric(request.folds, prepared.family)
    folds, notes = None, list[Warn]()
    if several or _wants_folds(request):
        folds, notes = _folds(request.folds, prepared, seed)
    return _Plan(asked, several, prepared, metric, threshold, folds, (*prepared.warnings, *notes))


def _result(request: FitRequest, plan: _Plan, walked: _Walked, at: int, convergence: Convergence) -> FitResult:
    """Everything that is reported of the model at index ``at``."""
    problem, prepared, step = walked.problem, plan.prepared, walked.steps[at]
    names = _names(prepared)
    intercepts, coefs = _alone(problem).to_raw(problem.penalty, step.intercepts[:1], step.coefs[:1])
    facts = replace(
        model_facts(prepared, plan.asked, request.model, walked.top),
        lam=step.lam,
        lambda_as=strengths_elsewhere(plan.asked, problem, _spread(problem), step.lam),
        rule=(request.search.rule or "min") if plan.several else None,
    )
    model = Model(facts, term_facts(problem, prepared), float(intercepts[0]), coefs[0], plan.threshold)
    metrics, notes = _metrics(plan, walked, model, step)
    warnings = [*plan.warnings, *walked.warnings, *warn_top(walked.top), *warn_path(walked.walk, walked.steps, names)]
    warnings += _warn_choice(walked, several=plan.several)
    if convergence.status is Status.ROUNDING_FLOOR:
        text = f"the violation of the chosen model, {convergence.violation:.2g}, is that of rounding its numbers"
        warnings.append(Warn("rounding-floor", text, {"violation": convergence.violation}))
    if not convergence.status.usable:
        text = f"the violation of the chosen model is {convergence.violation:.2g}, above --tol"
        warnings.append(Warn("not-converged", text, {"violation": convergence.violation}))
    return FitResult(
        data=prepared.facts,
        model=model,
        sources=tuple(feature.source for feature in prepared.encoder.features),
        dropped=(*prepared.dropped, *((names[j], "aliased") for j in step.aliased)),
        metrics=metrics,
        convergence=convergence,
        curve=walked.curve,
        stopped=walked.stopped,
        warnings=(*warnings, *notes),
        seed=request.run.seed or 0,
        options=given_options(request),
        all_terms=request.save.all_terms,
    )


def _spread(problem: Problem) -> float:
    """The sd of the target that glmnet divides by."""
    objective = problem.objective
    return spread_of(objective.lanes, 0, objective.y - objective.offset, objective.intercept)


def _names(prepared: Prepared) -> tuple[str, ...]:
    """Names of the terms."""
    return tuple(term.name for term in prepared.encoder.terms)


def save(outcome: FitOutcome) -> None:
    """Write the model where --model-out says, whole or not at all."""
    write_saved(outcome.saved)


# -- what is asked for -----------------------------------------------------------------------------------------------


def _wants_folds(request: FitRequest) -> bool:
    """Whether folds are asked for although there may be nothing to choose."""
    folds = request.folds
    given = folds.folds is not None or folds.cv is not None or folds.fold_column is not None
    return given or isinstance(request, CvRequest)


def _refuse_idle(request: FitRequest, *, several: bool) -> None:
    """Options that cannot have an effect."""
    folds = request.folds
    if not several:
        refuse(
            {"--rule": request.search.rule is not None, "--full-path": request.search.full_path},
            "with a single strength",
        )
        if not _wants_folds(request):
            refuse({"--metric": folds.metric is not None}, "without cross-validation")
    if folds.fold_column is not None:
        refuse({"--folds": folds.folds is not None, "--cv": folds.cv is not None}, "with --fold-column")
    if request.save.model_out is None:
        refuse({"--no-profile": request.save.no_profile}, "without --model-out")


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


def _folds(options: Folds, prepared: Prepared, seed: int) -> tuple[Rows, list[Warn]]:
    """Fold of each row, by the scheme asked for."""
    n, classes = prepared.y.size, prepared.classes_of
    if prepared.fold is not None:
        if int(prepared.fold.max()) < 1:
            raise DataError(
                "bad-folds",
                f"column {prepared.roles.fold!r} names one fold only",
                where=Location(file=prepared.facts.files[0][0], column=prepared.roles.fold),
                hint="--folds K deals the rows to folds",
            )
        return prepared.fold, []
    scheme = options.cv or ("kfold" if classes is None else "stratified")
    if scheme == "stratified" and classes is None:
        raise UsageError("option-without-effect", f"--cv stratified has no effect for the {prepared.family} family")
    count = options.folds
    notes = []
    if count is None:
        count = min(FOLDS, n)
        if count < LEAST_FOLDS:
            raise DataError(
                "bad-folds",
                f"too few rows to cross-validate: {n}",
                hint="give one strength with --lambda, or more rows",
            )
        if count < FOLDS:
            notes.append(Warn("fewer-folds", f"{count} folds instead of {FOLDS}: there are {n} rows", {"folds": count}))
    bounded("--folds", count, LEAST_FOLDS, np.inf)
    if count > n:
        raise DataError("bad-folds", f"--folds {count} with {n} rows", hint=f"--folds {n} or less")
    return deal_folds(n, count, seed, classes if scheme == "stratified" else None), notes


def _check_folds(partition: Partition, prepared: Prepared) -> None:
    """Refuse folds whose training rows cannot be fitted on."""
    weighted = partition.row_weights > 0
    for lane in range(1, partition.n_lanes):
        rows = partition.train[lane][partition.block] & weighted
        if not rows.any():
            raise DataError("bad-folds", f"without fold {lane} no weighted row is left to fit on")
        weights = partition.row_weights[rows]
        if not FAMILIES[prepared.family].has_null(float(weights @ prepared.y[rows] / weights.sum())):
            only = "one class" if prepared.classes_of is not None else f"the target {prepared.y[rows][0]:g}"
            raise DataError("bad-folds", f"without fold {lane} the training rows have {only} only", hint="other folds")


# -- walking and choosing --------------------------------------------------------------------------------------------


def _walk(problem: Problem, plan: _Plan, run: RunContext, *, may_stop: bool) -> _Walked:
    """Walk the strengths, scoring the folds on the way; end early where the curve has clearly turned."""
    grid, top = make_grid(plan.asked, problem)
    if not (problem.penalty.factors > 0).any():
        refuse_undetermined(problem, _names(plan.prepared))
    grid, notes = without_zero(grid, problem, _names(plan.prepared))
    scores = None
    if plan.folds is not None:
        scores = FoldScores(problem.objective, plan.folds, plan.prepared.weights, plan.metric, plan.cut)
    walk, steps, stopped = Walk(problem, grid), list[Iterate](), None
    count = grid.lambdas.size
    for step in walk:
        if scores is not None:
            scores.add(step)
        steps.append(replace(step, eta=None))
        if run.progress:
            run.progress(len(steps), count)
        if scores is not None and may_stop and _may_stop(problem, grid, scores) and _turned(scores, steps, count):
            stopped = Stopped("cv_turned", len(steps) - 1, count)
            break
    curve = None
    if scores is not None:
        lambdas = np.array([step.lam for step in steps])
        nonzero = np.array([np.count_nonzero(step.coefs[0]) for step in steps], dtype=np.intp)
        curve = scores.curve(lambdas, nonzero, [all(status.usable for status in step.status) for step in steps])
    return _Walked(problem, walk, steps, scores, curve, stopped or walk.stopped, top, tuple(notes))


def _may_stop(problem: Problem, grid: Grid, scores: FoldScores) -> bool:
    """Whether the stopping rule applies at all: a generated grid, some L1, five folds, a metric made of losses."""
    losses = base_metric(scores.metric) not in BETTER_HIGH
    return grid.generated and problem.penalty.l1_ratio > 0 and scores.count >= FOLDS_TO_STOP and losses


def _turned(scores: FoldScores, steps: list[Iterate], count: int) -> bool:
    """Whether the curve has turned and all lanes have converged."""
    if not all(status.usable for step in steps for status in step.status):
        return False
    mean, se = scores.pooled()
    folds = scores.fold_scores()
    weighted = np.isfinite(folds).all(axis=0)
    return has_turned(mean, se, folds[:, weighted], scores.fold_weights[weighted], count)


def _chosen(walked: _Walked, rule: str, names: tuple[str, ...], *, several: bool) -> int:
    """Index of the reported strength."""
    if not several or walked.curve is None:
        return len(walked.steps) - 1
    at = walked.curve.index_min if rule == "min" else walked.curve.index_1se
    if at is None:
        refuse_separated(walked.problem, walked.steps[-1:], names)
        status = next(s for step in walked.steps for s in step.status if not s.usable)
        raise FitError("not-converged", "no strength converged in every fold", hint=status.value)
    return at


def _certify(walked: _Walked, at: int, plan: _Plan, *, allow: bool) -> Convergence:
    """Measure the reported model from the data, and with it the models at both rules' strengths."""
    problem, chosen = walked.problem, {at}
    if walked.curve is not None:
        chosen |= {index for index in (walked.curve.index_min, walked.curve.index_1se) if index is not None}
    certificates = {index: certify_lane(problem, walked.steps[index], 0) for index in sorted(chosen)}
    for index, measured in certificates.items():  # what the data say stands, also in the warnings
        step = walked.steps[index]
        reached = verdict(measured, problem.rules.tol, step, 0)
        walked.steps[index] = replace(step, status=(reached, *step.status[1:]))
    step, certificate = walked.steps[at], certificates[at]
    status = step.status[0]
    if status is Status.SEPARATED:
        refuse_separated(problem, [step], _names(plan.prepared))
    if not status.usable and not allow:
        text = f"the model reached a violation of {certificate.violation:.2g}, not --tol {problem.rules.tol:g}"
        raise FitError("not-converged", text, hint=status.value)
    return Convergence(status, int(step.rounds[0]), certificate.violation, "data", certificate.gap)


def _warn_choice(walked: _Walked, *, several: bool) -> list[Warn]:
    """Say when the best strength lies at an end of the grid."""
    curve = walked.curve
    if curve is None or not several or curve.index_min is None or curve.lambdas.size < 2:
        return []
    last = curve.lambdas.size - 1
    if curve.index_min not in (0, last) or (curve.index_min == last and walked.stopped is not None):
        return []  # a path that ended early did so because smaller strengths explain hardly more
    end = "largest" if curve.index_min == 0 else "smallest"
    lam = float(curve.lambdas[curve.index_min])
    text = f"the best strength, {lam:.4g}, is the {end} that was tried"
    return [Warn("lambda-at-edge", text, {"lambda": lam, "index": curve.index_min})]


# -- scores ----------------------------------------------------------------------------------------------------------


def _alone(problem: Problem) -> Objective:
    """The objective on all rows."""
    return problem.objective.keep(np.array([0]))


def _metrics(
    plan: _Plan, walked: _Walked, model: Model, step: Iterate
) -> tuple[dict[str, dict[str, float | bool] | None], list[Warn]]:
    """Scores of the reported model on the folds, the test rows and the training rows, and of the null model."""
    problem, prepared = walked.problem, plan.prepared
    objective: Objective = problem.objective
    family, threshold = objective.family, plan.cut
    centre = float(objective.lanes.weights(0) @ objective.y)
    eta = _alone(problem).eta(step.intercepts[:1], step.coefs[:1])[0]
    null_eta = objective.offset + problem.null.intercepts[0]
    weights = prepared.weights
    out: dict[str, dict[str, float | bool] | None] = {
        "cv": None,
        "test": None,
        "train": dict(scores_of(family, objective.y, eta, weights, threshold=threshold, centre=centre)),
        "null": dict(scores_of(family, objective.y, null_eta, weights, threshold=threshold, centre=centre)),
    }
    notes: list[Warn] = []
    if walked.scores is not None:
        out["cv"] = {**walked.scores.at(step), "chosen_on_these_folds": plan.several}
        kept = [rows[weights[rows] > 0] for rows in walked.scores.fold_rows]
        one = [k for k, rows in enumerate(kept) if np.unique(objective.y[rows]).size < 2]
        if "auc" in family.metrics and one:
            text = f"auc leaves out {counted(len(one), 'fold')} with one class only"
            notes.append(Warn("one-class-fold", text, {"folds": one}))
    if prepared.test is not None:
        test = prepared.test
        eta = model.intercept + test.offset + test.X @ model.coefs
        out["test"] = dict(scores_of(family, test.y, eta, test.weights, threshold=threshold, centre=centre))
    return out, notes
