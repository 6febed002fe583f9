"""What a model makes of its columns, as settings that can be compared with those of another model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Setting", "settings_of"]

Document = Mapping[str, Any]

#: What a column is in a model, and what a comparison calls it.
_ASPECTS: Mapping[str, str] = {
    "kind": "kind",
    "levels": "levels",
    "pooled": "pooled levels",
    "boolean": "boolean cells",
    "powers": "powers",
    "knots": "knots",
    "words": "words",
    "ngrams": "runs of words",
    "weighting": "weighting of words",
    "missing": "missing cells",
    "fill": "fill",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting by its name; ``scale`` is the size of its numbers' kind, of which a tiny share counts as nothing."""

    name: str
    value: object
    scale: float = 0.0


def settings_of(model: Document) -> tuple[Setting, ...]:
    """Everything beside coefficients that changes what a model predicts.

    Columns are those that any prediction needs: with a coefficient, or with one on the path that is kept.
    """
    path = model["path"]
    strengths = () if path is None else tuple(path["lambdas"])
    needed = _needed(model)
    features = [feature for feature in model["features"] if (feature["column"], feature["function"]) in needed]
    return (
        Setting("cells that mean missing", tuple(sorted(model["na_values"]))),
        *(setting for feature in features for setting in _aspects(feature, needed)),
        Setting("strengths of the saved path", strengths),
        Setting("saved path", {} if path is None else _curves(path)),
    )


def _needed(model: Document) -> dict[tuple[str, str | None], float]:
    """The columns that predictions need, as they are worked with; and the deviations of those that are terms."""
    path = model["path"]
    along = set() if path is None else {row["term"] for row in path["coefficients"] if any(row["values"])}
    out: dict[tuple[str, str | None], float] = {}
    for entry in model["terms"]:
        if not entry["estimate"] and entry["term"] not in along:
            continue
        for factor in entry["factors"]:
            plain = len(entry["factors"]) == 1 and factor["kind"] == "value" and factor["power"] == 1
            key = (factor["column"], factor["function"])
            out[key] = max(out.get(key, 0.0), entry["sd"] if plain else 0.0)
    return out


def _aspects(feature: Document, needed: Mapping[tuple[str, str | None], float]) -> Iterator[Setting]:
    """What a column is; a fill is a number in its units, or shares of levels."""
    column, function = feature["column"], feature["function"]
    name = column if function is None else f"{function}({column})"
    for aspect, called in _ASPECTS.items():
        scale = 0.0
        if aspect == "fill":
            scale = 1.0 if isinstance(feature["fill"], Mapping) else needed[column, function]
        yield Setting(f"{called} of {name}", feature[aspect], scale)


def _curves(path: Document) -> dict[str, list[float]]:
    """The coefficients along a path that are not all zero, by term."""
    curves = {row["term"]: row["values"] for row in path["coefficients"] if any(row["values"])}
    return {"(intercept)": path["intercepts"], **curves}
