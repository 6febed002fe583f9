"""The command check: one model and its data, or every check that the configuration file names."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from regcli.app.limits import out_of_memory
from regcli.app.options import CheckRequest
from regcli.app.verdict import Check
from regcli.cli.destinations import check_destinations
from regcli.cli.faults import error_document, error_lines, strict_error
from regcli.cli.judging import Expressions, Gates, case, judge, read_checks, read_gates, require_known
from regcli.cli.options import build
from regcli.cli.origins import NamedOrigins
from regcli.cli.reporting import Reporting, Telling, fault_of
from regcli.cli.session import Session
from regcli.cli.streams import tell
from regcli.errors import CheckFailedError, RegcliError, UsageError, Warn
from regcli.report.cases import Case, Outcome

__all__ = ["check"]


@dataclass(frozen=True)
class _Asked:
    """What a check asks: read and held against the model, before the data are read."""

    begun: Any
    expressions: Expressions
    gates: Gates | None
    drift: dict[str, float]


@dataclass(frozen=True)
class _Found:
    """What was found: the document, all that was asked as cases, and what of it does not hold.

    ``refused`` is the error that predict would stop with.
    """

    document: dict[str, Any]
    checks: tuple[Check, ...]
    cases: tuple[Case, ...]
    also: tuple[str, ...]
    warnings: tuple[Warn, ...]
    refused: RegcliError | None


@dataclass(frozen=True)
class _Done:
    """One of several checks: what was found, or the error in its place; ``named`` is how the file names it."""

    name: str
    named: NamedOrigins | None
    request: CheckRequest
    found: _Found | None = None
    error: RegcliError | None = None


def check(request: CheckRequest, session: Session) -> None:
    """Read the data to their end and print what was found, whatever it is."""
    alone = not request.checking.model and not request.checking.data
    if alone or request.checking.dry_run:
        _check_several(request, session, alone=alone)
        return
    reporting = Reporting.read(request.reports, session)
    with reporting.told("regcli check") as telling:
        form = session.form("check")
        check_destinations(session, *reporting.destinations)
        with session.working() as run:
            found = _examine(_ask(request, run))
        telling.document, telling.cases = found.document, found.cases
        session.deliver(session.render(found.document, form))
        if session.settings.strict and found.refused is not None:
            raise found.refused
        session.heed(found.warnings)
    session.uphold(found.checks, also=found.also)


def _ask(request: CheckRequest, run: Any) -> _Asked:  # noqa: ANN401  (app.context is not loaded)
    from regcli.app.check import check as run_check
    from regcli.app.moved import read_drift

    expressions = read_checks(request.checks, "check")
    gates, drift = read_gates(request.baseline, "check"), read_drift(request.drift)
    begun = run_check(request, run)
    require_known(expressions, "check", begun.names)
    return _Asked(begun, expressions, gates, drift)


def _examine(asked: _Asked) -> _Found:
    from regcli.app.check import refusal, unscorable, violation_warnings
    from regcli.app.moved import hold_drift
    from regcli.report.documents import check_document

    result = asked.begun.finish()
    moved = hold_drift(asked.drift, result.drift)
    document, checks = judge(asked.expressions, check_document(result), {}, asked.gates, moved)
    told = unscorable(result)
    return _Found(
        document,
        checks,
        (Case("every row can be scored", told is None, told or ""), *map(case, checks)),
        () if told is None else (told,),
        (*result.warnings, *violation_warnings(result)),
        refusal(result),
    )


# -- several ---------------------------------------------------------------------------------------------------------


def _check_several(request: CheckRequest, session: Session, *, alone: bool) -> None:
    """Make every check that the configuration file names, whatever becomes of the others, and tell of all of them."""
    reporting = Reporting.read(request.reports, session)
    planned = request.checking.dry_run
    with nullcontext(Telling("regcli check")) if planned else reporting.told("regcli check") as telling:
        form = session.form("checks")
        check_destinations(session, *reporting.destinations)
        done = [_attempt(each, session, planned=planned) for each in _named(request, session, alone=alone)]
        errors = [_verdict(each, session) for each in done]
        document = _document(session, done, errors, planned=planned)
        if planned:
            session.print(document)
        else:
            telling.several = [_outcome(*pair) for pair in zip(done, errors, strict=True)]
            session.deliver(session.render(document, form))
    _leave(done, errors, session)


def _named(request: CheckRequest, session: Session, *, alone: bool) -> list[_Done]:
    if not alone:
        checking = request.checking
        return [_Done(f"{checking.model} on {', '.join(checking.data)}", None, request)]
    if not session.named:
        text = "neither MODEL nor DATA, and no configuration file names checks"
        hint = "regcli check model.json new.csv, or [[check]] with model and data in regcli.toml"
        raise UsageError("usage", text, hint=hint)
    dry = request.checking.dry_run
    made = []
    for each in session.named:
        built = build(CheckRequest, each.values | {"dry_run": dry})
        made.append(_Done(each.named.name, each, built))
    return made


def _attempt(each: _Done, session: Session, *, planned: bool) -> _Done:
    """Make a check, or say what it would be; an error is kept, and the next check is made all the same."""
    try:
        with session.working() as run:
            asked = _ask(each.request, run)
            return each if planned else replace(each, found=_examine(asked))
    except RegcliError as error:
        return replace(each, error=session.placed(error, each.named))
    except MemoryError as error:
        return replace(each, error=out_of_memory(error))


def _verdict(each: _Done, session: Session) -> RegcliError | None:
    """The error that a check leaves with; under --strict a warning is one."""
    found = each.found
    if each.error is not None or found is None:
        return each.error
    if session.settings.strict and found.refused is not None:
        return found.refused
    if session.settings.strict and found.warnings:
        return strict_error(found.warnings[0])
    failed = [each.told for each in found.cases if not each.passed]
    if not failed:
        return None
    return CheckFailedError("check-failed", "; ".join(failed), hint="the document says what was found")


def _status(each: _Done, error: RegcliError | None) -> str:
    if error is None:
        return "planned" if each.found is None else "passed"
    return "failed" if error.code == "check-failed" else "error"


def _document(
    session: Session, done: Sequence[_Done], errors: Sequence[RegcliError | None], *, planned: bool
) -> dict[str, Any]:
    """The document ``regcli.checks/1``."""
    from regcli.report.documents import checks_document

    entries = []
    for each, error in zip(done, errors, strict=True):
        checking, found = each.request.checking, each.found
        entries.append(
            {
                "name": each.name,
                "line": None if each.named is None else session.line_of(each.named.named),
                "model": checking.model,
                "data": list(checking.data),
                "asks": _asks(each.request),
                "status": _status(each, error),
                "exit_code": 0 if error is None else error.exit_code,
                "cases": [
                    {"check": one.name, "passed": one.passed, "told": one.told}
                    for one in (found.cases if found else ())
                ],
                "error": None if error is None else error_document(error),
                "result": None if found is None else found.document,
            }
        )
    return checks_document(session.config_path, entries, planned=planned)


def _asks(request: CheckRequest) -> list[str]:
    """What is asked beside that every row can be scored, as on a command line."""
    baseline, drift = request.baseline, request.drift
    limits = (("--max-drop", baseline.max_drop), ("--max-increase", baseline.max_increase))
    asked = [f"--assert {text}" for text in request.checks.checks]
    asked += [f"--baseline {baseline.baseline}"] if baseline.baseline is not None else []
    asked += [f"{option} {text}" for option, texts in limits for text in texts]
    both = (("--max-psi", drift.max_psi), ("--max-ks", drift.max_ks))
    return asked + [f"{option} {value:g}" for option, value in both if value is not None]


def _outcome(each: _Done, error: RegcliError | None) -> Outcome:
    """A check as reports have it; that something does not hold is told by its cases."""
    found = each.found
    fault = None if error is None or error.code == "check-failed" else fault_of(error)
    document, cases = (None, ()) if found is None else (found.document, found.cases)
    return Outcome("regcli check", document, cases, fault, each.name)


def _leave(done: Sequence[_Done], errors: Sequence[RegcliError | None], session: Session) -> None:
    """Tell what is wrong, each with the name of its check; leave with the worst: an error outranks a failed check."""
    found = [(each.name, error) for each, error in zip(done, errors, strict=True) if error is not None]
    named = [_called(name, error) for name, error in found]
    worst = max(named, key=lambda error: error.exit_code, default=None)
    for each in done:
        session.warn(replace(warning, message=f"{each.name}: {warning.message}") for warning in _still(each, session))
    for error in named:
        if error is not worst and not session.json:
            tell(error_lines(error, color=session.color))
    if worst is not None:
        raise worst


def _still(each: _Done, session: Session) -> tuple[Warn, ...]:
    """The warnings of a check, without the one that is its error under --strict."""
    if each.found is None:
        return ()
    return each.found.warnings[1 if session.settings.strict and each.found.refused is None else 0 :]


def _called(name: str, error: RegcliError) -> RegcliError:
    """An error with the name of the check that ended with it."""
    message = f"{name}: {error.message}"
    return type(error)(error.code, message, hint=error.hint, where=error.where, cells=error.cells, near=error.near)
