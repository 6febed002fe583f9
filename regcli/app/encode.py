"""From a table to a design: which terms there are, what training sets learn about them, and rows of other tables."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from shlex import quote

import numpy as np
import scipy
from numpy.typing import NDArray

from regcli.app.options import Penalty
from regcli.app.reading import Known, Used
from regcli.app.values import term_values
from regcli.data.encoder import Encoder
from regcli.data.learn import Learnt, Recipe, learn_encoder
from regcli.data.roles import Roles
from regcli.data.table import Column, Levels, Numbers, Table
from regcli.data.terms import plain_term
from regcli.data.usable import LARGEST
from regcli.errors import DataError, Location, UsageError, Warn

__all__ = ["LaneMap", "known_matrix", "lane_map_of", "learn_terms", "same_columns", "settled"]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

#: From the weights (n,) of a training set, zero where a row is held out, to its lane matrix (m, p).
LaneMap = Callable[[Array], "scipy.sparse.csc_array | None"]


def learn_terms(penalty: Penalty, used: Used, rows: Rows, weights: Array, *, unpenalised: bool) -> Learnt:
    """Learn how columns become terms; categories that nothing penalises leave out their first level.

    All levels of such a category add up to the intercept, and which of them the solver sets aside would depend on the
    data. A category one of whose levels is named in an option keeps them all: the name must go on to mean a term.

    Raises
    ------
    UsageError
        ``option-without-effect``: no feature has powers.
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
    pairs = penalty.penalty_factor
    if unpenalised or not pairs:
        return learnt
    dropped = (plain_term(name) for name, _ in learnt.dropped)
    factors = term_values("--penalty-factor", pairs, (*learnt.encoder.terms, *dropped))
    named = {pair.rpartition("=")[0] for pair in (*pairs, *penalty.lower, *penalty.upper)}
    free = {
        feature.source
        for feature in learnt.encoder.features
        if feature.kind == "category"
        and all(factors.get(term.name) == 0 and term.name not in named for term in feature.terms)
    }
    if not free:
        return learnt
    return learn_encoder(table, features, rows, weights=weights, reference=free, recipe=recipe)


def lane_map_of(encoder: Encoder, columns: Mapping[str, Column], rows: Rows) -> LaneMap | None:
    """What turns the weights of a training set into its lane matrix; None where all have the base columns as terms.

    Parameters
    ----------
    encoder : Encoder
        What all training rows taught.
    columns : mapping of str to Column
        The table; those of its columns that have missing cells are kept.
    rows : (n,) integers
        Training rows.
    """
    if encoder.lane_map(encoder.fills) is None:
        return None
    gapped = {name: _taken(columns[name], rows) for name in encoder.gaps}
    return partial(_lane_map, encoder, gapped, np.arange(rows.size))


def _taken(column: Column, rows: Rows) -> Column:
    """Some rows of a column."""
    if isinstance(column, Numbers):
        return Numbers(column.values[rows])
    return replace(column, codes=column.codes[rows]) if isinstance(column, Levels) else column


def _lane_map(
    encoder: Encoder, columns: Mapping[str, Column], rows: Rows, weights: Array
) -> "scipy.sparse.csc_array | None":
    """The lane matrix of the training set with these weights."""
    return encoder.lane_map(encoder.learn(columns, rows, weights))


def settled(roles: Roles, encoder: Encoder) -> Known:
    """What further tables are held to: the columns of the encoder, with their kinds and policies."""
    features = encoder.features
    return Known(
        roles=replace(roles, features=tuple(feature.source for feature in features), warnings=()),
        recipe=Recipe(policies={feature.source: feature.missing for feature in features}),
        text={feature.source for feature in features if feature.kind == "category" and not feature.boolean},
        numeric={feature.source for feature in features if feature.kind == "number"},
    )


def known_matrix(encoder: Encoder, table: Table, rows: Rows) -> Array:
    """The design (r, p) of test rows.

    Raises
    ------
    DataError
        ``unknown-level`` for a category that no training row has; ``unsupported-type`` for numbers in the place of
        categories; ``value-range`` for powers and products beyond double precision.
    """
    for feature in encoder.features:
        column = table.columns[feature.source]
        if feature.kind == "category" and isinstance(column, Numbers) and not np.isnan(column.values[rows]).all():
            text = f"column {feature.source!r} must be text, as it is in the training rows"
            where = Location(file=table.files[0].path, column=feature.source)
            raise DataError("unsupported-type", text, where=where, hint=f"--drop {quote(feature.source)}")
    X = encoder.matrix(table.columns, rows)
    for bad, what in ((np.isnan(X), _UNKNOWN), (np.abs(X) > LARGEST, _BEYOND)):
        if bad.any():
            at = int(np.flatnonzero(bad.any(axis=1))[0])
            term = encoder.terms[int(np.flatnonzero(bad[at])[0])]
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


#: What is wrong with a test row: code and message.
_UNKNOWN = ("unknown-level", "a test row has a category of {name!r} that no training row has")
_BEYOND = ("value-range", f"a test row has a value of {{term!r}} beyond {LARGEST:g}, whose square overflows")


def same_columns(encoder: Encoder, X: Array) -> list[Warn]:
    """A warning for terms that are equal cell by cell, from the base columns X (n, m)."""
    seen: dict[bytes, list[str]] = {}
    for term, place in zip(encoder.terms, encoder.places, strict=True):
        seen.setdefault(X[:, place].tobytes(), []).append(term.name)
    groups = [names for names in seen.values() if len(names) > 1]
    if not groups:
        return []
    shown = "; ".join(", ".join(names[:4]) for names in groups[:3])
    return [Warn("duplicate-columns", f"columns with the same values: {shown}", {"groups": groups})]
