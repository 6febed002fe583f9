"""The use cases, faked: the command line is tested without any mathematics.

``python -m tests.cli.fakes fit ...`` runs the real command line on them in a process of its own. A data file's name
chooses what happens; see ``_behave``.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from regcli.app.context import Nobody, Progress
from regcli.app.options import FitRequest, PathRequest, PredictRequest
from regcli.cli.boundary import run
from regcli.errors import DataError, Location, ResourceError, Warn
from tests.cli import documents

Request = FitRequest | PathRequest | PredictRequest


@dataclass(frozen=True)
class RunContext:
    """What a use case is told about the run."""

    jobs: int | None
    progress: Progress
    note: Callable[[str], None]
    memory: object
    deadline: object


@dataclass
class Outcome:
    """What a faked use case hands back; ``request`` and ``context`` are what it was given."""

    request: Request
    context: RunContext
    warnings: tuple[Warn, ...] = ()
    header: tuple[str, ...] = ("id", "prediction")
    rows: Iterator[list[list[object]]] = field(default_factory=lambda: iter([[["a", "b"], [0.1, None]]]))
    metrics: dict[str, Any] | None = None
    names: dict[str, Any] = field(default_factory=dict)
    estimates: dict[str, dict[str, float]] = field(default_factory=dict)
    drawn: None = None

    @property
    def result(self) -> "Outcome":
        """What documents are made from."""
        return self

    def finish(self) -> dict[str, Any] | None:
        return self.metrics


def modules() -> tuple[dict[str, ModuleType], list[Outcome]]:
    """Modules to stand in ``sys.modules``, and the list that outcomes are added to."""
    seen: list[Outcome] = []

    def use_case(request: Request, context: RunContext, *, placed: bool = False) -> Outcome:
        del placed  # predict's
        outcome = _behave(request, context)
        seen.append(outcome)
        return outcome

    def save(outcome: Outcome, path: str) -> None:
        assert isinstance(outcome.request, FitRequest)
        assert outcome.request.save.model_out == path
        Path(path).write_text("model", "utf-8")

    contents: dict[str, dict[str, Any]] = {
        "regcli.app.context": {"Nobody": Nobody, "RunContext": RunContext},
        "regcli.app.fit": {"fit": use_case, "save": save},
        "regcli.app.path": {"path": use_case},
        "regcli.app.predict": {"predict": use_case},
        "regcli.report.documents": {
            "fit_document": lambda _: documents.fit_document(),
            "cv_document": lambda _: documents.cv_document(),
            "path_document": lambda _: documents.path_document(),
        },
    }
    made = {}
    for name, content in contents.items():
        made[name] = ModuleType(name)
        vars(made[name]).update(content)
    return made, seen


class _Ending:
    """While its class is made something ends the run: the user presses Ctrl-C, or time is over."""

    def __init__(self, end: BaseException) -> None:
        self.end = end

    def __set_name__(self, owner: type, name: str) -> None:
        raise self.end


def _behave(request: Request, context: RunContext) -> Outcome:
    data = request.scoring.data if isinstance(request, PredictRequest) else request.data.data
    context.note("reading")
    match data[0]:
        case "bad.csv":
            raise DataError(
                "text-in-numeric-column",
                "column 'age' has cells that are not numbers",
                hint="--categorical age",
                where=Location("bad.csv", 3, "age"),
                cells=("x\x1b[2J",),
                near=("aged",),
            )
        case "bug.csv":
            raise KeyError("surprise")
        case "big.csv":
            raise MemoryError("Unable to allocate 8. TiB")
        case "full.csv":
            raise OSError(28, "No space left on device")
        case "interrupt.csv":
            raise KeyboardInterrupt
        case "interrupt-in-class.csv" | "late-in-class.csv" as name:
            late = ResourceError("out-of-time", "the time is over")
            type("Made", (), {"field": _Ending(late if name == "late-in-class.csv" else KeyboardInterrupt())})
        case "wait.csv":
            Path(data[1]).touch()
            time.sleep(30)
        case "terminate.csv":
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(30)
        case "guess.csv":
            guesses = (
                Warn("target-guessed", "target is the last column, 'y'"),
                Warn("family-guessed", "family is gaussian"),
            )
            return Outcome(request, context, guesses)
        case "endless.csv":
            return Outcome(request, context, rows=iter(lambda: [["a"] * 1000, [1.0] * 1000], None))
        case "scored.csv":
            return Outcome(request, context, metrics={"mse": 0.5})
    return Outcome(request, context)


if __name__ == "__main__":
    sys.modules.update(modules()[0])
    sys.exit(run(sys.argv[1:]))
