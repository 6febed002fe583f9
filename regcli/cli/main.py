"""The commands. Each one reads its request, calls its use case and hands the document on.

Use cases are imported when a command is called: ``--help`` and completion load nothing heavy.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import typer

from regcli.app.options import (
    CheckRequest,
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
from regcli.app.verdict import Check
from regcli.cli.destinations import check_destinations
from regcli.cli.judging import case, judge, read_checks, read_gates, require_known, side, vouched
from regcli.cli.options import bind, bind_common
from regcli.cli.plotting import check_plot, draw_page, draw_plot, draw_plots
from regcli.cli.reporting import Reporting, Telling
from regcli.cli.session import Session
from regcli.cli.streams import is_terminal, tell
from regcli.cli.texts import COMMANDS, SUMMARY, ManRequest, SchemaRequest, epilog
from regcli.errors import UsageError
from regcli.report.cases import Case
from regcli.report.escape import visible
from regcli.report.formats import encode, encode_line
from regcli.report.forms import kind_of

__all__ = ["application"]


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

    form, plot = session.form("path"), request.picture.plot
    check_destinations(session, ("--plot", plot))
    check_plot(plot)
    if request.run.dry_run:
        _dry_run(request, session, "path", plot)
        return
    with session.working(request.run.jobs) as run:
        outcome = run_path(request, run)
    session.heed(outcome.warnings)
    document = session.marked(path_document(outcome.result))
    with session.progress("drawing"):
        drawn = draw_plot(plot, document, outcome.drawn)
    text = session.render(document, form)
    with session.sink() as write:
        session.keep(plot, drawn)
        write(text)


def predict(request: PredictRequest, session: Session) -> None:
    """Stream the rows; metrics come after them."""
    from regcli.app.predict import predict as run_predict
    from regcli.report.rows import rows_text

    form = session.form("predict")
    check_destinations(session, ("--metrics-out", request.scoring.metrics_out))
    expressions = read_checks(request.checks, "metrics")
    checks: tuple[Check, ...] = ()
    with session.working(streams=True) as run:
        outcome = run_predict(request, run, placed=_tells_metrics(session))
        require_known(expressions, "metrics", outcome.names)
        with session.sink() as write:
            safe = session.settings.spreadsheet_safe
            for piece in rows_text(outcome.header, outcome.rows, form, spreadsheet_safe=safe):
                write(piece)
            metrics = outcome.finish()
            session.heed(outcome.warnings, documented=False)  # in here: under --strict the file must not appear
            if metrics is not None:
                metrics, checks = judge(expressions, metrics, {})
                _keep_metrics(metrics, request.scoring.metrics_out, session)
    session.uphold(checks)


def inspect(request: InspectRequest, session: Session) -> None:
    """Look at a table; under --strict what fit would refuse is an error, before anything is written."""
    from regcli.app.inspect import inspect as run_inspect
    from regcli.app.inspect import refusal
    from regcli.report.inspection import inspect_document

    form = session.form("inspect")
    check_destinations(session)
    with session.working() as run:
        inspection = run_inspect(request, run)
    error = refusal(inspection) if session.settings.strict else None
    if error is not None:
        raise error
    session.deliver(session.render(session.marked(inspect_document(inspection)), form))


def show(request: ShowRequest, session: Session) -> None:
    """Read all documents, then print them one after the other."""
    from regcli.app.show import read_documents

    showing, plot = request.showing, request.picture.plot
    if showing.equation:
        session.form("equation")
    check_destinations(session, ("--plot", plot))
    check_plot(plot)
    with session.progress("reading"):
        documents = read_documents(showing)
    shown = [_shown(one, showing, session) for one in documents]
    with session.progress("drawing"):
        drawn = draw_plots(plot, [(one.path, one.document) for one in documents])
    _refuse_one_after_the_other([form for form, _ in shown])
    with session.sink() as write:
        session.keep(plot, drawn)
        for number, (form, text) in enumerate(shown):
            write("\n" + text if number and form in ("table", "md") else text)


def _refuse_one_after_the_other(forms: Sequence[str]) -> None:
    """Several documents are no JSON document, and several tables no CSV table."""
    for form in forms if len(forms) > 1 else ():
        if form in ("json", "csv"):
            text = f"{len(forms)} documents one after the other are no {form.upper()}"
            raise UsageError(
                "conflicting-options", text, hint="one document at a time; -f table and -f md show several"
            )


def _shown(shown: Any, showing: Showing, session: Session) -> tuple[str, str]:  # noqa: ANN401  (app.show is not loaded)
    """The format and the text of one document."""
    from regcli.report.equation import DIGITS, equation

    with vouched(shown):
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
    reporting = Reporting.read(request.reports, session)
    with reporting.told("regcli diff") as telling:
        form = session.form("diff")
        check_destinations(session, *reporting.destinations)
        tol = tolerance(options)
        with session.working(what="comparing"):
            before, after = (side(path, verify=not options.no_verify) for path in (options.first, options.second))
            document = difference_document(compare(before, after, tol))
        told = headline(document)
        telling.document = document
        telling.cases = [Case("A and B are the same", bool(document["same"]), told)] if options.exit_code else []
        session.deliver(session.render(document, form))
    session.uphold((), also=(told,) if options.exit_code and not document["same"] else ())


def export(request: ExportRequest, session: Session) -> None:
    """Write a scorer in another language."""
    from regcli.app.export import export as run_export
    from regcli.report.scorers.targets import scorer_bytes

    session.form("export")
    options = request.exporting
    check_destinations(session)
    if options.to == "onnx" and session.settings.output is None and is_terminal(sys.stdout):
        raise UsageError("usage", "an ONNX graph is no text for a terminal", hint="-o scorer.onnx")
    with session.progress("writing the scorer"):
        rule, outputs = run_export(request)
        table, ids = "data" if options.table is None else options.table, options.id or rule.id
        content = scorer_bytes(rule, str(options.to), table=table, ids=ids, outputs=outputs)
    session.deliver(content)


def check(request: CheckRequest, session: Session) -> None:
    """Hold data against a model, or do so for every check that the configuration file names."""
    from regcli.cli.checking import check as run_check

    run_check(request, session)


def schema(request: SchemaRequest, session: Session) -> None:
    """Print a schema, or the names of those there are."""
    from regcli.report.schemas import NAMES, schema_document

    session.form("schema")
    check_destinations(session)
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
    check_destinations(session)
    page = find_page(request.which.name)
    on_terminal = session.settings.output is None and is_terminal(sys.stdout)
    if not (on_terminal and open_page(page)):
        session.deliver(plain(page))


def _fit(request: FitRequest, session: Session, kind: str) -> None:
    from regcli.app.fit import fit as run_fit
    from regcli.app.fit import save
    from regcli.report.documents import cv_document, fit_document

    model_out, plot = request.save.model_out, request.picture.plot
    reporting, beside = Reporting.read(request.reports, session), (("--model-out", model_out), ("--plot", plot))
    planned = request.run.dry_run
    telling_of = nullcontext(Telling("")) if planned else reporting.told(f"regcli {kind}", *beside)
    with telling_of as telling:
        form = session.form(kind)
        check_destinations(session, *beside, *reporting.destinations)
        check_plot(plot)
        expressions = read_checks(request.checks, kind)
        gates = read_gates(request.baseline, kind)
        if planned:
            _dry_run(request, session, kind, model_out, plot)
            return
        with session.working(request.run.jobs) as run:
            outcome = run_fit(request, run)
        document = session.marked((fit_document if kind == "fit" else cv_document)(outcome.result))
        telling.document = document
        session.heed(outcome.warnings)
        document, checks = judge(expressions, document, outcome.estimates if expressions else {}, gates)
        telling.document, telling.cases = document, list(map(case, checks))
        text = session.render(document, form)
        with session.progress("drawing"):
            drawn = draw_plot(plot, document, outcome.drawn)
            telling.picture = draw_page(document, outcome.drawn) if request.reports.drawn else None
        with session.sink() as write:  # open before the model is written: where the result cannot go, no model appears
            session.keep(plot, drawn)
            if model_out is not None and all(check.passed for check in checks):
                save(outcome, model_out)
                session.note(f"wrote {model_out}")
            write(text)
    session.uphold(checks, hint=None if model_out is None else f"{model_out} was not written")


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


def _tells_metrics(session: Session) -> bool:
    """Whether metrics are told as a document, beside the file that has them."""
    return session.settings.json and not session.settings.quiet


def _keep_metrics(metrics: dict[str, Any], path: str | None, session: Session) -> None:
    """Write and tell the metrics: in JSON the same document, for people without violations, which are warned of."""
    session.keep(path, (encode(metrics) + "\n").encode())
    if _tells_metrics(session):
        tell(encode_line(metrics))
    told = {key: part for key, part in metrics.items() if key != "violations"}
    session.note("metrics: " + encode_line(told))


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


def application(words: Sequence[str]) -> typer.Typer:
    """The command line. Of commands that are not among ``words`` it knows what ``--help`` tells, not their options.

    To make the options of all commands takes as long as most of the rest of a start.
    """
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
    app.callback()(bind_common(start))
    for name, text in COMMANDS.items():
        body = bind(_BODIES[name], text.request) if name in words else _unasked
        app.command(name, help=text.summary, epilog=epilog(name))(body)
    return app


def _unasked() -> None:
    """A command that is not on the line."""
