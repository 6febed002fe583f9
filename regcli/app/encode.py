"""From a table to a design: which terms there are, what training sets learn about them, and rows of other tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from shlex import quote
from typing import Self

import numpy as np
import scipy
from numpy.typing import NDArray

from regcli.app.options import Penalty
from regcli.app.reading import Known, Used
from regcli.app.values import term_values
from regcli.data.alike import are_multiples, scaled
from regcli.data.encoder import Encoder
from regcli.data.learn import Learnt, Recipe, learn_encoder
from regcli.data.roles import Roles
from regcli.data.stored import Matrix
from regcli.data.table import Column, Levels, Numbers, Table, Unsupported
from regcli.data.terms import Feature, column_name, plain_term
from regcli.data.usable import LARGEST
from regcli.errors import DataError, Location, ResourceError, UsageError, Warn, counted

__all__ = ["LaneMaps", "known_matrix", "lane_maps", "learn_terms", "same_columns", "settled"]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Base columns that knots of other training sets may add.
MOST_BLOCKS = 2_000


@dataclass(frozen=True)
class LaneMaps:
    """What turns the weights of a training set, zero where a row is held out, into its lane matrix (m, p).

    ``columns`` are those of which training sets learn something, on the n training rows alone.
    """

    encoder: Encoder
    columns: Mapping[str, Column]
    rows: Rows

    def __call__(self, weights: Array) -> "scipy.sparse.csc_array | None":
        """The lane matrix for weights (n,); its columns are always the same, its base columns those of ``encoder``."""
        return self.encoder.lane_map(self.encoder.learn(self.columns, self.rows, weights))

    def widened(self, X: Matrix, lanes: Iterable[Array]) -> tuple[Self, Matrix]:
        """The same for training sets with these weights, and their base columns from those there are (n, m).

        Only splines add to them: those with the knots of other training sets.

        Raises
        ------
        ResourceError
            ``too-many-lanes``.
        """
        splined = [feature for feature in self.encoder.features if feature.basis]
        if not splined:
            return self, X
        lessons = [self.encoder.learn(self.columns, self.rows, weights) for weights in lanes]
        encoder = self.encoder.widened(lessons)
        more = sum(len(encoder.blocks[feature.column]) * (feature.basis - 1) for feature in splined)
        if more > MOST_BLOCKS:
            raise ResourceError(
                "too-many-lanes",
                f"the knots of the training sets take {more:,} columns; at most {MOST_BLOCKS:,} are for that",
                hint="fewer --repeats, fewer --folds, or fewer columns with --spline",
            )
        return replace(self, encoder=encoder), encoder.joined_blocks(X, self.columns, self.rows)


def learn_terms(
    penalty: Penalty, used: Used, rows: Rows, weights: Array, *, unpenalised: bool, intercept: bool
) -> Learnt:
    """Learn how columns become terms; categories that nothing penalises leave out their first level.

    All levels of such a category add up to the intercept, and which of them the solver sets aside would depend on the
    data. Without an intercept the first such category stands for it, and keeps them all. So does a category one of
    whose levels is named in an option: the name must go on to mean a term.

    Raises
    ------
    UsageError
        ``option-without-effect``: no feature has powers, or one fewer than a formula asks for.
    DataError
        See ``learn_encoder``.
    """
    table, features, recipe = used.table, used.roles.features, used.recipe
    learnt = learn_encoder(table, features, rows, weights=weights, reference=unpenalised, recipe=recipe)
    if recipe.degree > 1 and all(feature.powers < 2 for feature in learnt.encoder.features if feature.kind == "number"):
        raise UsageError(
            "option-without-effect",
            f"--poly {recipe.degree} has no effect: no feature is a number with more than two values",
            hint="leave --poly out",
        )
    for feature in learnt.encoder.features:
        _refuse_fewer_powers(feature, recipe.degrees.get(feature.column, 1))
    free = _free_categories(penalty, learnt, unpenalised=unpenalised)
    if not free or (unpenalised and intercept):
        return learnt
    whole = None if intercept else free[0]
    return learn_encoder(table, features, rows, weights=weights, reference=free, whole=whole, recipe=recipe)


def _free_categories(penalty: Penalty, learnt: Learnt, *, unpenalised: bool) -> list[str]:
    """The categories that nothing penalises and of which no option names a level, in order."""
    categories = [feature for feature in learnt.encoder.features if feature.kind == "category"]
    pairs = penalty.penalty_factor
    if unpenalised:
        return [feature.column for feature in categories]
    if not pairs:
        return []
    dropped = (plain_term(name) for name, _ in learnt.dropped)
    factors = term_values("--penalty-factor", pairs, (*learnt.encoder.terms, *dropped))
    named = {pair.rpartition("=")[0] for pair in (*pairs, *penalty.lower, *penalty.upper)}
    return [
        feature.column
        for feature in categories
        if all(factors.get(term.name) == 0 and term.name not in named for term in feature.terms)
    ]


def _refuse_fewer_powers(feature: Feature, degree: int) -> None:
    """A formula names a column's powers: those that its values cannot tell apart are not left out in silence."""
    if 0 < feature.powers < degree:
        name, values = feature.column, counted(feature.powers + 1, "different value")
        lower = f"poly({name}, {feature.powers})" if feature.powers > 1 else name
        raise UsageError(
            "option-without-effect",
            f"--formula: poly({name}, {degree}): column {name!r} has {values}, too few for this power",
            hint=f"{lower} in its place",
        )


def lane_maps(encoder: Encoder, columns: Mapping[str, Column], rows: Rows) -> LaneMaps | None:
    """What makes lane matrices; None where every training set has the base columns as its terms.

    Parameters
    ----------
    encoder : Encoder
        What all training rows taught.
    columns : mapping of str to Column
        The table; those of its columns of which training sets learn something are kept.
    rows : (n,) integers
        Training rows.
    """
    if encoder.lane_map(encoder.lessons) is None:
        return None
    kept = {feature.column: _taken(columns[feature.column], rows) for feature in encoder.taught}
    return LaneMaps(encoder, kept, np.arange(rows.size))


def _taken(column: Column, rows: Rows) -> Column:
    """Some rows of a column."""
    return column if isinstance(column, Unsupported) else column.taken(rows)


def settled(roles: Roles, encoder: Encoder) -> Known:
    """What further tables are held to: the columns of the encoder, with their kinds and policies."""
    features = encoder.features
    return Known(
        roles=replace(roles, features=tuple(feature.column for feature in features), warnings=()),
        recipe=Recipe(
            policies={feature.column: feature.missing for feature in features},
            derived={column_name(source, function): (function, source) for function, source in encoder.derived},
        ),
        text=encoder.text_sources,
        numeric=encoder.number_sources,
    )


def known_matrix(encoder: Encoder, table: Table, rows: Rows) -> Matrix:
    """The design (r, p) of test rows.

    Raises
    ------
    DataError
        ``unknown-level`` for a category that no training row has; ``unsupported-type`` for numbers in the place of
        categories; ``value-range`` for powers and products beyond double precision.
    """
    for feature in encoder.features:
        column = table.columns[feature.column]
        if feature.kind != "number" and isinstance(column, Numbers) and not np.isnan(column.values[rows]).all():
            text = f"column {feature.source!r} must be text, as it is in the training rows"
            where = Location(file=table.files[0].path, column=feature.source)
            raise DataError("unsupported-type", text, where=where, hint=f"--drop {quote(feature.source)}")
    X = encoder.matrix(table.columns, rows)
    for test, what in ((np.isnan, _UNKNOWN), (_too_large, _BEYOND)):
        found = _first_cell(X, test)
        if found is not None:
            at, place = found
            term = encoder.terms[place]
            name, row = term.sources[0], int(rows[at])
            column = table.columns[name]
            raise DataError(
                what[0],
                what[1].format(name=name, term=term.name),
                where=table.locate(row, name),
                cells=[column.levels[column.codes[row]]] if isinstance(column, Levels) else [],
                hint=f"--drop {quote(name)}, or take the row out of the test data",
            )
    return X


def _too_large(values: Array) -> NDArray[np.bool_]:
    return np.abs(values) > LARGEST


def _first_cell(X: Matrix, test: Callable[[Array], NDArray[np.bool_]]) -> tuple[int, int] | None:
    """Row and column of the first cell, by rows, of which something is true; zeros of sparse columns pass."""
    if isinstance(X, np.ndarray):
        found = np.argwhere(test(X)).astype(np.int64)
    else:
        cells = X.tocoo()
        found = np.column_stack([cells.row, cells.col]).astype(np.int64)[test(cells.data)]
        found = found[np.argsort(found[:, 0], kind="stable")]
    return (int(found[0, 0]), int(found[0, 1])) if len(found) else None


#: What is wrong with a test row: code and message.
_UNKNOWN = ("unknown-level", "a test row has a category of {name!r} that no training row has")
_BEYOND = ("value-range", f"a test row has a value of {{term!r}} beyond {LARGEST:g}, whose square overflows")


def _digest(X: Matrix, place: int) -> bytes:
    """A hash of a column's cells, which themselves would be a copy."""
    if isinstance(X, np.ndarray):
        return sha256(X[:, place].data).digest()
    part = slice(X.indptr[place], X.indptr[place + 1])
    there = X.data[part] != 0
    return sha256(X.indices[part][there].tobytes() + X.data[part][there].tobytes()).digest()


def same_columns(encoder: Encoder, X: Matrix) -> list[Warn]:
    """Warnings for terms that are equal cell by cell, and for multiples of each other, from the base columns X (n, m).

    Words are left out: that rare ones go together is their way.
    """
    seen: dict[tuple[bytes, str | None], list[str]] = {}
    once, both = _once(encoder, X), _second_of_two(encoder)
    for term, place in zip(encoder.terms, encoder.places, strict=True):
        if term.factors[0].kind != "word":
            # What is another in every row goes together with all that is: such levels are equal where their names are.
            level = term.factors[0].level if term.main in once else None
            seen.setdefault((_digest(X, place), level), []).append(term.name)
    out = []
    for groups, code, what in (
        ([names for names in seen.values() if len(names) > 1], "duplicate-columns", "with the same values"),
        (
            _multiples(
                encoder, X, [names[0] for (_, lv), names in seen.items() if lv is None and names[0] not in both]
            ),
            "collinear-columns",
            _MULTIPLES,
        ),
    ):
        if groups:
            shown = "; ".join(", ".join(names[:4]) for names in groups[:3])
            out.append(Warn(code, f"columns {what}: {shown}", {"groups": groups}))
    return out


def _second_of_two(encoder: Encoder) -> set[str]:
    """Terms of the second of two levels that both have one: without an intercept neither stands for the other."""
    return {
        term.name
        for feature in encoder.features
        if feature.kind == "category" and len(feature.levels) == len(feature.coded) == 2
        for term in feature.terms
        if term.factors[0].level == feature.levels[1]
    }


def _once(encoder: Encoder, X: Matrix) -> set[str]:
    """Columns that have another level in every row."""
    most: dict[str, float] = {}
    for term, place in zip(encoder.terms, encoder.places, strict=True):
        if term.main is not None and term.factors[0].kind == "level":
            most[term.main] = max(most.get(term.main, 0.0), float(X[:, [place]].sum()))
    return {name for name, rows in most.items() if rows <= 1.0}


_MULTIPLES = "that are multiples of each other, shifted or not"

#: Rows that most columns are told apart by, and digits that they are compared to there.
_HEAD, _DIGITS = 64, 6


def _multiples(encoder: Encoder, X: Matrix, names: Sequence[str]) -> list[list[str]]:
    """Groups of terms each of which is a number times the first one plus a number; of dense matrices alone.

    The first rows are brought to one scale and compared; what agrees there is compared on all rows.
    """
    if not isinstance(X, np.ndarray):
        return []
    places = {term.name: place for term, place in zip(encoder.terms, encoder.places, strict=True)}
    seen: dict[bytes, list[list[str]]] = {}
    heads = np.round(scaled(X[:_HEAD, [places[name] for name in names]]), _DIGITS).T + 0.0  # one zero
    for name, head in zip(names, np.ascontiguousarray(heads), strict=True):
        if np.isnan(head[0]):
            continue
        groups = seen.setdefault(head.tobytes(), [])
        mine = (group for group in groups if are_multiples(X[:, places[group[0]]], X[:, places[name]]))
        group = next(mine, None)
        if group is None:
            groups.append([name])
        else:
            group.append(name)
    return [group for groups in seen.values() for group in groups if len(group) > 1]
