"""From files and options to arrays: the part that fit, cv and path share."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regcli.app.options import Data, Folds, Model
from regcli.app.values import bounded, number_of, refuse
from regcli.data.dialect import Dialect, parse_na_values
from regcli.data.encoder import Encoder, check_used, describe, learn_encoder, missing_rows
from regcli.data.read import read_header, read_table
from regcli.data.roles import Asked, Roles, assign_roles
from regcli.data.source import is_stream
from regcli.data.table import Levels, Numbers, Table
from regcli.data.target import Target, code_target, guess_family
from regcli.errors import DataError, Location, UsageError, Warn
from regcli.problem.folds import set_aside
from regcli.results import DataFacts

__all__ = ["Held", "Prepared", "dialect_of", "prepare"]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Cells that mean missing when --na-values is not given.
NA_VALUES = ("", "NA", "NaN", "nan", "null")

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


@dataclass(frozen=True)
class _Used:
    """A table with the parts of its columns and the rows that can be used."""

    table: Table
    roles: Roles
    rows: Rows
    dropped_missing: int
    dropped_target: int
    warnings: tuple[Warn, ...]


def dialect_of(options: Data) -> Dialect:
    """How the input is written, from the options."""
    return Dialect(
        delimiter=options.delimiter,
        decimal=options.decimal or ".",
        encoding=options.encoding or "utf-8",
        header=not options.no_header,
        na_values=NA_VALUES if options.na_values is None else parse_na_values(options.na_values),
        format=options.input_format,
    )


def prepare(data: Data, model: Model, folds: Folds | None, *, unpenalised: bool, seed: int) -> Prepared:
    """Read, check, and encode.

    ``unpenalised`` says that nothing penalises the coefficients, so that categories leave out their first level.
    """
    if not 0 <= seed < 2**63:
        raise UsageError("unknown-option-value", f"--seed is {seed}; it must be at least 0 and below 2^63")
    fold_column = folds.fold_column if folds else None
    used = _read(data, data.data, fold_column, None)
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
    if not X.shape[1]:
        where = Location(file=table.files[0].path)
        raise DataError("no-features", "every column is constant", hint="choose other --features", where=where)
    test = None
    if held.any():
        test = Held(learnt.encoder.matrix(table.columns, rows[held]), target.values[held], weights[held], offset[held])
        _refuse_unknown(test.X, "a test row has a category that no training row has")
    if folds and folds.test:
        test = _test_file(data, folds, roles, learnt.encoder, target, family)
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


def _read(data: Data, sources: tuple[str, ...], fold_column: str | None, known: Roles | None) -> _Used:
    """Read the table, give columns their parts, and settle which rows can be used."""
    if not sources:
        raise UsageError("usage", "no input file", hint="regcli fit data.csv, or - for standard input")
    dialect = dialect_of(data)
    asked = Asked(
        data.target, data.features, data.drop, data.categorical, data.id, data.weights, data.offset, fold_column
    )
    as_text = _as_text(asked, sources, dialect)
    table = read_table(sources, dialect, as_text=as_text)
    roles = known or assign_roles(asked, tuple(table.columns), file=sources[0])
    if known:
        _require(table, roles)
    warnings = [*roles.warnings]
    if table.delimiter_guessed:
        warnings.append(
            Warn(
                "delimiter-guessed", f"the delimiter is taken to be {table.delimiter!r}", {"delimiter": table.delimiter}
            )
        )
    numeric = roles.numeric()
    names = [roles.target, *roles.features, *numeric]
    check_used(table, names, roles.categorical, numeric=numeric, features=roles.features, decimal=dialect.decimal)
    zeros = [name for name in table.leading_zeros if name in roles.features]
    if zeros:
        warnings.append(
            Warn(
                "leading-zeros",
                f"{zeros[0]!r} is read as a number although cells begin with 0; --categorical {zeros[0]!r} keeps them",
                {"columns": zeros},
            )
        )
    return _usable_rows(table, roles, data, warnings)


def _as_text(asked: Asked, sources: tuple[str, ...], dialect: Dialect) -> set[str]:
    """Columns read as they are spelt. Patterns need the header; what can be read only once takes literal names."""
    names = {*asked.categorical, *asked.id, *([asked.fold] if asked.fold else [])}
    if any(set(name) & {"*", "?"} for name in names) and not is_stream(sources[0]):
        from regcli.data.roles import match_columns  # noqa: PLC0415  (patterns are rare)

        columns = read_header(sources[0], dialect)
        names |= set(match_columns((*asked.categorical, *asked.id), columns, file=sources[0]))
    return names


def _require(table: Table, roles: Roles) -> None:
    """Every column that a further table needs."""
    for name in (roles.target, *roles.features, *roles.numeric()):
        if name not in table.columns:
            raise DataError(
                "column-not-found", f"no column {name!r}", where=Location(file=table.files[0].path, column=name)
            )


def _usable_rows(table: Table, roles: Roles, data: Data, warnings: list[Warn]) -> _Used:
    """Apply --missing and --missing-target."""
    policy, target_policy = (_policy("--missing", data.missing), _policy("--missing-target", data.missing_target))
    needed = [name for name in (roles.target, roles.weights, roles.offset, roles.fold) if name is not None]
    keep = np.ones(table.rows, dtype=bool)
    holes = missing_rows(table, needed)
    if holes and target_policy == "error":
        _refuse_missing(table, holes, "missing-target", "--missing-target drop leaves these rows out")
    for mask in holes.values():
        keep &= ~mask
    dropped_target = int(table.rows - keep.sum())
    features = list(roles.features)
    holes = missing_rows(table, features)
    empty = [name for name, mask in holes.items() if mask[keep].all()]
    if empty:
        warnings.append(
            Warn(
                "all-missing-column", f"columns without any value were left out: {', '.join(empty)}", {"columns": empty}
            )
        )
        features = [name for name in features if name not in empty]
        if not features:
            where = Location(file=table.files[0].path)
            raise DataError("no-features", "every column is empty", hint="choose other --features", where=where)
    holes = {name: mask & keep for name, mask in holes.items() if name in features and (mask & keep).any()}
    if holes and policy == "error":
        _refuse_missing(table, holes, "missing-values", "--missing drop leaves these rows out; --drop COL the column")
    for mask in holes.values():
        keep &= ~mask
    dropped = int(table.rows - dropped_target - keep.sum())
    if dropped + dropped_target:
        warnings.append(
            Warn(
                "rows-dropped",
                f"{dropped + dropped_target} of {table.rows} rows with missing cells were left out",
                {"missing": dropped, "missing_target": dropped_target},
            )
        )
    rows = np.flatnonzero(keep)
    if not rows.size:
        raise DataError(
            "no-rows",
            "no row is left to fit on: every row has a missing cell",
            where=Location(file=table.files[0].path),
            hint="--drop the columns with the most missing cells",
        )
    return _Used(table, replace(roles, features=tuple(features)), rows, dropped, dropped_target, tuple(warnings))


def _policy(option: str, value: str | None) -> str:
    """Error or drop."""
    if value in (None, "error", "drop"):
        return value or "error"
    raise UsageError("unknown-option-value", f"{option} {value!r} is not known", hint="error or drop")


def _refuse_missing(table: Table, holes: dict[str, NDArray[np.bool_]], code: str, hint: str) -> None:
    """Name the columns with missing cells, how many, and the first one's place."""
    counts = {name: int(mask.sum()) for name, mask in holes.items()}
    first = next(iter(holes))
    listed = ", ".join(f"{name} ({count})" for name, count in list(counts.items())[:6])
    more = ", ..." if len(counts) > 6 else ""
    raise DataError(
        code,
        f"missing cells in {listed}{more}",
        where=table.locate(int(np.flatnonzero(holes[first])[0]), first),
        hint=hint,
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
            f"column {roles.weights!r} has {negative.size} negative weight{'s' * (negative.size > 1)}",
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


def _test_file(data: Data, folds: Folds, roles: Roles, encoder: Encoder, target: Target, family: str) -> Held:
    """The rows of --test, encoded as the training rows were."""
    used = _read(replace(data, target=roles.target), folds.test, None, replace(roles, fold=None, warnings=()))
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
