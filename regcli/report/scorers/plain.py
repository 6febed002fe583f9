"""A scorer as data: ``regcli.scorer/1``, what a program of any language needs to score rows."""

from typing import Any

from regcli.data.rule import Made, Rule
from regcli.data.terms import Factor

__all__ = ["scorer_document"]


def scorer_document(rule: Rule) -> dict[str, Any]:
    """The document, as ``regcli schema scorer`` describes it."""
    return {
        "schema": "regcli.scorer/1",
        "model": rule.content_id,
        "target": rule.target,
        "family": rule.family,
        "link": rule.link,
        "classes": None if rule.classes is None else list(rule.classes),
        "positive": rule.positive,
        "threshold": None if rule.classes is None else rule.threshold,
        "offset": rule.offset,
        "exposure": rule.exposure,
        "na_values": list(rule.na_values),
        "inputs": [
            {
                "column": part.column,
                "kind": part.kind,
                "levels": list(part.levels),
                "pooled": list(part.pooled),
                "knots": list(part.knots),
                "boolean": part.boolean,
                "required": part.required,
                "closed": part.closed,
                "ngrams": part.ngrams,
                "binary": part.binary,
                "made": [_made(made) for made in part.made],
            }
            for part in rule.inputs
        ],
        "intercept": rule.intercept,
        "terms": [
            {
                "term": term.name,
                "estimate": term.estimate,
                "weight": term.weight,
                "factors": [_factor(factor, fill) for factor, fill in term.factors],
            }
            for term in rule.summands
        ],
        "probes": [{"row": dict(rule.probe_row(probe)), "link": probe.link} for probe in rule.probes],
    }


def _factor(factor: Factor, fill: float | None) -> dict[str, Any]:
    """A factor, and what it is where its cell is missing."""
    return {
        "column": factor.source,
        "function": factor.function,
        "kind": factor.kind,
        "level": factor.level,
        "power": factor.power,
        "fill": fill,
    }


def _made(made: Made) -> dict[str, Any]:
    """What a function makes of a cell."""
    return {
        "function": made.function,
        "levels": list(made.levels),
        "pooled": list(made.pooled),
        "knots": list(made.knots),
        "closed": made.closed,
    }
