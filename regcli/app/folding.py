"""How rows are held out: options to the partitions of a cross-validation, and to a test set."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regcli.app.options import Folds
from regcli.app.values import bounded, refuse
from regcli.data.distinct import numbered
from regcli.data.marks import Marks
from regcli.errors import DataError, Location, ResourceError, UsageError, Warn
from regcli.problem.families import FAMILIES
from regcli.problem.folds import Splits, deal_folds, deal_groups, fold_splits, leave_one_out, time_splits
from regcli.problem.lanes import Partition

__all__ = ["RowFacts", "gap_of", "make_splits", "refuse_mixed_schemes", "scheme_of"]

Rows = NDArray[np.intp]
Array = NDArray[np.float64]

#: glmnet's number of folds, and the fewest it allows.
FOLDS, LEAST_FOLDS = 10, 3

#: Leave-one-out fits a model for every row. Columns are standardized anew in each training set, so that no closed form
#: holds, and beyond this many rows ten folds say as much for a hundredth of the work.
MOST_LEFT_OUT = 2000

#: Lanes of leave-one-out in flight: as many as keep their Gram matrices and their predictors, of this many numbers
#: each, within some 100 MB.
LANE_CELLS = 10_000_000

#: A hundred times ten folds; more is a slip of the finger.
MOST_REPEATS = 1000


@dataclass(frozen=True)
class RowFacts:
    """What folds are made from, of each training row (n,).

    ``weights`` are those of the fit; ``classes`` are numbers from 0 on, None where there are none.
    """

    y: Array
    weights: Array
    family: str
    n_terms: int
    classes: Rows | None
    marks: Marks
    file: str
    fold_column: str | None
    group_column: str | None


def scheme_of(options: Folds, *, classes: bool) -> str:
    """The scheme that the options name or imply: kfold, stratified, group, time, loo or column."""
    if options.fold_column is not None:
        return "column"
    if options.cv is not None:
        return options.cv
    if options.group is not None:
        return "group"
    if options.order_by is not None:
        return "time"
    return "stratified" if classes else "kfold"


def gap_of(options: Folds) -> int:
    """Rows left out just before a fold, and before test rows, that follow in time."""
    gap = 0 if options.gap is None else options.gap
    bounded("--gap", gap, 0, np.inf)
    return gap


def refuse_mixed_schemes(options: Folds) -> None:
    """Options of one scheme beside another one.

    Raises
    ------
    UsageError
        ``option-without-effect`` or ``conflicting-options``.
    """
    if options.fold_column is not None:
        given = {
            "--folds": options.folds is not None,
            "--cv": options.cv is not None,
            "--group": options.group is not None,
            "--repeats": options.repeats is not None,
        }
        refuse(given, "with --fold-column")
    scheme = scheme_of(options, classes=False)
    if scheme == "group" and options.group is None:
        raise UsageError("usage", "--cv group needs --group COL", hint="--group names the column of groups")
    if options.group is not None and scheme not in ("group", "column"):
        text = f"--group and --cv {scheme} exclude each other"
        raise UsageError("conflicting-options", text, hint="leave --cv out: --group means group folds")
    if scheme != "time":
        given = {
            "--order-by": options.order_by is not None,
            "--gap": options.gap is not None,
            "--window": options.window is not None,
        }
        refuse(given, "without --cv time", "--cv time" if options.group is None else "")
    if scheme in ("time", "loo"):
        refuse({"--repeats": options.repeats is not None}, f"with --cv {scheme}: its folds are always the same")
    if scheme == "loo":
        refuse({"--folds": options.folds is not None}, "with --cv loo")
        if options.metric == "auc":
            text = "--metric auc has no value in folds of one row"
            raise UsageError("conflicting-options", text, hint="another metric, or --cv stratified")


def make_splits(options: Folds, facts: RowFacts, seed: int) -> tuple[Splits, list[Warn]]:
    """The partitions of the scheme asked for, and what the user should know.

    Raises
    ------
    DataError
        ``bad-folds``: folds that do not fit the rows.
    UsageError
        A number out of range, or a scheme that the target does not allow.
    ResourceError
        ``too-many-lanes``: leave-one-out of more than 2,000 rows.
    """
    scheme = scheme_of(options, classes=facts.classes is not None)
    if scheme == "stratified" and facts.classes is None:
        text = f"--cv stratified has no effect for the {facts.family} family"
        raise UsageError("option-without-effect", text, hint="--cv kfold, which is the default")
    notes: list[Warn] = []
    if scheme == "column":
        splits = _column_splits(facts)
    elif scheme == "loo":
        splits = _loo_splits(facts)
    else:
        count = _count(options, facts, scheme, notes)
        splits = _time_splits(options, facts, count) if scheme == "time" else _dealt(options, facts, count, seed, notes)
    for partition in splits.partitions:
        _check(partition, facts)
    return splits, notes


def _dealt(options: Folds, facts: RowFacts, count: int, seed: int, notes: list[Warn]) -> Splits:
    """Rows or groups dealt to folds, once or several times."""
    repeats = 1 if options.repeats is None else options.repeats
    bounded("--repeats", repeats, 1, MOST_REPEATS)
    n = facts.y.size
    classes = None if scheme_of(options, classes=facts.classes is not None) == "kfold" else facts.classes
    if facts.marks.groups is not None:
        dealt = [deal_groups(facts.marks.groups, count, seed, classes, repeat) for repeat in range(repeats)]
    else:
        dealt = [deal_folds(n, count, seed, classes, repeat) for repeat in range(repeats)]
    first = numbered(dealt[0])
    if repeats > 1 and all(np.array_equal(numbered(folds), first) for folds in dealt[1:]):
        fewer = f", or say --folds with fewer than {count}" if count > LEAST_FOLDS else ""
        text = f"all {repeats} repeats have the same {count} folds; leave out --repeats{fewer}"
        notes.append(Warn("same-folds", text, {"repeats": repeats, "folds": count}))
    return fold_splits(dealt, facts.weights)


def _column_splits(facts: RowFacts) -> Splits:
    """The user's own folds."""
    assert facts.marks.labels is not None  # noqa: S101  (the scheme says so)
    if int(facts.marks.labels.max()) < 1:
        raise DataError(
            "bad-folds",
            f"column {facts.fold_column!r} names one fold only",
            where=Location(file=facts.file, column=facts.fold_column),
            hint="--folds K deals the rows to folds",
        )
    return fold_splits([facts.marks.labels], facts.weights)


def _loo_splits(facts: RowFacts) -> Splits:
    """Every row on its own."""
    n = facts.y.size
    if n > MOST_LEFT_OUT:
        raise ResourceError(
            "too-many-lanes",
            f"--cv loo would fit {n:,} models at every strength; it is for at most {MOST_LEFT_OUT:,} rows",
            hint="--folds 10, or --folds 10 --repeats 5 for a steadier curve",
        )
    if n < LEAST_FOLDS:
        raise _too_few(facts, f"too few rows to cross-validate: {n}")
    return leave_one_out(facts.weights, max(1, min(n, LANE_CELLS // max(min(n, facts.n_terms) ** 2, n))))


def _time_splits(options: Folds, facts: RowFacts, count: int) -> Splits:
    """Folds that follow each other."""
    gap = gap_of(options)
    if options.window is not None:
        bounded("--window", options.window, 1, np.inf)
    times = np.arange(facts.y.size) if facts.marks.times is None else facts.marks.times
    splits = time_splits(times, count, gap, options.window, facts.weights)
    if splits is None:
        raise DataError(
            "bad-folds",
            f"{facts.y.size} rows at {int(times.max()) + 1} different times do not make {count} folds with rows before "
            f"each{'' if gap == 0 else f' and a gap of {gap} rows between'}",
            where=Location(file=facts.file),
            hint="fewer --folds" + (", or a smaller --gap" if gap else ""),
        )
    return splits


def _count(options: Folds, facts: RowFacts, scheme: str, notes: list[Warn]) -> int:
    """How many folds; fewer than usual where there are few rows, groups or times."""
    most, what = facts.y.size, "rows"
    if scheme == "group" and facts.marks.groups is not None:
        most, what = int(facts.marks.groups.max()) + 1, "groups"
    elif scheme == "time":  # the first ones are trained on only
        most, what = most - 1, "rows after the first"
        if facts.marks.times is not None:
            most, what = int(facts.marks.times.max()), "times after the first"
    count = options.folds
    if count is None:
        count = min(FOLDS, most)
        if count < LEAST_FOLDS:
            raise _too_few(facts, f"too few {what} to cross-validate: {most}")
        if count < FOLDS:
            text = f"{count} folds instead of {FOLDS}: there are {most} {what}"
            notes.append(Warn("fewer-folds", text, {"folds": count}))
    bounded("--folds", count, LEAST_FOLDS, np.inf)
    if count > most:
        raise DataError(
            "bad-folds",
            f"--folds {count} with {most} {what}",
            where=Location(file=facts.file, column=facts.group_column),
            hint=f"--folds {most} or less" if most >= LEAST_FOLDS else "more rows",
        )
    return count


def _too_few(facts: RowFacts, text: str) -> DataError:
    where = Location(file=facts.file, column=facts.group_column)
    return DataError("bad-folds", text, where=where, hint="give one strength with --lambda, or more rows")


def _check(partition: Partition, facts: RowFacts) -> None:
    """Refuse folds whose training rows cannot be fitted on."""
    family = FAMILIES[facts.family]
    weights, blocks = partition.row_weights, partition.n_blocks
    per_block = np.bincount(partition.block, weights=weights, minlength=blocks)
    moments = np.bincount(partition.block, weights=weights * facts.y, minlength=blocks)
    for lane in np.flatnonzero(partition.test.any(axis=1)):
        total = float(per_block[partition.train[lane]].sum())
        if total > 0 and family.has_null(float(moments[partition.train[lane]].sum()) / total):
            continue
        fold = f"the fold of row {int(np.flatnonzero(partition.test[lane][partition.block])[0]) + 1}"
        rows = partition.train[lane][partition.block] & (weights > 0)
        left = "no row with weight" if total <= 0 else "one class only"
        if total > 0 and facts.classes is None:
            left = f"the target {facts.y[rows][0]:g} only"
        raise DataError(
            "bad-folds",
            f"the training rows of {fold} have {left}",
            where=Location(file=facts.file),
            hint="other folds, fewer of them, or --cv stratified" if facts.classes is not None else "other folds",
        )
