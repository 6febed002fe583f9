"""What Typer complains of, in regcli's terms: with the names that were meant, and what the option takes."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

import typer

from regcli.cli.choices import Choice, options_of
from regcli.cli.texts import COMMANDS
from regcli.errors import UsageError

__all__ = ["ClickError", "usage_error"]

# Typer carries a copy of click inside and names only some of its exceptions. ``BadParameter`` is public, and its base
# of this name is what everything wrong with a command line derives from. This is the only line that knows.
ClickError: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

#: How its messages begin, and what they quote: a command, an option, the value of one.
_COMMAND = re.compile(r"No such command '(.*?)'(?:\. Did you mean .*)?$", re.DOTALL)
_OPTION = re.compile(r"No such option: (\S+)")
_BAD = re.compile(r"Invalid value for '([^']*)'(?: / '([^']*)')?: ", re.DOTALL)
_LACKS = re.compile(r"Option '([^']*)' requires an argument")
_WORD = re.compile(r": '(.*)' is not one of ", re.DOTALL)

#: Types as it calls them, and in plain words.
_TYPES = (("is not a valid int", "is not a whole number"), ("is not a valid float", "is not a number"))


#: Options of other tools that have no near name here, and words of theirs, in small letters and without dashes.
_ELSEWHERE = {
    "--alpha": "--lambda is the strength of the penalty, --l1-ratio its share of L1",
    "--C": "--lambda is the strength of the penalty; regcli show gives it in other tools' terms",
    "--out": "-o PATH for the result, -m PATH for the model",
    "--verbose": "-v",
}
_SYNONYMS = {
    "logistic": "binomial",
    "logit": "binomial",
    "bernoulli": "binomial",
    "classification": "binomial",
    "normal": "gaussian",
    "linear": "gaussian",
    "regression": "gaussian",
    "count": "poisson",
    "counts": "poisson",
    "enet": "elasticnet",
    "leaveoneout": "loo",
    "timeseries": "time",
    "markdown": "md",
    "text": "table",
    "probability": "prob",
    "proba": "prob",
}


def usage_error(error: Exception, words: Sequence[str]) -> UsageError:
    """The error of a command line that Typer cannot read; ``words`` are the line's."""
    message = str(error) if getattr(error, "possibilities", None) else error.format_message()  # type: ignore[attr-defined]
    message = message.removesuffix(".")
    for theirs, plain in _TYPES:
        message = message.replace(theirs, plain) if message.endswith(theirs) else message
    command = next((word for word in words if word in COMMANDS), None)
    help_of = f"regcli {command} --help" if command else "regcli --help"
    code = "unknown-option-value" if type(error) is typer.BadParameter else "usage"
    if (found := _COMMAND.match(message)) is not None:
        near = get_close_matches(found[1], COMMANDS, n=2)
        return UsageError(code, f"no command {found[1]!r}", near=near, hint=f"one of {', '.join(COMMANDS)}")
    options = options_of(command)
    if (found := _OPTION.match(message)) is not None:
        elsewhere = [name for name in COMMANDS if found[1] in options_of(name)]
        if command in elsewhere:
            text = f"{found[1]} stands before the command"
            return UsageError(code, text, hint=f"regcli {command} ... {found[1]}")
        near = [] if elsewhere else get_close_matches(found[1], options, n=3)
        hint = f"{found[1]} is an option of {', '.join(elsewhere)}" if elsewhere else _ELSEWHERE.get(found[1], help_of)
        return UsageError(code, f"no option {found[1]}", near=[] if hint is not help_of else near, hint=hint)
    if (found := _BAD.match(message) or _LACKS.match(message)) is not None:
        choice = options.get(found[found.lastindex or 1])
        told = _WORD.search(message)
        folds = choice is not None and choice.key == "cv" and told is not None and told[1].isdecimal()
        hint = f"--folds {told[1]}" if told and folds else _takes(choice) or help_of
        return UsageError(code, message, near=_meant(message, choice), hint=hint)
    if message.startswith("Missing argument") and command:
        return UsageError(code, message, hint=COMMANDS[command].examples[0].line)
    return UsageError(code, message, hint=help_of)


def _meant(message: str, choice: Choice | None) -> list[str]:
    """The words of a choice that one is close to."""
    found = _WORD.search(message)
    if found is None or choice is None:
        return []
    other = _SYNONYMS.get(found[1].lower().replace("-", "").replace("_", ""))
    return [other] if other in choice.words else get_close_matches(found[1], choice.words, n=2, cutoff=0.5)


def _takes(choice: Choice | None) -> str | None:
    """What an option takes, as its help says."""
    if choice is None:
        return None
    named = " ".join(filter(None, (choice.flag.names[-1], choice.flag.metavar)))
    return f"{named}: {choice.flag.help.partition('. ')[0].removesuffix('.')}"
