"""From files and options to arrays: the part that fit, cv and path share."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regcli.app.options import FitRequest, Folds, Model, PathRequest
from regcli.app.reading import read_used
from regcli.app.values import bounded, number_of, refuse
from regcli.data.encoder import Encoder, describe, learn_encoder
from regcli.data.roles import Roles
from regcli.data.table import Levels, Numbers, Table
from regcli.data.target import Target, code_target, guess_family
from regcli.errors import DataError, Location, UsageError, Warn, counted
from regcli.problem.folds import set_aside
from regcli.results import DataFacts

__all__ = ["Held", "Prepared", "prepare"]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Weights are divided by their sum; below this some of them are subnormal and have lost digits.
LEAST_WEIGHT = 1e-290


@dataclass(frozen=True)
class Held:
    """Rows that are scored and never fitted on: design (r, p), target, weights, offset."""

    X: Array
    y: Array
    weights: Array
    offset: Array


@dataclass(frozen=True)
class Prepared:
    """Arrays of the training rows, and what is known about them.

    ``weights`` (n,) are the user's; ``fit_weights`` those times the class weights. ``fold`` (n,) numbers the user's
    folds, None without a fold column. ``classes_of`` (n,) numbers the class of each row, None for numbers.
    """

    facts: DataFacts
    roles: Roles
    encoder: Encoder
    X: Array
    y: Array
    weights: Array
    fit_weights: Array
    offset: Array
    fold: NDArray[np.intp] | None
    family: str
    family_source: str
    target: Target
    dropped: tuple[tuple[str, str], ...]
    test: Held | None
    warnings: tuple[Warn, ...]
    ranges: Mapping[str, object]

    @property
    def classes_of(self) -> NDArray[np.intp] | None:
        """Class of each training row."""
        return None if self.target.classes is None else self.y.astype(np.intp)


def prepare(request: FitRequest | PathRequest, *, unpenalised: bool, seed: int) -> Prepared:
    """Read, check, and encode.

    ``unpenalised`` says that nothing penalises the coefficients, so that categories leave out their first level.
    """
    if not 0 <= seed < 2**63:
        raise UsageError("unknown-option-value", f"--seed is {seed}; it must be at least 0 and below 2^63")
    data, model = request.data, request.model
    folds = request.folds if isinstance(request, FitRequest) else None
    used = read_used(data, request.reading, data.data, fold=folds.fold_column if folds else None)
    table, roles, rows = used.table, used.roles, used.rows
    family, source = (model.family, "option") if model.family else (guess_family(table, roles.target, rows), "guessed")
    warnings = list(used.warnings)
    if source == "guessed":
        warnings.append(Warn("family-guessed", f"the family is taken to be {family}; say --family", {"family": family}))
    refuse(
        {"--positive-class": model.positive_class is not None, "--class-weight": bool(model.class_weight)},
        f"for the {family} family",
    ) if family != "binomial" else None
    target = code_target(table, roles.target, rows, family=family, positive=model.positive_class)
    train, held = _split(rows, target, folds, seed)
    fitted = target.values[train]
    weights = _weights(table, roles, rows)
    fit_weights = weights[train] * _class_weights(model, replace(target, values=fitted), weights[train])
    _check_weights(table, roles, fit_weights)
    _check_spread(table, roles, target, fitted[fit_weights > 0])
    learnt = learn_encoder(table, roles.features, rows[train], weighted=weights[train] > 0, reference=unpenalised)
    offset = _numbers(table, roles.offset, rows, 0.0)
    X = learnt.encoder.matrix(table.columns, rows[train])
    idle = np.flatnonzero(weights[train] == 0)
    X[idle] = np.nan_to_num(X[idle])  # a level that no row with weight has is no level of the model
    if not X.shape[1]:
        where = Location(file=table.files[0].path)
        raise DataError("no-features", "every column is constant", hint="choose other --features", where=where)
    test = None
    if held.any():
        test = Held(learnt.encoder.matrix(table.columns, rows[held]), target.values[held], weights[held], offset[held])
        _refuse_unknown(test.X, "a test row has a category that no training row has")
    if folds and folds.test:
        test = _test_file(request, folds, roles, learnt.encoder, target, family)
    warnings += [*target.warnings, *learnt.warnings, *_duplicates(X, learnt.encoder)]
    return Prepared(
        facts=DataFacts(
            files=tuple((file.path, file.sha256, file.rows) for file in table.files),
            format=table.format,
            target=roles.target,
            target_source=roles.target_source,
            rows=table.rows,
            rows_used=int(train.sum()),
            dropped_missing=used.dropped_missing,
            dropped_target=used.dropped_target,
            weights=roles.weights,
            offset=roles.offset,
        ),
        roles=roles,
        encoder=learnt.encoder,
        X=X,
        y=fitted,
        weights=weights[train],
        fit_weights=fit_weights,
        offset=offset[train],
        fold=_fold_labels(table, roles.fold, rows[train]),
        family=family,
        family_source=source,
        target=target,
        dropped=learnt.dropped,
        test=test,
        warnings=tuple(warnings),
        ranges=describe(table, learnt.encoder, rows[train]),
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
        )
    return column.values[rows]


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
            raise UsageError("conflicting-options", "--class-weight balanced stands alone")
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
            )
        value = number_of("--class-weight", text)
        bounded("--class-weight", value, 0.0, np.inf)
        out[event == (level == target.positive)] = value
    return out


def _fold_labels(table: Table, name: str | None, rows: Rows) -> NDArray[np.intp] | None:
    """The user's folds, numbered in the order of their labels."""
    if name is None:
        return None
    column = table.columns[name]
    if not isinstance(column, Levels):
        where = Location(file=table.files[0].path, column=name)
        raise DataError("bad-folds", f"column {name!r} names no folds", where=where)
    from regcli.data.encoder import level_order  # noqa: PLC0415  (fold columns are rare)

    present = np.unique(column.codes[rows])
    order = level_order([column.levels[code] for code in present])
    position = np.full(len(column.levels), -1, dtype=np.intp)
    for code in present:
        position[code] = order.index(column.levels[code])
    return position[column.codes[rows]]


def _split(rows: Rows, target: Target, folds: Folds | None, seed: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Training rows, and those set aside by --test-size; the split comes before anything is learnt."""
    held = np.zeros(rows.size, dtype=bool)
    if folds and folds.test_size is not None:
        if folds.test:
            raise UsageError("conflicting-options", "--test and --test-size exclude each other")
        bounded("--test-size", folds.test_size, 0.0, 1.0, open_low=True, open_high=True)
        classes = None if target.classes is None else target.values.astype(np.intp)
        held = set_aside(rows.size, folds.test_size, seed, classes)
        if held.all():
            raise DataError("no-rows", "--test-size leaves no row to fit on", hint="a smaller --test-size")
    return ~held, held


def _test_file(
    request: FitRequest | PathRequest, folds: Folds, roles: Roles, encoder: Encoder, target: Target, family: str
) -> Held:
    """The rows of --test, encoded as the training rows were."""
    data = replace(request.data, target=roles.target)
    used = read_used(data, request.reading, folds.test, known=replace(roles, fold=None, warnings=()))
    X = encoder.matrix(used.table.columns, used.rows)
    _refuse_unknown(X, "the test table has a category that no training row has")
    column = used.table.columns[roles.target]
    if family == "gaussian":
        y = _numbers(used.table, roles.target, used.rows, 0.0)
    else:
        from regcli.data.target import events  # noqa: PLC0415  (test files are rare)

        y = events(column, used.rows, target)
    weights = _weights(used.table, roles, used.rows)
    return Held(X, y, weights, _numbers(used.table, roles.offset, used.rows, 0.0))


def _refuse_unknown(X: Array, what: str) -> None:
    """A category without a code."""
    if np.isnan(X).any():
        raise DataError("unknown-level", what, hint="drop the column, or take the row out of the test data")


def _duplicates(X: Array, encoder: Encoder) -> list[Warn]:
    """A warning for columns that are equal cell by cell."""
    seen: dict[bytes, list[str]] = {}
    for at, term in enumerate(encoder.terms):
        seen.setdefault(X[:, at].tobytes(), []).append(term.name)
    groups = [names for names in seen.values() if len(names) > 1]
    if not groups:
        return []
    shown = "; ".join(", ".join(names[:4]) for names in groups[:3])
    return [Warn("duplicate-columns", f"columns with the same values: {shown}", {"groups": groups})]
