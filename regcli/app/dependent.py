"""What is told of columns that nothing penalises and that depend on each other."""

from collections.abc import Sequence

from regcli.errors import Warn, listed
from regcli.results import Dependence, Iterate

__all__ = ["WAY_OUT", "nearly_told", "warn_dependent"]

#: Columns that are told of, and columns told of each.
TOLD, PARTS = 5, 4

WAY_OUT = "--drop one of those that go together, or penalise all of them: --penalty l2 shares the weight between them"

_LOOK = "regcli inspect names pairs that go together"


def warn_dependent(step: Iterate, names: Sequence[str]) -> list[Warn]:
    """Warnings for columns that were set aside, and for those that were kept although the others nearly make them up.

    An engine that sets a column aside on its way does not say what it is made of; the column that it nearly makes up
    does.
    """
    out = []
    known = {one.column: one for one in step.depends}
    aside = [known.get(column) or _turned(column, step.depends) for column in step.aliased]
    if aside:
        text = f"unpenalised columns that depend on others were set aside: {_shown(aside, names)}; {WAY_OUT}"
        out.append(Warn("aliased", text, _facts(aside, names)))
    near = _near(step)
    if near:
        text = f"{nearly_told(step, names)}, so that their estimates are large and cancel; {WAY_OUT}; {_LOOK}"
        out.append(Warn("nearly-dependent", text, _facts(near, names)))
    return out


def nearly_told(step: Iterate, names: Sequence[str]) -> str:
    """A clause that names the columns that others nearly make up; empty where there are none."""
    near = _near(step)
    return f"unpenalised columns nearly depend on others: {_shown(near, names)}" if near else ""


def _near(step: Iterate) -> list[Dependence]:
    """Columns that were kept, and whose parts were all kept."""
    gone = set(step.aliased)
    return [one for one in step.depends if not one.aside and not gone.intersection((one.column, *one.others))]


def _turned(column: int, depends: Sequence[Dependence]) -> Dependence:
    """What a column is made of, from the column that it nearly makes up."""
    whole = next((one for one in depends if not one.aside and column in one.others), None)
    others = () if whole is None else (whole.column, *(other for other in whole.others if other != column))
    return Dependence(column, others, aside=True)


def _shown(depends: Sequence[Dependence], names: Sequence[str]) -> str:
    """Columns, each with those that make it up."""
    told = [
        names[one.column] + (f" (on {listed([names[at] for at in one.others], PARTS)})" if one.others else "")
        for one in depends
    ]
    return listed(told, TOLD)


def _facts(depends: Sequence[Dependence], names: Sequence[str]) -> dict[str, object]:
    """The same for programs."""
    return {
        "columns": [names[one.column] for one in depends],
        "depends": [{"column": names[one.column], "on": [names[at] for at in one.others]} for one in depends],
    }
