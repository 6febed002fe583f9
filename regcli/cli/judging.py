"""What is asked of a result: options to checks, and checks to the document."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from regcli.app.options import Baseline, Checks
from regcli.app.verdict import Check
from regcli.report.cases import Case

__all__ = ["Expressions", "Gates", "case", "judge", "read_checks", "read_gates", "require_known", "side", "vouched"]

#: Checks that were read; their module is not loaded.
Expressions = tuple[Any, ...]

#: What a result may lose against an earlier one, and that one; their modules are not loaded.
Gates = tuple[Any, Any]


def read_checks(options: Checks, kind: str) -> Expressions:
    """The checks asked for, read and held against the document's schema before the work, which may be long."""
    if not options.checks:
        return ()
    from regcli.app.checks import parse, require_names
    from regcli.report.schemas import SCHEMAS

    expressions = tuple(parse(text) for text in options.checks)
    for expression in expressions:
        require_names(expression, SCHEMAS[kind], terms=kind not in ("metrics", "check"))
    return expressions


def require_known(expressions: Expressions, kind: str, names: Mapping[str, Any]) -> None:
    """Refuse checks of names that this document will not have, such as a metric of another family."""
    if not expressions:
        return
    from regcli.app.checks import require_names
    from regcli.report.schemas import SCHEMAS

    for expression in expressions:
        require_names(expression, SCHEMAS[kind], terms=False, more=names)


def read_gates(options: Baseline, kind: str) -> Gates | None:
    """What the result is held against, read before the work; None without a baseline."""
    if options == type(options)():  # nothing is asked, and nothing need be loaded
        return None
    from regcli.app.baseline import read_gates, require_result

    limits = read_gates(options, of_rows=kind == "check")
    return None if options.baseline is None else (limits, require_result(side(options.baseline)))


def judge(
    expressions: Expressions,
    document: dict[str, Any],
    estimates: Mapping[str, Mapping[str, float]],
    gates: Gates | None = None,
    also: tuple[Check, ...] = (),
) -> tuple[dict[str, Any], tuple[Check, ...]]:
    """Make the checks; the document with them in it. ``also`` were made already."""
    if not expressions and gates is None and not also:
        return document, ()
    checks = also
    if expressions:
        from regcli.app.checks import evaluate, names_of

        names = names_of(document, estimates)
        checks = (*(evaluate(expression, names) for expression in expressions), *also)
    if gates is not None:
        from regcli.app.baseline import hold
        from regcli.app.sides import side_of

        limits, old = gates
        checks += hold(limits, old, side_of(document, "this result"))
    return {**document, "checks": [check.entry() for check in checks]}, checks


def case(check: Check) -> Case:
    """A check as reports have it."""
    return Case(check.expression, check.passed, check.told())


def side(path: str, *, verify: bool = True) -> Any:  # noqa: ANN401  (app.sides is not loaded)
    """One side of a comparison, read and checked."""
    from regcli.app.show import read_document
    from regcli.app.sides import side_of

    shown = read_document(path, verify=verify)
    with vouched(shown):
        return side_of(shown.document, shown.path)


@contextmanager
def vouched(shown: Any) -> Iterator[None]:  # noqa: ANN401  (app.show is not loaded)
    """Use a document that was read: it has its shape, and damage that shows in its use is told as what it is."""
    from regcli.report.shape import as_document, check_shape

    if shown.verified is None:
        check_shape(shown.document, shown.path)
    with as_document(shown.path, "other" if shown.verified is None else "model"):
        yield
