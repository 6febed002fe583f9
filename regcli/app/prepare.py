"""From files and options to arrays: the part that fit, cv and path share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from regcli.app.context import RunContext
from regcli.app.encode import LaneMaps, known_matrix, lane_maps, learn_terms, same_columns, settled
from regcli.app.folding import gap_of, scheme_of
from regcli.app.options import FitRequest, Folds, Model, PathRequest
from regcli.app.parallel import threads_for
from regcli.app.reading import Used, read_used
from regcli.app.values import bounded, number_of, refuse
from regcli.data.encoder import Encoder
from regcli.data.learn import Learnt
from regcli.data.marks import Marks, fold_labels, groups_of, times_of
from regcli.data.roles import Roles
from regcli.data.stored import Matrix, matrix_bytes
from regcli.data.table import Column, Numbers, Table
from regcli.data.target import Target, check_domain, code_target, events, guess_family
from regcli.data.threads import threads_at_work
from regcli.errors import DataError, Location, UsageError, Warn, counted
from regcli.problem.families import FAMILIES
from regcli.problem.folds import last_aside, set_aside
from regcli.problem.lanes import Partition
from regcli.results import DataFacts

__all__ = ["Held", "Prepared", "prepare"]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Weights are divided by their sum; below this some of them are subnormal and have lost digits.
LEAST_WEIGHT = 1e-290

#: Columns that a thread has in memory while it describes one.
DESCRIBED = 4


@dataclass(frozen=True)
class Held:
    """Rows that are scored and never fitted on: design (r, p), target, weights, offset."""

    X: Matrix
    y: Array
    weights: Array
    offset: Array


@dataclass(frozen=True)
class Prepared:
    """Arrays of the training rows, and what is known about them.

    ``weights`` (n,) are the user's; ``fit_weights`` those times the class weights. ``marks`` are the folds, groups
    and times of the rows as far as columns say so. ``classes_of`` (n,) numbers the class of each row, None for numbers.
    ``single`` (n,) are the cells of the one column of numbers that all terms are made of, None where there is no such.
    ``profile`` is None where no model is written, ``sparse`` are the columns of which the table keeps no zeros.
    """

    facts: DataFacts
    names: tuple[str, ...]
    roles: Roles
    encoder: Encoder
    X: Matrix
    lane_maps: LaneMaps | None
    y: Array
    weights: Array
    fit_weights: Array
    offset: Array
    marks: Marks
    family: str
    family_source: str
    target: Target
    dropped: tuple[tuple[str, str], ...]
    test: Held | None
    warnings: tuple[Warn, ...]
    profile: Mapping[str, object] | None
    sparse: frozenset[str]
    single: Array | None

    def widened(self, partitions: Sequence[Partition]) -> Self:
        """The same with the base columns that the training sets of these partitions need."""
        if self.lane_maps is None:
            return self
        weights = (part.lane_weights(lane) for part in partitions for lane in range(part.n_lanes))
        maps, X = self.lane_maps.widened(self.X, weights)
        return replace(self, lane_maps=maps, X=X)

    @property
    def classes_of(self) -> NDArray[np.intp] | None:
        """Class of each training row."""
        return None if self.target.classes is None else self.y.astype(np.intp)


def prepare(request: FitRequest | PathRequest, run: RunContext, *, unpenalised: bool, seed: int) -> Prepared:
    """Read, check, and encode.

    ``unpenalised`` says that nothing penalises the coefficients, so that categories leave out their first level.
    """
    if not 0 <= seed < 2**63:
        raise UsageError("unknown-option-value", f"--seed is {seed}", hint="it must be at least 0 and below 2^63")
    data, model = request.data, request.model
    folds = request.folds if isinstance(request, FitRequest) else None
    used = read_used(data, request.reading, data.data, run, folds=folds)
    table, roles, rows = used.table, used.roles, used.rows
    family, source, guesses = _family(used, model)
    target = code_target(
        table, roles.target, rows, family=family, positive=model.positive_class, shifted=_shifted(table, roles, rows)
    )
    if target.classes is None:
        unused = {"--positive-class": model.positive_class is not None, "--class-weight": bool(model.class_weight)}
        refuse(unused, f"for the {family} family")
    refuse({"--exposure": roles.exposure is not None and FAMILIES[family].link != "log"}, f"for the {family} family")
    marks = _marks(table, roles, rows)
    train, held = _split(rows, target, marks, folds, seed)
    fitted = target.values[train]
    weights = _weights(table, roles, rows)
    fit_weights = weights[train] * _class_weights(model, replace(target, values=fitted), weights[train])
    _check_weights(table, roles, fit_weights)
    offset = _offset(table, roles, rows)
    if not _varies(offset[train][fit_weights > 0]):
        _check_spread(table, roles, target, fitted[fit_weights > 0])
    intercept = not model.no_intercept
    learnt = learn_terms(request.penalty, used, rows[train], fit_weights, unpenalised=unpenalised, intercept=intercept)
    maps = lane_maps(learnt.encoder, table.columns, rows[train])
    test = None
    if held.any():
        X_test = known_matrix(learnt.encoder, table, rows[held])
        test = Held(X_test, target.values[held], weights[held], offset[held])
    facts = _facts(used, int(train.sum()))
    profile = None
    if isinstance(request, FitRequest) and request.save.model_out and not request.save.no_profile:
        from regcli.data.training import describe, with_fills  # noqa: PLC0415  (where a model is kept)

        features, known = learnt.encoder.features, replace(target, values=fitted)
        count = run.memory.affords(threads_for(run.jobs, rows.size * len(features)), DESCRIBED * 8 * rows.size)
        with threads_at_work(count) as threads:
            profile = describe(table, features, rows[train], known, threads)
        profile = with_fills(profile, features, table.columns, (rows[train], fit_weights), learnt.encoder.limits)
    warnings = (*used.warnings, *guesses, *target.warnings, *learnt.warnings)
    sparse = learnt.encoder.without_zeros(table.columns)
    single = _single(table, learnt.encoder, rows[train])
    columns, names = dict(table.columns), tuple(table.columns)
    del used, table  # a column goes once the design has it: the table and its design are never in memory both
    run.memory.refuse(_growth(learnt.encoder, columns, int(train.sum())), "the matrix of the fit")
    X = learnt.encoder.base(columns, rows[train], columns.pop)
    if not X.shape[1]:
        raise _nothing_left(learnt, facts.files[0][0])
    if isinstance(request, FitRequest) and request.folds.test:
        test, told = _test_file(request, run, (roles, learnt.encoder, target, family), facts)
        warnings += told
    return Prepared(
        facts=facts,
        names=names,
        roles=roles,
        encoder=learnt.encoder,
        X=X,
        lane_maps=maps,
        y=fitted,
        weights=weights[train],
        fit_weights=fit_weights,
        offset=offset[train],
        marks=marks.take(train),
        family=family,
        family_source=source,
        target=target,
        dropped=learnt.dropped,
        test=test,
        warnings=(*warnings, *same_columns(learnt.encoder, X)),
        profile=profile,
        sparse=sparse,
        single=single,
    )


def _single(table: Table, encoder: Encoder, rows: Rows) -> Array | None:
    """The cells of the one column of numbers that all terms are made of."""
    column = table.columns.get(encoder.sources[0]) if len(encoder.sources) == 1 else None
    numeric = isinstance(column, Numbers) and all(feature.kind == "number" for feature in encoder.features)
    return column.values[rows] if numeric and isinstance(column, Numbers) else None


def _growth(encoder: Encoder, columns: Mapping[str, Column], rows: int) -> int:
    """Bytes that the matrix takes beyond the columns that are given up for it; that of a sparse one is unknown."""
    if encoder.is_sparse(columns):
        return 0
    matrix = matrix_bytes((rows, max(encoder.places) + 1 if encoder.places else 0))
    held = sum(column.cells.nbytes for column in columns.values() if isinstance(column, Numbers))
    return max(0, matrix - held)


def _family(used: Used, model: Model) -> tuple[str, str, list[Warn]]:
    """The family, where it comes from, and a warning if it is a guess."""
    if model.family:
        return model.family, "option", []
    family = guess_family(used.table, used.roles.target, used.rows)
    return (
        family,
        "guessed",
        [Warn("family-guessed", f"the family is taken to be {family}; say --family", {"family": family})],
    )


def _facts(used: Used, rows_used: int) -> DataFacts:
    """What was read and what of it is fitted on."""
    table, roles = used.table, used.roles
    return DataFacts(
        files=tuple((file.path, file.sha256, file.rows) for file in table.files),
        format=table.format,
        target=roles.target,
        target_source=roles.target_source,
        rows=table.rows,
        rows_used=rows_used,
        dropped_missing=used.dropped_missing,
        dropped_target=used.dropped_target,
        weights=roles.weights,
        offset=roles.offset,
        exposure=roles.exposure,
    )


def _numbers(table: Table, name: str | None, rows: Rows, default: float) -> Array:
    """A numeric column, or a constant without one."""
    if name is None:
        return np.full(rows.size, default)
    column = table.columns[name]
    if not isinstance(column, Numbers):
        raise DataError(
            "text-in-numeric-column",
            f"column {name!r} must be numbers",
            where=table.locate(int(rows[0]), name),
            hint="--drop leaves the column out; --na-values names text that means a missing cell",
        )
    return column.values[rows]


def _marks(table: Table, roles: Roles, rows: Rows) -> Marks:
    """Folds, groups and times of the rows used."""
    return Marks(
        labels=None if roles.fold is None else fold_labels(table, roles.fold, rows),
        groups=None if roles.group is None else groups_of(table, roles.group, rows),
        times=None if roles.order is None else times_of(table, roles.order, rows),
    )


def _offset(table: Table, roles: Roles, rows: Rows) -> Array:
    """What is added to the linear predictor: the offset and the logarithm of the exposure, 0 without them."""
    offset = _numbers(table, roles.offset, rows, 0.0)
    exposure = _numbers(table, roles.exposure, rows, 1.0)
    bad = np.flatnonzero(exposure <= 0)
    if bad.size:
        raise DataError(
            "bad-exposure",
            f"column {roles.exposure!r} has {counted(bad.size, 'exposure')} not above 0",
            where=table.locate(int(rows[bad[0]]), roles.exposure),
            cells=[repr(float(exposure[row])) for row in bad[:3]],
            hint="leave these rows out, or put a number in that is above 0",
        )
    return offset + np.log(exposure)


def _weights(table: Table, roles: Roles, rows: Rows) -> Array:
    """Weights, none of them negative."""
    weights = _numbers(table, roles.weights, rows, 1.0)
    negative = np.flatnonzero(weights < 0)
    if negative.size:
        raise DataError(
            "bad-weights",
            f"column {roles.weights!r} has {counted(negative.size, 'negative weight')}",
            where=table.locate(int(rows[negative[0]]), roles.weights),
            cells=[repr(float(weights[row])) for row in negative[:3]],
            hint="weights are 0 or more; 0 leaves a row out of the fit",
        )
    return weights


def _check_weights(table: Table, roles: Roles, weights: Array) -> None:
    """Refuse weights of the training rows, class weights included, that cannot be divided by their sum."""
    where = Location(file=table.files[0].path, column=roles.weights)
    with np.errstate(over="ignore"):
        total = float(weights.sum())
    if total == 0:
        raise DataError("bad-weights", "all weights are zero", where=where, hint="another column of --weights")
    if not LEAST_WEIGHT <= total < np.inf:
        raise DataError(
            "value-range",
            f"the weights sum to {total:g}, by which they cannot be divided",
            where=where,
            hint="give the weights in other units: only their ratios count",
        )


def _shifted(table: Table, roles: Roles, rows: Rows) -> bool:
    """Whether an offset or an exposure differs from row to row."""
    return any(_varies(_numbers(table, name, rows, 0.0)) for name in (roles.offset, roles.exposure) if name is not None)


def _varies(values: Array) -> bool:
    """Whether there are different values."""
    return bool(values.min() < values.max())


def _check_spread(table: Table, roles: Roles, target: Target, values: Array) -> None:
    """Refuse a target that is the same in all training rows with weight; a split or zero weights can make it so."""
    if values.min() != values.max():
        return
    where = Location(file=table.files[0].path, column=roles.target)
    rows = "in the training rows that have weight"
    hint = "more rows with weight in the training rows: other weights, other class weights or a smaller --test-size"
    if target.classes is None:
        message = f"target {roles.target!r} has one value only {rows}"
        raise DataError("constant-target", message, where=where, hint=hint)
    (name,) = [level for level in target.classes if (level == target.positive) == (values[0] == 1)]
    message = f"target {roles.target!r} has one class only {rows}, {name!r}"
    raise DataError("one-class", message, where=where, cells=[name], hint=hint)


def _class_weights(model: Model, target: Target, weights: Array) -> Array:
    """What each row's weight is multiplied by for the sake of its class."""
    out = np.ones(weights.size)
    if not model.class_weight or target.classes is None or target.positive is None:
        return out
    event = target.values == 1
    if "balanced" in model.class_weight:
        if len(model.class_weight) > 1:
            raise UsageError(
                "conflicting-options",
                "--class-weight balanced stands alone",
                hint="--class-weight balanced, or LEVEL=W for each class",
            )
        for rows in (event, ~event):
            total = weights[rows].sum()
            out[rows] = weights.sum() / (2.0 * total) if total > 0 else 1.0
        return out
    for pair in model.class_weight:
        level, equals, text = pair.rpartition("=")
        if not equals or level not in target.classes:
            raise UsageError(
                "unknown-option-value",
                f"--class-weight {pair!r} is neither balanced nor LEVEL=W",
                near=[f"{name}=1" for name in target.classes],
                hint="--class-weight balanced, or LEVEL=W for each class",
            )
        value = number_of("--class-weight", text)
        bounded("--class-weight", value, 0.0, np.inf)
        out[event == (level == target.positive)] = value
    return out


def _split(
    rows: Rows, target: Target, marks: Marks, folds: Folds | None, seed: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Training rows, and those set aside by --test-size; the split comes before anything is learnt."""
    if not folds or folds.test_size is None:
        return np.ones(rows.size, dtype=bool), np.zeros(rows.size, dtype=bool)
    if folds.test:
        raise UsageError(
            "conflicting-options", "--test and --test-size exclude each other", hint="leave one of them out"
        )
    share = folds.test_size
    bounded("--test-size", share, 0.0, 1.0, open_low=True, open_high=True)
    classes = None if target.classes is None else target.values.astype(np.intp)
    gap = gap_of(folds)
    if scheme_of(folds, classes=classes is not None) == "time":
        train, held = last_aside(np.arange(rows.size) if marks.times is None else marks.times, share, gap)
    else:
        held = set_aside(rows.size, share, seed, classes, marks.groups)
        train = ~held
    if not train.any():
        text = "--test-size" + (f" and a gap of {counted(gap, 'row')}" if gap else "") + " leaves no row to fit on"
        raise DataError("no-rows", text, hint="a smaller --test-size" + (" or --gap" if gap else ""))
    return train, held


def _test_file(
    request: FitRequest,
    run: RunContext,
    learnt: tuple[Roles, Encoder, Target, str],
    facts: DataFacts,
) -> tuple[Held, tuple[Warn, ...]]:
    """The rows of --test, encoded as the training rows were, and what is to be said of them."""
    roles, encoder, target, family = learnt
    data = replace(request.data, target=roles.target)
    known = settled(replace(roles, fold=None, group=None, order=None), encoder)
    used = read_used(data, request.reading, request.folds.test, run, known=known)
    X = known_matrix(encoder, used.table, used.rows)
    if target.classes is None:
        y = _numbers(used.table, roles.target, used.rows, 0.0)
        check_domain(used.table, roles.target, used.rows, FAMILIES[family])
    else:
        y = events(used.table, roles.target, used.rows, target, request.reading.decimal or ".")
    weights = _weights(used.table, roles, used.rows)
    return Held(X, y, weights, _offset(used.table, roles, used.rows)), _test_warnings(used, facts)


def _nothing_left(learnt: Learnt, file: str) -> DataError:
    """The error where no feature has a term."""
    wordless = any(reason == "no-words" for _, reason in learnt.dropped)
    text = "every column is constant" + " or has no word that enough rows have" * wordless
    hint = "choose other --features" + ", or a lower --text-min-rows" * wordless
    return DataError("no-features", text, hint=hint, where=Location(file=file))


def _test_warnings(used: Used, facts: DataFacts) -> tuple[Warn, ...]:
    """What is to be said of the rows of --test alone, and where they are rows that are fitted on."""
    fitted = {digest for _, digest, _ in facts.files}
    both = [file.path for file in used.table.files if file.rows and file.sha256 in fitted]
    own = (warning for warning in used.warnings if warning.code in ("same-file", "empty-part", "rows-dropped"))
    told = [replace(warning, message=f"--test: {warning.message}") for warning in own]
    if both:
        text = f"--test: {both[0]} holds rows that are fitted on, and scores them too well"
        told.append(Warn("same-file", text, {"files": both}))
    return tuple(told)
