"""Two documents held against each other: what came in, what went out, what changed sign or size."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard

from regcli.app.encodings import Setting
from regcli.app.options import Diffing
from regcli.app.sides import Estimate, Side, term_of
from regcli.app.values import bounded
from regcli.data.inputs import refuse_stdin_twice
from regcli.errors import UsageError, listed
from regcli.results import Change, Difference

__all__ = ["FLOOR", "TOL", "almost", "compare", "selected", "tolerance", "unlike"]

#: What is the same unless --tol says otherwise: the last digits may differ between kinds of processor.
TOL = 1e-6

#: The largest share of the largest number of its kind that counts as nothing: the default of fit's --tol, the
#: violation that a converged model may have.
FLOOR = 1e-7

#: Lists as long as this are told whole, and so many of the names that differ.
_FEW, _SHOWN = 10, 5

Pairs = Sequence[tuple[int, int]]


def tolerance(diffing: Diffing) -> float:
    """What --tol says, or its default."""
    refuse_stdin_twice((diffing.first, diffing.second))
    if diffing.tol is None:
        return TOL
    bounded("--tol", diffing.tol, 0.0, 1.0, open_high=True)
    return diffing.tol


def almost(a: float, b: float, tol: float, scale: float) -> bool:
    """Whether two numbers are the same: to within ``tol`` of the larger, or a tiny share of ``scale``, their kind's."""
    return abs(a - b) <= max(tol * max(abs(a), abs(b)), min(tol, FLOOR) * scale)


def unlike(a: Mapping[str, Estimate], b: Mapping[str, Estimate], tol: float) -> tuple[Change, ...]:
    """Terms whose estimates are not the same, in the order of both documents; a term that is absent is zero.

    Estimates are in the units of their columns. What counts as nothing is told by those per standard deviation, which
    have one unit, where documents have them.
    """
    reach = max((abs(one.std) for one in (*a.values(), *b.values()) if one.std is not None), default=0.0)
    out = []
    for name in dict.fromkeys((*a, *b)):
        one, other = (side.get(name, Estimate(0.0, 0.0)) for side in (a, b))
        if almost(one.value, other.value, tol, 0.0):
            continue
        stds = [value.std for value in (one, other) if value.std is not None]
        if len(stds) == 2 and abs(stds[0] - stds[1]) <= min(tol, FLOOR) * reach:
            continue
        out.append(Change(name, _kind(one.value, other.value), one.value, other.value))
    return tuple(out)


def compare(a: Side, b: Side, tol: float) -> Difference:
    """Compare two models, fits and cvs with each other, or two paths.

    Numbers are the same where ``almost`` says so: strengths by themselves, estimates as in ``unlike``, the intercept
    beside the largest estimate per standard deviation, metrics beside the largest metric of their name, what is along
    a path beside the largest value of the same term.

    Raises
    ------
    UsageError
        ``conflicting-options``: a path and something else; ``unknown-option-value``: nothing of a model.
    """
    for side in (a, b):
        if side.terms is None and side.path_document is None:
            text = f"{side.path} is a document of kind {side.kind}, which has no model"
            raise UsageError("unknown-option-value", text, hint="a model, or what fit, cv or path wrote")
    if (a.path_document is None) != (b.path_document is None):
        text = f"a path and a {b.kind if a.path_document else a.kind} cannot be compared"
        raise UsageError("conflicting-options", text, hint="two paths, or two of models, fits and cvs")
    if a.path_document is not None and b.path_document is not None:
        return _paths(a, b, a.path_document, b.path_document, tol)
    terms_a, terms_b = a.terms or {}, b.terms or {}
    stds = [abs(one.std) for one in (*terms_a.values(), *terms_b.values()) if one.std is not None]
    numbers = [name for name in a.numbers if name in b.numbers]
    return Difference(
        a=_head(a),
        b=_head(b),
        tol=tol,
        facts=_facts(a, b, tol),
        strengths=tuple(_change(name, a.numbers[name], b.numbers[name], tol, 0.0) for name in numbers),
        intercept=_change("(intercept)", a.intercept, b.intercept, tol, max(stds, default=0.0)),
        terms=unlike(terms_a, terms_b, tol),
        n_terms=len({*terms_a, *terms_b}),
        selected=selected(a.selected or (), b.selected or ()),
        metrics=_metrics(a, b, tol),
    )


def _head(side: Side) -> dict[str, object]:
    """What a side is, in the document."""
    return {
        "path": side.path,
        "kind": side.kind,
        "id": side.id,
        "family": side.facts.get("family"),
        "target": side.facts.get("target"),
        "rows": side.rows,
    }


def _facts(a: Side, b: Side, tol: float) -> tuple[tuple[str, object, object], ...]:
    """Settings that are not the same, of those that both sides have."""
    ours = [*(Setting(name, value) for name, value in a.facts.items()), *a.settings]
    theirs = {**b.facts, **{setting.name: setting.value for setting in b.settings}}
    out = []
    for one in ours:
        other = theirs.get(one.name, one.value)
        if _apart(one.value, other, tol, one.scale):
            out.append((one.name, *_compact(one.value, other, tol, one.scale)))
    return tuple(out)


def _apart(one: object, other: object, tol: float, scale: float) -> bool:
    """Whether two settings are not the same: numbers, and those in lists and by name, are as ``almost`` says."""
    if _is_number(one) and _is_number(other):
        return not almost(one, other, tol, scale)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() != other.keys() or any(_apart(one[name], other[name], tol, scale) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        reach = max((abs(item) for item in (*one, *other) if _is_number(item)), default=scale)
        same = len(one) == len(other)
        return not same or any(_apart(*pair, tol, max(reach, scale)) for pair in zip(one, other, strict=True))
    return one != other


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _compact(one: object, other: object, tol: float, scale: float) -> tuple[object, object]:
    """Two settings that are not the same, as they are told: of many things those that differ."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        if one.keys() != other.keys():
            return _compact(tuple(one), tuple(other), tol, scale)
        names = [name for name in one if _apart(one[name], other[name], tol, scale)]
        return _values(one, names), _values(other, names)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple) and max(len(one), len(other)) > _FEW:
        return _summary(one, other), _summary(other, one)
    return one, other


def _values(named: Mapping[str, object], names: Sequence[str]) -> str:
    """Numbers by name; of lists of numbers the names."""
    return listed([f"{name} {named[name]:.6g}" if _is_number(named[name]) else name for name in names], _SHOWN)


def _summary(own: Sequence[Any], others: Sequence[Any]) -> str:
    """A long list: how many there are, the ends of numbers, and names that the other list lacks."""
    if all(map(_is_number, own)):
        return f"{len(own):,}, {own[0]:.6g} to {own[-1]:.6g}" if own else "none"
    known = set(others)
    alone = [str(item) for item in own if item not in known]
    return f"{len(own):,}" + (f", here alone: {listed(alone, _SHOWN)}" if alone else "")


def _kind(a: float | None, b: float | None) -> str:
    """What became of a term or number that is not the same."""
    if a is None or b is None:
        return "absent"
    if not a or not b:
        return "in" if b else "out"
    return "sign" if (a > 0) != (b > 0) else "size"


def _change(name: str, a: float | None, b: float | None, tol: float, scale: float, lam: float | None = None) -> Change:
    """A number that is no coefficient: it does not come in or go out."""
    if a is None or b is None:
        return Change(name, "same" if a is None and b is None else "absent", a, b, lam)
    if almost(a, b, tol, scale):
        return Change(name, "same", a, b, lam)
    return Change(name, "sign" if a * b < 0 else "size", a, b, lam)


def selected(a: Iterable[str], b: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Names that come in and those that go out, from a to b."""
    before, after = dict.fromkeys(a), dict.fromkeys(b)
    return {
        "in": tuple(name for name in after if name not in before),
        "out": tuple(name for name in before if name not in after),
    }


def _metrics(a: Side, b: Side, tol: float) -> tuple[tuple[str, Change], ...]:
    """All metrics, of both sides; none where one side is a model, which has none."""
    if not a.metrics or not b.metrics:
        return ()
    every = [(part, name) for side in (a, b) for part, scores in side.metrics.items() for name in scores]
    out = []
    for part, name in dict.fromkeys(every):
        known = [scores.get(name) for side in (a, b) for scores in side.metrics.values()]
        scale = max((abs(value) for value in known if value is not None), default=0.0)
        one, other = (side.metrics.get(part, {}).get(name) for side in (a, b))
        out.append((part, _change(name, one, other, tol, scale)))
    return tuple(out)


# -- paths -----------------------------------------------------------------------------------------------------------


def _paths(a: Side, b: Side, one: Mapping[str, Any], other: Mapping[str, Any], tol: float) -> Difference:
    """Two paths at the strengths that both have; a term is told where it is furthest apart."""
    pairs, only_a, only_b = _paired(one["lambdas"], other["lambdas"], tol)
    lambdas = [one["lambdas"][at] for at, _ in pairs]
    curves = [{term_of(row): row["values"] for row in document["coefficients"]} for document in (one, other)]
    before, after = ({name: values for name, values in curve.items() if any(values)} for curve in curves)
    changes = []
    for name in dict.fromkeys((*before, *after)):
        here, there = ([*curve.get(name, [])] for curve in (before, after))
        change = _furthest(name, _at(here, there, pairs), lambdas, tol)
        if change.kind == "same" and bool(here) != bool(there):
            change = Change(name, "in" if there else "out", *_largest(here, there))
        if change.kind != "same":
            kind = change.kind if here and there else "in" if there else "out"
            changes.append(Change(name, kind, change.a, change.b, change.lam))
    intercepts = [document["intercepts"][0]["values"] for document in (one, other)]
    ratios = [document["deviance_ratio"] for document in (one, other)]
    sources = [
        [source for row in document["coefficients"] if any(row["values"]) for source in row["sources"]]
        for document in (one, other)
    ]
    return Difference(
        a=_head(a),
        b=_head(b),
        tol=tol,
        facts=_facts(a, b, tol),
        strengths=(),
        intercept=_furthest("(intercept)", _at(intercepts[0], intercepts[1], pairs), lambdas, tol),
        terms=tuple(changes),
        n_terms=len({*before, *after}),
        selected=selected(*sources),
        metrics=(("path", _furthest("deviance_ratio", _at(ratios[0], ratios[1], pairs), lambdas, tol)),),
        only_a=only_a,
        only_b=only_b,
    )


def _paired(
    a: Sequence[float], b: Sequence[float], tol: float
) -> tuple[list[tuple[int, int]], tuple[float, ...], tuple[float, ...]]:
    """Places of strengths that are the same on two paths that go down, and the strengths without a partner."""
    i = j = 0
    pairs, only_a, only_b = list[tuple[int, int]](), list[float](), list[float]()
    while i < len(a) and j < len(b):
        if almost(a[i], b[j], tol, 0.0):
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif a[i] > b[j]:
            only_a.append(a[i])
            i += 1
        else:
            only_b.append(b[j])
            j += 1
    return pairs, (*only_a, *a[i:]), (*only_b, *b[j:])


def _at(a: Sequence[float | None], b: Sequence[float | None], pairs: Pairs) -> list[tuple[float | None, float | None]]:
    """Values at the strengths of both paths; a term that a document does not list is zero."""
    return [(a[i] if a else 0.0, b[j] if b else 0.0) for i, j in pairs]


def _furthest(
    name: str, values: Sequence[tuple[float | None, float | None]], lambdas: Sequence[float], tol: float
) -> Change:
    """The change where two curves are furthest apart; ``same`` where they nowhere differ."""
    scale = max((abs(value) for pair in values for value in pair if value is not None), default=0.0)
    changes = [_change(name, *pair, tol, scale, lam) for pair, lam in zip(values, lambdas, strict=True)]
    apart = [change for change in changes if change.kind != "same"]
    if not apart:
        return Change(name, "same", None, None)
    signs = [change for change in apart if change.kind == "sign"]
    return max(signs or apart, key=lambda change: math.inf if change.absolute is None else abs(change.absolute))


def _largest(here: Sequence[float], there: Sequence[float]) -> tuple[float, float]:
    """The largest value of a term that one of two paths has, at strengths that the other lacks."""
    return max(here, key=abs, default=0.0), max(there, key=abs, default=0.0)
