"""How a model is written as a scorer."""

from dataclasses import dataclass
from typing import Annotated, Literal

from regcli.app.options.flag import Flag

__all__ = ["Exporting", "Target"]

Target = Literal["sql", "python", "c", "onnx", "pmml", "json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporting:
    """How a model is written as a scorer."""

    model: Annotated[str, Flag((), "Model file written by fit or cv with --model-out.", "MODEL")] = ""
    to: Annotated[Target | None, Flag(("--to",), "The language of the scorer. Needed.")] = None
    unknown_level: Annotated[
        Literal["error", "zero"] | None,
        Flag(
            ("--unknown-level",),
            "A category the model has not seen: no prediction, or scored as none of its levels.",
            None,
            "error",
        ),
    ] = None
    table: Annotated[str | None, Flag(("--table",), "The table that is scored (sql).", "NAME", "data")] = None
    id: Annotated[
        tuple[str, ...],
        Flag(("--id",), "Column to carry along (sql). Repeatable.", "COL", "those the model was fitted with"),
    ] = ()
    type: Annotated[
        Literal["link", "response", "class"] | None,
        Flag(("--type",), "Give this alone (sql); link needs no function of the database.", None, "all of them"),
    ] = None
    no_verify: Annotated[bool, Flag(("--no-verify",), "Do not check the model's content id and probe rows.")] = False
