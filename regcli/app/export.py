"""A model as a scorer in another language: what is to be written, settled before any of it is."""

from regcli.app.options import ExportRequest, Target, choices
from regcli.app.values import refuse
from regcli.data.model_read import read_model
from regcli.data.rule import Rule, rule_of
from regcli.errors import UsageError

__all__ = ["export"]


def export(request: ExportRequest) -> tuple[Rule, tuple[str, ...]]:
    """The model's rule, and which of its outputs are asked for.

    Raises
    ------
    UsageError
        ``usage`` without a language; ``unknown-option-value`` for an empty name; ``option-without-effect``.
    ModelFileError
        The file cannot be used.
    """
    options = request.exporting
    if options.to is None:
        raise UsageError("usage", "--to is missing", hint=f"--to {'|'.join(choices(Target))}")
    for option, names in (("--table", (options.table,)), ("--id", options.id)):
        if "" in names:
            raise UsageError("unknown-option-value", f"{option} is empty", hint=f"{option} NAME, or leave it out")
    if options.to != "sql":
        given = {"--table": options.table is not None, "--id": bool(options.id), "--type": options.type is not None}
        refuse(given, f"with --to {options.to}", "--to sql")
    scorer = read_model(options.model, verify=not options.no_verify)
    rule = rule_of(scorer, unknown_is_zero=options.unknown_level == "zero")
    if options.unknown_level is not None:
        refuse({"--unknown-level": not any(part.levels for part in rule.inputs)}, "where no category counts")
    if options.type is None:
        return rule, rule.outputs
    if options.type not in rule.outputs:
        raise UsageError(
            "option-without-effect",
            f"--type {options.type} is for classes, and the model is {rule.family}",
            hint="--type response",
        )
    return rule, (options.type,)
