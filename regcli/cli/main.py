"""The commands. Each one reads its request, calls its use case and hands the document on.

Use cases are imported when a command is called: ``--help`` and completion load nothing heavy.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import typer

from regcli.app.checks import Check, evaluate, names_of, parse, require_names
from regcli.app.expressions import Expression
from regcli.app.options import (
    Baseline,
    CheckRequest,
    Checks,
    CvRequest,
    DiffRequest,
    ExportRequest,
    FitRequest,
    InspectRequest,
    PathRequest,
    PredictRequest,
    Showing,
    ShowRequest,
)
from regcli.cli.options import bind, bind_common
from regcli.cli.plotting import check_plot, draw_plot, keep_plot
from regcli.cli.reporting import Reporting
from regcli.cli.session import Session
from regcli.cli.streams import is_terminal
from regcli.cli.texts import COMMANDS, SUMMARY, ManRequest, SchemaRequest, epilog
from regcli.errors import UsageError
from regcli.report.cases import Case
from regcli.report.escape import visible
from regcli.report.formats import encode, encode_line
from regcli.report.forms import kind_of

__all__ = ["app"]

#: What a result may lose against an earlier one, and that one; their modules are not loaded.
Gates = tuple[Any, Any]

app = typer.Typer(
    name="regcli",
    help=SUMMARY,
    epilog=epilog(None),
    add_completion=True,
    pretty_exceptions_enable=False,
    # Boxes and colours for eyes; in a pipe plain text, which can be searched and is printed in half the time.
    rich_markup_mode="rich" if sys.stdout is not None and sys.stdout.isatty() else None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def start(_session: Session) -> None:
    """Nothing happens before a command; the options in front of it are kept for it."""


def fit(request: FitRequest, session: Session) -> None:
    """Fit, keep the model if asked to, print the document."""
    _fit(request, session, "fit")


def cv(request: CvRequest, session: Session) -> None:
    """Do what fit does and print the whole curve."""
    _fit(request, session, "cv")


def path(request: PathRequest, session: Session) -> None:
    """Walk the strengths and print the coefficients along them."""
    from regcli.app.path import path as run_path
    from regcli.report.documents import path_document

    form = session.form("path")
    _refuse_one_path({"--plot": request.picture.plot}, session)
    _check_destinations(session)
    check_plot(request.picture.plot)
    if request.run.dry_run:
        _dry_run(request, session, "path", request.picture.plot)
        return
    with session.working(request.run.jobs) as run:
        outcome = run_path(request, run)
    session.heed(outcome.warnings)
    document = session.marked(path_document(outcome.result))
    drawn = draw_plot(request.picture.plot, document, outcome.drawn)
    text = session.render(document, form)
    with session.sink() as write:
        keep_plot(request.picture.plot, drawn, session)
        write(text)


def predict(request: PredictRequest, session: Session) -> None:
    """Stream the rows; metrics come after them."""
    from regcli.app.predict import predict as run_predict
    from regcli.report.rows import rows_text

    form = session.form("predict")
    _refuse_one_path({"--metrics-out": request.scoring.metrics_out}, session)
    _check_destinations(session, request.scoring.metrics_out)
    expressions = _read_checks(request.checks, "metrics")
    checks: tuple[Check, ...] = ()
    with session.working(counts="rows") as run:
        outcome = run_predict(request, run)
        _require_known(expressions, "metrics", outcome.names)
        with session.sink() as write:
            safe = session.settings.spreadsheet_safe
            for piece in rows_text(outcome.header, outcome.rows, form, spreadsheet_safe=safe):
                write(piece)
            metrics = outcome.finish()
            session.heed(outcome.warnings)  # in here: under --strict the file must not appear
            if metrics is not None:
                metrics, checks = _judge(expressions, metrics, {})
                _keep_metrics(metrics, request.scoring.metrics_out, session)
    session.uphold(checks)


def inspect(request: InspectRequest, session: Session) -> None:
    """Look at a table; under --strict what fit would refuse is an error, before anything is written."""
    from regcli.app.inspect import inspect as run_inspect
    from regcli.app.inspect import refusal
    from regcli.report.inspection import inspect_document

    form = session.form("inspect")
    _check_destinations(session)
    with session.working() as run:
        inspection = run_inspect(request, run)
    error = refusal(inspection) if session.settings.strict else None
    if error is not None:
        raise error
    session.deliver(session.render(session.marked(inspect_document(inspection)), form))


def show(request: ShowRequest, session: Session) -> None:
    """Read all documents, then print them one after the other."""
    from regcli.app.show import read_documents
    from regcli.report.shape import as_document

    showing, plot = request.showing, request.picture.plot
    if showing.equation:
        session.form("equation")
    _refuse_one_path({"--plot": plot}, session)
    _check_destinations(session)
    check_plot(plot)
    documents = read_documents(showing)
    if plot is not None and len(documents) > 1:
        raise UsageError("conflicting-options", "--plot draws one document", hint="regcli show one after the other")
    shown = [_shown(one, showing, session) for one in documents]
    with as_document(documents[0].path, "other" if documents[0].verified is None else "model"):
        drawn = draw_plot(plot, documents[0].document)
    with session.sink() as write:
        keep_plot(plot, drawn, session)
        for number, (form, text) in enumerate(shown):
            write("\n" + text if number and form in ("table", "csv", "md") else text)


def _shown(shown: Any, showing: Showing, session: Session) -> tuple[str, str]:  # noqa: ANN401  (app.show is not loaded)
    """The format and the text of one document."""
    from regcli.report.equation import DIGITS, equation
    from regcli.report.shape import as_document, check_shape

    if shown.verified is None:
        check_shape(shown.document, shown.path)
    with as_document(shown.path, "other" if shown.verified is None else "model"):
        if showing.equation:
            return "equation", equation(shown.document, showing.digits or DIGITS) + "\n"
        form = session.form(kind_of(shown.document))
        # Whether a model was verified is told in the table; the other formats have what was written.
        more = {"verified": shown.verified} if form == "table" and shown.verified is not None else {}
        text = session.render({**shown.document, **more}, form)
    return form, f"{visible(shown.path)}\n\n{text}" if form == "table" and len(showing.documents) > 1 else text


def diff(request: DiffRequest, session: Session) -> None:
    """Compare two documents; that they differ is an error only where --exit-code asks."""
    from regcli.app.diff import compare, tolerance
    from regcli.report.difference import headline
    from regcli.report.documents import difference_document

    options = request.diffing
    form = session.form("diff")
    reporting = Reporting.read(request.reports, session)
    _check_destinations(session)
    tol = tolerance(options)
    before, after = (_side(path, verify=not options.no_verify) for path in (options.first, options.second))
    document = difference_document(compare(before, after, tol))
    session.deliver(session.render(document, form))
    told = headline(document)
    reporting.write(document, [Case("A and B are the same", bool(document["same"]), told)] if options.exit_code else [])
    session.uphold((), also=(told,) if options.exit_code and not document["same"] else ())


def _side(path: str, *, verify: bool = True) -> Any:  # noqa: ANN401  (app.sides is not loaded)
    """One side of a comparison, read and checked."""
    from regcli.app.show import read_document
    from regcli.app.sides import side_of
    from regcli.report.shape import as_document, check_shape

    shown = read_document(path, verify=verify)
    if shown.verified is None:
        check_shape(shown.document, shown.path)
    with as_document(shown.path, "other" if shown.verified is None else "model"):
        return side_of(shown.document, shown.path)


def export(request: ExportRequest, session: Session) -> None:
    """Write a scorer in another language."""
    from regcli.app.export import export as run_export
    from regcli.report.scorers.targets import scorer_bytes

    session.form("export")
    options = request.exporting
    _refuse_one_path({"MODEL": options.model}, session)
    _check_destinations(session)
    if options.to == "onnx" and session.settings.output is None and is_terminal(sys.stdout):
        raise UsageError("usage", "an ONNX graph is no text for a terminal", hint="-o scorer.onnx")
    rule, outputs = run_export(request)
    table, ids = options.table or "data", options.id or rule.id
    content = scorer_bytes(rule, str(options.to), table=table, ids=ids, outputs=outputs)
    session.deliver(content)


def check(request: CheckRequest, session: Session) -> None:
    """Read the data to their end and print what was found, whatever it is."""
    from regcli.app.check import check as run_check
    from regcli.app.check import strict_error, unscorable, violation_warnings
    from regcli.report.documents import check_document

    form = session.form("check")
    reporting = Reporting.read(request.reports, session)
    _check_destinations(session)
    expressions = _read_checks(request.checks, "check")
    gates = _read_gates(request.baseline, "check")
    with session.working(counts="rows") as run:
        begun = run_check(request, run)
        _require_known(expressions, "check", begun.names)
        result = begun.finish()
    document, checks = _judge(expressions, check_document(result), {}, gates)
    session.deliver(session.render(document, form))
    told = unscorable(result)
    reporting.write(document, [Case("every row can be scored", told is None, told or ""), *map(_case, checks)])
    refused = strict_error(result)
    if session.settings.strict and refused is not None:
        raise refused
    session.heed((*result.warnings, *violation_warnings(result)))
    session.uphold(checks, also=() if told is None else (told,))


def schema(request: SchemaRequest, session: Session) -> None:
    """Print a schema, or the names of those there are."""
    from regcli.report.schemas import NAMES, schema_document

    session.form("schema")
    name = request.which.name
    if name is not None:
        session.deliver(encode(schema_document(name)) + "\n")
    elif session.json:
        session.deliver(encode(NAMES) + "\n")
    else:
        session.deliver("".join(f"{known}\n" for known in NAMES))


def man(request: ManRequest, session: Session) -> None:
    """Open a manual page in man(1) on a terminal, else print it as text."""
    from regcli.cli.manual import find_page, open_page, plain

    session.form("man")
    page = find_page(request.which.name)
    on_terminal = session.settings.output is None and is_terminal(sys.stdout)
    if not (on_terminal and open_page(page)):
        session.deliver(plain(page))


def _fit(request: FitRequest, session: Session, kind: str) -> None:
    from regcli.app.fit import fit as run_fit
    from regcli.app.fit import save
    from regcli.report.documents import cv_document, fit_document

    form = session.form(kind)
    model_out, plot = request.save.model_out, request.picture.plot
    _refuse_one_path({"--model-out": model_out, "--plot": plot}, session)
    reporting = Reporting.read(request.reports, session, model_out, plot)
    _check_destinations(session, model_out)
    check_plot(plot)
    expressions = _read_checks(request.checks, kind)
    gates = _read_gates(request.baseline, kind)
    if request.run.dry_run:
        _dry_run(request, session, kind, model_out, plot)
        return
    with session.working(request.run.jobs) as run:
        outcome = run_fit(request, run)
    session.heed(outcome.warnings)
    document = session.marked((fit_document if kind == "fit" else cv_document)(outcome.result))
    document, checks = _judge(expressions, document, outcome.estimates if expressions else {}, gates)
    text = session.render(document, form)
    drawn = draw_plot(plot, document, outcome.drawn)
    with session.sink() as write:  # open before the model is written: where the result cannot go, no model appears
        keep_plot(plot, drawn, session)
        if model_out is not None and all(check.passed for check in checks):
            save(outcome)
            session.note(f"wrote {model_out}")
        write(text)
    reporting.write(document, list(map(_case, checks)))
    session.uphold(checks, hint=None if model_out is None else f"{model_out} was not written")


def _case(check: Check) -> Case:
    """A check as reports have it."""
    return Case(check.expression, check.passed, check.told())


def _dry_run(request: FitRequest | PathRequest, session: Session, kind: str, *others: str | None) -> None:
    """Print what would be done; to standard output, whatever would be written."""
    from regcli.app.plan import plan
    from regcli.report.documents import plan_document

    with session.working(request.run.jobs) as run:
        result = plan(request, run)
    session.heed(result.warnings)
    writes = [path for path in (session.settings.output, *others) if path is not None]
    document = session.marked(plan_document(result, kind, writes))
    session.print(document)


def _read_checks(options: Checks, kind: str) -> tuple[Expression, ...]:
    """The checks asked for, read and held against the document's schema before the work, which may be long."""
    if not options.checks:
        return ()
    from regcli.report.schemas import SCHEMAS

    expressions = tuple(parse(text) for text in options.checks)
    for expression in expressions:
        require_names(expression, SCHEMAS[kind], terms=kind not in ("metrics", "check"))
    return expressions


def _require_known(expressions: Sequence[Expression], kind: str, names: Mapping[str, Any]) -> None:
    """Refuse checks of names that this document will not have, such as a metric of another family."""
    if not expressions:
        return
    from regcli.report.schemas import SCHEMAS

    for expression in expressions:
        require_names(expression, SCHEMAS[kind], terms=False, more=names)


def _read_gates(options: Baseline, kind: str) -> Gates | None:
    """What the result is held against, read before the work; None without a baseline."""
    from regcli.app.baseline import read_gates, require_result

    limits = read_gates(options, of_rows=kind == "check")
    return None if options.baseline is None else (limits, require_result(_side(options.baseline)))


def _judge(
    expressions: Sequence[Expression],
    document: dict[str, Any],
    estimates: Mapping[str, Mapping[str, float]],
    gates: Gates | None = None,
) -> tuple[dict[str, Any], tuple[Check, ...]]:
    """Make the checks; the document with them in it."""
    if not expressions and gates is None:
        return document, ()
    names = names_of(document, estimates)
    checks = tuple(evaluate(expression, names) for expression in expressions)
    if gates is not None:
        from regcli.app.baseline import hold
        from regcli.app.sides import side_of

        limits, old = gates
        checks += hold(limits, old, side_of(document, "this result"))
    return {**document, "checks": [check.entry() for check in checks]}, checks


def _check_destinations(session: Session, *others: str | None) -> None:
    """Refuse files that cannot be written before the work, which may be long, is done."""
    from regcli.data.write import check_destination

    for path in (session.settings.output, *others):
        if path is not None:
            check_destination(path)


def _refuse_one_path(paths: Mapping[str, str | None], session: Session) -> None:
    """Two results cannot go to one file: the later one would replace the other."""
    given = [(option, path) for option, path in (*paths.items(), ("--output", session.settings.output)) if path]
    for (option, path), (other, same) in combinations(given, 2):
        if _same_file(path, same):
            text = f"{option} and {other} are the same file, {path}"
            raise UsageError("conflicting-options", text, hint="name two files")


def _same_file(one: str, other: str) -> bool:
    # Devices and pipes may be named twice: what is written there does not replace anything.
    return Path(one).resolve() == Path(other).resolve() and not one.startswith(("/dev/", "/proc/"))


def _keep_metrics(metrics: dict[str, Any], path: str | None, session: Session) -> None:
    if path is not None:
        from regcli.data.write import write_atomically

        write_atomically(path, (encode(metrics) + "\n").encode())
        session.note(f"wrote {path}")
    session.note("metrics: " + encode_line({key: part for key, part in metrics.items() if key != "violations"}))


_BODIES: dict[str, Callable[..., None]] = {
    "fit": fit,
    "path": path,
    "cv": cv,
    "predict": predict,
    "inspect": inspect,
    "show": show,
    "diff": diff,
    "export": export,
    "check": check,
    "schema": schema,
    "man": man,
}

app.callback()(bind_common(start))
for _name, _text in COMMANDS.items():
    app.command(_name, help=_text.summary, epilog=epilog(_name))(bind(_BODIES[_name], _text.request))
