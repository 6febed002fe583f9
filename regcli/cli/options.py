"""The option groups of ``regcli.app.options`` as parameters of Typer commands.

Nothing here lists an option. A command is a plain function of a request and a session; the signature Typer reads is
built from the request's groups, so that request, command line and manual cannot drift apart.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from regcli.app.options import Common, Limits, Reports
from regcli.cli.choices import Choice, declared
from regcli.cli.destinations import check_destinations
from regcli.cli.reporting import Reporting, Telling
from regcli.cli.session import Session

__all__ = ["TITLES", "Choice", "Group", "bind", "bind_common", "build", "declared", "groups"]

Request = TypeVar("Request")

#: Headings of the groups, in help and in the manual.
TITLES: Mapping[str, str] = {
    "Data": "Data",
    "Reading": "Reading",
    "Model": "Model",
    "Penalty": "Penalty",
    "Strengths": "Penalty strength",
    "Search": "Choice of the strength",
    "Folds": "Validation",
    "Solver": "Solver",
    "Save": "What is kept",
    "Picture": "Picture",
    "Checks": "Checks",
    "Run": "Run",
    "Limits": "Limits",
    "Scoring": "Scoring",
    "Looking": "Data",
    "Showing": "Documents",
    "Exporting": "Scorer",
    "Checking": "Model and data",
    "Diffing": "Documents",
    "Baseline": "Baseline",
    "FitBaseline": "Baseline",
    "DriftLimits": "Drift",
    "Reports": "Reports",
    "Common": "Everywhere",
    "SchemaName": "Name",
    "PageName": "Name",
}


@dataclass(frozen=True, slots=True)
class Group:
    """A group of a request: the field that holds it, its type and its heading."""

    name: str
    kind: type[Any]
    title: str


def groups(request: Any) -> Iterator[Group]:  # noqa: ANN401  (any dataclass of groups)
    """The groups of a request, in order."""
    hints = get_type_hints(request)
    for field in fields(request):
        kind = hints[field.name]
        yield Group(field.name, kind, TITLES[kind.__name__])


def bind(command: Callable[[Request, Session], None], request: type[Request]) -> Callable[..., None]:
    """Give ``command`` the signature that its request and the common options describe."""
    parts = tuple(groups(request))

    def run(context: typer.Context, **given: Any) -> None:  # noqa: ANN401  (the values Typer parsed)
        session: Session = context.obj
        session.tell(_pick(Common, given))
        choices = [choice for part in parts for choice in declared(part.kind)]
        with _reported(session, str(context.info_name), choices, given):
            filled = session.fill(str(context.info_name), choices, given, _flagged(context, given))
        built = build(request, filled)
        if session.asked.show_config:
            check_destinations(session)
            session.show_config()
            return
        session.limits = getattr(built, "limits", Limits())
        command(built, session)

    return _signed(run, command, [(part.kind, part.title) for part in parts])


@contextmanager
def _reported(session: Session, command: str, choices: list[Choice], given: Mapping[str, Any]) -> Iterator[None]:
    """Report it too where a configuration file or a variable keeps the run from being made, as far as flags ask."""
    if "reports" not in given or given.get("dry_run") or session.asked.show_config:
        yield
        return
    reporting = Reporting.read(Reports(reports=tuple(given["reports"])), session)
    written = (choice for choice in choices if choice.written and not choice.repeatable)
    beside = [(f"--{choice.key}", given[choice.name]) for choice in written]
    with reporting.failing(Telling(f"regcli {command}"), ("--output", session.asked.output), *beside):
        yield


def build(request: type[Request], filled: Mapping[str, Any]) -> Request:
    """A request from the values of its fields by name."""
    return request(**{part.name: _pick(part.kind, filled) for part in groups(request)})


def _flagged(context: typer.Context, given: Mapping[str, Any]) -> set[str]:
    """The parameters that stand on the command line."""
    sources = {name: context.get_parameter_source(name) for name in given}
    return {name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"}


def bind_common(command: Callable[[Session], None]) -> Callable[..., None]:
    """Give ``command`` the common options alone: those before the command's name."""

    def run(context: typer.Context, **given: Any) -> None:  # noqa: ANN401  (the values Typer parsed)
        session: Session = context.obj
        session.tell(_pick(Common, given))
        command(session)

    return _signed(run, command, [])


def _signed(
    run: Callable[..., None], command: Callable[..., None], kinds: list[tuple[type[Any], str]]
) -> Callable[..., None]:
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter("context", keyword, annotation=typer.Context)]
    annotated: Any = Annotated  # taken as a value: the form inside is known only when the program runs
    everything: list[tuple[type[Any], str]] = [*kinds, (Common, TITLES["Common"])]
    for kind, title in everything:
        for choice in declared(kind):
            default = inspect.Parameter.empty if _required(choice) else _plain(choice.default)
            annotation = annotated[_typer_form(choice), _typer_info(choice, title)]
            parameters.append(inspect.Parameter(choice.name, keyword, annotation=annotation, default=default))
    parameters.append(inspect.Parameter("version", keyword, annotation=_VERSION, default=False))
    run.__name__ = getattr(command, "__name__", "command")
    run.__doc__ = None
    run.__annotations__ = {}
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect.signature
    return run


def _typer_form(choice: Choice) -> Any:  # noqa: ANN401  (a typing form has no type of its own)
    return list[str] if choice.repeatable else choice.form


def _typer_info(choice: Choice, title: str) -> Any:  # noqa: ANN401  (Typer types both as Any)
    flag = choice.flag
    if not flag.names:
        return typer.Argument(metavar=flag.metavar, help=flag.help, show_default=False)
    return typer.Option(
        *flag.names,
        help=flag.help,
        metavar=flag.metavar,
        count=choice.counted,
        show_default=flag.default or False,
        rich_help_panel=title,
    )


def _pick(kind: type[Any], given: Mapping[str, Any]) -> Any:  # noqa: ANN401  (an instance of ``kind``)
    return kind(**{c.name: tuple(given[c.name] or ()) if c.repeatable else given[c.name] for c in declared(kind)})


def _required(choice: Choice) -> bool:
    return not choice.flag.names and choice.default in ((), "") and not choice.flag.optional


def _plain(default: object) -> object:
    return list(default) if isinstance(default, tuple) else default


def _show_version(wanted: bool) -> None:  # noqa: FBT001  (the value of a flag)
    if wanted:
        from regcli import __version__

        typer.echo(f"regcli {__version__}")
        raise typer.Exit


_VERSION = Annotated[
    bool,
    typer.Option(
        "-V",
        "--version",
        help="Show the version and leave.",
        is_eager=True,
        callback=_show_version,
        rich_help_panel=TITLES["Common"],
    ),
]
