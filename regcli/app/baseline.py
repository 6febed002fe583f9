"""A result held against an earlier one: how much worse it may be. Each limit is a check like those of ``--assert``.

A limit holds when both sides have the number it is about and the change is within it. Null, or nothing of that name,
on either side fails: where nothing can be compared nothing was found to be well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial

from regcli.app.diff import FLOOR, selected, unlike
from regcli.app.options import Baseline, FitBaseline, Metric, choices
from regcli.app.sides import Side
from regcli.app.values import bounded, number_of, refuse
from regcli.app.verdict import Check
from regcli.errors import UsageError
from regcli.problem.metrics import BETTER_HIGH

__all__ = ["Limits", "hold", "read_gates", "require_result"]

#: Parts of the metrics of a fit.
_PARTS = ("cv", "test", "train", "null")

#: How limits of metrics are written.
_AS = {"--max-drop": "r2=0.02", "--max-increase": "rmse=5%"}

#: What has to be equal for numbers of two documents to mean the same.
_ALIKE = ("family", "target", "positive")


@dataclass(frozen=True, slots=True)
class Amount:
    """A change that may be: a number, or a share of the size of the baseline's."""

    value: float
    percent: bool

    def allows(self, change: float, before: float) -> bool:
        """Whether a change is within it."""
        return change <= (self.value / 100 * abs(before) if self.percent else self.value)


@dataclass(frozen=True, slots=True)
class Limit:
    """One option as it was given: ``metric`` and its part (None: the usual one), and in which direction it counts."""

    text: str
    word: str
    metric: str
    part: str | None
    amount: Amount


@dataclass(frozen=True, slots=True)
class Limits:
    """Everything that is asked of a result."""

    metrics: tuple[Limit, ...] = ()
    coefs: Amount | None = None
    coefs_text: str = ""
    same_selected: bool = False


def read_gates(options: Baseline, *, of_rows: bool) -> Limits:
    """Read the options, before any work; ``of_rows`` says that the result has metrics of new rows alone.

    Raises
    ------
    UsageError
        A limit without a baseline, a baseline without a limit, or one that cannot be read.
    """
    model = options if isinstance(options, FitBaseline) else FitBaseline()
    given = {
        "--max-drop": bool(options.max_drop),
        "--max-increase": bool(options.max_increase),
        "--max-coef-change": model.max_coef_change is not None,
        "--same-selected": model.same_selected,
    }
    if options.baseline is None:
        refuse(given, "without --baseline", "--baseline old.json")
    elif not any(given.values()):
        refuse({"--baseline": True}, "without --max-drop, --max-increase or another limit", "--max-drop r2=0.02")
    if options.baseline == "-":
        raise UsageError("unknown-option-value", "--baseline is read from a file", hint="name the file")
    drops = [_limit("--max-drop", "drop", text, of_rows=of_rows) for text in options.max_drop]
    rises = [_limit("--max-increase", "increase", text, of_rows=of_rows) for text in options.max_increase]
    text = model.max_coef_change
    amount = None if text is None else _amount("--max-coef-change", text)
    return Limits((*drops, *rises), amount, f"--max-coef-change {text}", model.same_selected)


def require_result(old: Side) -> Side:
    """Refuse a baseline without a chosen model: a path."""
    if old.path_document is not None:
        text = f"--baseline: {old.path} is a path, which has no chosen model and no metrics"
        raise UsageError("unknown-option-value", text, hint="a model, or what fit, cv or check wrote")
    return old


def hold(limits: Limits, old: Side, new: Side) -> tuple[Check, ...]:
    """Hold a result against the baseline: a check for each limit, drops before increases."""
    apart = _apart(old, new)
    makers: list[tuple[str, Callable[[], Check]]] = [
        (limit.text, partial(_metric, limit, old, new)) for limit in limits.metrics
    ]
    if limits.coefs is not None:
        makers.append((limits.coefs_text, partial(_coefs, limits.coefs_text, limits.coefs, old, new)))
    if limits.same_selected:
        makers.append(("--same-selected", partial(_selected, old, new)))
    return tuple(Check(text, passed=False, values=apart) if apart else make() for text, make in makers)


# -- options ---------------------------------------------------------------------------------------------------------


def _limit(option: str, word: str, text: str, *, of_rows: bool) -> Limit:
    name, equals, amount = text.rpartition("=")
    part, _, metric = name.strip().removeprefix("metrics.").rpartition(".")
    if not equals or not metric:
        raise UsageError(
            "unknown-option-value", f"{option} {text!r} is not of the form METRIC=V", hint=f"{option} {_AS[option]}"
        )
    known = choices(Metric)
    if metric not in known:
        near = get_close_matches(metric, known, n=3, cutoff=0.5)
        raise UsageError("unknown-option-value", f"{option}: no metric {metric!r}", near=near, hint=", ".join(known))
    more_is_better = metric in BETTER_HIGH
    if more_is_better != (word == "drop"):
        other, way = ("--max-drop", "more") if more_is_better else ("--max-increase", "less")
        problem = f"{option} {text!r} would limit nothing that is worse: {way} {metric} is better"
        raise UsageError("unknown-option-value", problem, hint=f"{other} {text}")
    if part and (of_rows or part not in _PARTS):
        hint = f"{option} {metric}={amount}" if of_rows else ", ".join(f"{known}.{metric}" for known in _PARTS)
        raise UsageError("unknown-option-value", f"{option}: no metric {name.strip()!r} here", hint=hint)
    return Limit(f"{option} {text}", word, metric, part or None, _amount(option, amount))


def _amount(option: str, text: str) -> Amount:
    number = text.strip()
    percent = number.endswith("%")
    value = number_of(option, number.removesuffix("%").strip())
    bounded(option, value, 0.0, float("inf"))
    return Amount(value, percent)


# -- comparing -------------------------------------------------------------------------------------------------------


def _apart(old: Side, new: Side) -> dict[str, object]:
    """What makes the two no matter of comparison: another family, target or positive class."""
    out: dict[str, object] = {}
    for name in _ALIKE:
        if name in old.facts and name in new.facts and old.facts[name] != new.facts[name]:
            out |= {name: new.facts[name], f"baseline {name}": old.facts[name]}
    return out


def _metric(limit: Limit, old: Side, new: Side) -> Check:
    name, now = _score(new, limit)
    _, before = _score(old, limit)
    values: dict[str, object] = {name: now, "baseline": before}
    if now is None or before is None:
        return Check(limit.text, passed=False, values=values)
    change = before - now if limit.word == "drop" else now - before
    return Check(limit.text, passed=limit.amount.allows(change, before), values={**values, limit.word: change})


def _score(side: Side, limit: Limit) -> tuple[str, float | None]:
    """A metric's name and value: of the rows that were checked, or of the part that is asked for."""
    part = limit.part or ("" if "" in side.metrics or side.kind == "check" else "cv")
    scores: Mapping[str, float | None] = side.metrics.get(part, {})
    return ".".join(("metrics", *([part] if part else []), limit.metric)), scores.get(limit.metric)


def _coefs(text: str, amount: Amount, old: Side, new: Side) -> Check:
    if old.terms is None or new.terms is None:
        return Check(text, passed=False, values={"baseline": None})
    over = [
        change
        for change in unlike(old.terms, new.terms, FLOOR)
        if not amount.allows(abs((change.b or 0.0) - (change.a or 0.0)), change.a or 0.0)
    ]
    values: dict[str, object] = {"n_changed": len(over)}
    if over:
        worst = max(over, key=lambda change: _size(change.a, change.b, percent=amount.percent))
        values |= {"term": worst.name, "estimate": worst.b, "baseline": worst.a}
    return Check(text, passed=not over, values=values)


def _size(a: float | None, b: float | None, *, percent: bool) -> float:
    """The size of a change, as a share of what was there where limits are shares."""
    change = abs((b or 0.0) - (a or 0.0))
    return change if not percent else change / abs(a) if a else float("inf")


def _selected(old: Side, new: Side) -> Check:
    if old.selected is None or new.selected is None:
        return Check("--same-selected", passed=False, values={"baseline": None})
    apart = {kind: list(names) for kind, names in selected(old.selected, new.selected).items()}
    return Check("--same-selected", passed=not any(apart.values()), values={**apart})
