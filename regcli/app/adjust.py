"""What predict may be told to do otherwise than the model: another strength of its path, other fills."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regcli.app.recipe import other_policies
from regcli.data.fills import Fills, level_fills
from regcli.data.scorer import Scorer
from regcli.data.terms import FILLING, Feature
from regcli.data.training import ColumnProfile
from regcli.errors import UsageError, Warn

__all__ = ["at_strength", "with_policies"]

#: Strengths that differ by less, as a share, are the same: path and fit --save-path may differ in the last digit.
SAME = 1e-12


def at_strength(scorer: Scorer, lam: float | None) -> tuple[Scorer, tuple[Warn, ...]]:
    """The model at a strength of the saved path: a model of the path, or what lies between the two around it.

    Between them intercept and coefficients are interpolated linearly in the strength, as glmnet's predict does.

    Raises
    ------
    UsageError
        ``option-without-effect`` without a saved path, ``unknown-option-value`` for a strength beyond its ends.
    """
    if lam is None:
        return scorer, ()
    path = scorer.path
    if path is None:
        text = f"--lambda has no effect: the model file holds one strength, {scorer.lam!r}"
        raise UsageError("option-without-effect", text, hint="fit with --save-path keeps the whole path")
    near = path.lambdas[np.isclose(path.lambdas, lam, rtol=SAME, atol=0.0)]
    lam = float(near[0]) if near.size else lam
    most, least = float(path.lambdas[0]), float(path.lambdas[-1])
    if not least <= lam <= most:
        text = f"--lambda is {lam!r}; the saved path goes from {most!r} to {least!r}"
        raise UsageError("unknown-option-value", text, hint="a strength in that range, or fit with this one")
    after = int(np.searchsorted(-path.lambdas, -lam))  # the first strength that is not larger
    if path.lambdas[after] == lam:
        return _moved(scorer, path.coefs[after], float(path.intercepts[after]), lam), ()
    above, below = float(path.lambdas[after - 1]), float(path.lambdas[after])
    share = (lam - below) / (above - below)
    coefs = share * path.coefs[after - 1] + (1.0 - share) * path.coefs[after]
    intercept = float(share * path.intercepts[after - 1] + (1.0 - share) * path.intercepts[after])
    text = f"strength {lam!r} is none of the path: coefficients are interpolated between {above!r} and {below!r}"
    warning = Warn("lambda-interpolated", text, {"lambda": lam, "between": [above, below]})
    return _moved(scorer, coefs, intercept, lam), (warning,)


def _moved(scorer: Scorer, some: NDArray[np.float64], intercept: float, lam: float) -> Scorer:
    """The model with other coefficients of the path's terms; the rest are zero all along it."""
    coefs = np.zeros(len(scorer.coefs))
    if scorer.path is not None:
        coefs[scorer.path.places] = some
    return replace(scorer, coefs=coefs, intercept=intercept, lam=lam)


def with_policies(scorer: Scorer, options: Sequence[str]) -> tuple[Scorer, tuple[str, ...]]:
    """The model with other policies for missing cells, and the columns whose rows are left out where one is missing.

    ``error`` and ``drop`` need nothing. ``mean`` and ``median`` take what the profile knows: of numbers their mean or
    median, of categories the share of each level or the most frequent one, weighted as the fit was.

    Raises
    ------
    UsageError
        A policy that this model cannot have.
    """
    if not options:
        return scorer, ()
    learnt = {feature.column: feature.missing for feature in scorer.encoder.features}
    derived = {f.column: (f.function, f.source) for f in scorer.encoder.features if f.function is not None}
    policies = other_policies(options, learnt, derived)
    lessons = scorer.encoder.lessons
    numbers, levels = dict(lessons.fills.numbers), {**lessons.fills.levels}
    features, needed = [], frozenset(scorer.needed)
    for feature in scorer.encoder.features:
        policy = policies[feature.column]
        if feature.kind == "text" and policy in FILLING:
            policy = feature.missing  # text without a cell is text without a word
        if policy != feature.missing and feature.source in needed:
            _refuse_impossible(feature, policy)
            if policy in ("mean", "median"):
                known = _known(scorer, feature, policy)
                if feature.kind == "number":
                    numbers[feature.column] = _middle(known, policy)
                else:
                    levels[feature.column] = _shares(feature, known, policy)
            feature = replace(feature, missing=policy)  # noqa: PLW2901  (the feature as it is used from here on)
        features.append(feature)
    encoder = replace(scorer.encoder, features=tuple(features), lessons=replace(lessons, fills=Fills(numbers, levels)))
    dropped = tuple(f.source for f in features if policies[f.column] == "drop" and f.source in needed)
    return replace(scorer, encoder=encoder), dropped


def _refuse_impossible(feature: Feature, policy: str) -> None:
    """Refuse what the terms of a model cannot express."""
    name = feature.column
    if policy == "indicator":
        text = f"--missing indicator: the model has no term {feature.indicator.name}"
        raise UsageError(
            "option-without-effect", text, hint="fit with --missing indicator, or error, drop, mean, median"
        )
    if feature.flag and policy in ("mean", "median"):
        means = f"what a missing {feature.source!r} means, the term {feature.indicator.name}"
        text = f"--missing {policy}: the model has learnt {means}"
        raise UsageError("conflicting-options", text, hint=f"leave {name!r} as the model learnt it, or error or drop")


def _known(scorer: Scorer, feature: Feature, policy: str) -> ColumnProfile:
    """What the model knows of a column."""
    known = None if scorer.profile is None else scorer.profile.columns.get(feature.column)
    if known is None or (known.mean is None and not (known.levels and any(known.levels.values()))):
        text = f"--missing {policy}: the model file does not know the {policy} of column {feature.column!r}"
        raise UsageError("option-without-effect", text, hint="fit without --no-profile, or --missing error or drop")
    return known


def _middle(known: ColumnProfile, policy: str) -> float:
    """The mean or median of a column of numbers, weighted as the fit was."""
    if known.fills is not None:
        return known.fills[policy]
    value = known.mean if policy == "mean" else known.median
    assert value is not None  # noqa: S101  (a profile with a mean has a median)
    return value


def _shares(feature: Feature, known: ColumnProfile, policy: str) -> Mapping[str, float]:
    """What the column of each level gets, as a fit with this policy learns it, weighted as the fit was."""
    if known.level_fills is not None:
        return known.level_fills[policy]
    counts = np.array([(known.levels or {}).get(level, 0) for level in feature.levels], dtype=np.float64)
    there = np.flatnonzero(counts)
    cells = level_fills(replace(feature, missing=policy), there, counts[there])
    return dict(zip(feature.levels, cells.tolist(), strict=True))
