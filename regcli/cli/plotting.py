"""``--plot``: refused before the work where it cannot be done, drawn after it."""

import os
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from regcli.errors import UsageError
from regcli.report.forms import kind_of

__all__ = ["check_plot", "draw_page", "draw_plot", "draw_plots"]

_SUFFIXES = (".svg", ".png", ".pdf")


def check_plot(path: str | None) -> None:
    """Refuse a picture that could not be drawn, before the work.

    Raises
    ------
    UsageError
        ``unknown-option-value``: the suffix names no kind of picture; ``not-installed``.
    """
    if path is None:
        return
    if PurePath(path).suffix.lower() not in _SUFFIXES:
        text = f"--plot: the suffix of {path} names no kind of picture"
        raise UsageError("unknown-option-value", text, hint=f"one of {' '.join(_SUFFIXES)}")
    _load()


def _load() -> None:
    """Load what draws, or say how to get it."""
    import logging

    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells of its caches, which is not for users
    backend = os.environ.pop("MPLBACKEND", None)  # no window is opened; one that is unknown would be an error
    try:
        import regcli.report.plots  # noqa: F401  (whether it can be loaded)
    except ModuleNotFoundError as error:
        text, hint = "--plot needs matplotlib, which is not installed", "pip install 'regcli[plot]'"
        raise UsageError("not-installed", text, hint=hint) from error
    except ImportError as error:
        text = f"--plot needs matplotlib, which cannot be loaded: {error}"
        raise UsageError("not-installed", text, hint="python -c 'import matplotlib'") from error
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend


def draw_plot(path: str | None, document: dict[str, Any], drawn: Any = None) -> bytes | None:  # noqa: ANN401  (regcli.results is not loaded)
    """The picture of a document as the bytes of a file, None where none is asked for."""
    if path is None:
        return None
    from regcli.report.pictures import picture
    from regcli.report.plots import draw

    return draw(picture(document, drawn), PurePath(path).suffix.lower().removeprefix("."))


def draw_page(document: dict[str, Any], drawn: Any) -> bytes | None:  # noqa: ANN401
    """The picture of a document for a page, as SVG; None where what draws is not installed."""
    try:
        _load()
    except UsageError:
        return None
    return draw_plot("page.svg", document, drawn)


def draw_plots(path: str | None, documents: Sequence[tuple[str, dict[str, Any]]]) -> bytes | None:
    """Documents side by side; one alone as it is drawn by itself."""
    if path is None:
        return None
    from regcli.report.beside import several
    from regcli.report.pictures import picture
    from regcli.report.plots import draw
    from regcli.report.shape import as_document

    pictures = []
    for name, document in documents:  # each by itself first: what is wrong with one is said of that one
        with as_document(name, kind_of(document)):
            pictures.append(picture(document))
    form = PurePath(path).suffix.lower().removeprefix(".")
    return draw(several(documents) if len(documents) > 1 else pictures[0], form)
