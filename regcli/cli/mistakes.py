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


#: Options and commands of other tools that have no near name here, and words of theirs, see ``_bare``.
_ELSEWHERE = {
    "--alpha": "--lambda is the strength of the penalty, --l1-ratio its share of L1",
    "--C": "--lambda is the strength of the penalty; regcli show gives it in other tools' terms",
    "--out": "-o PATH for the result, -m PATH for the model",
}
_COMMANDS_ELSEWHERE = {
    "help": "regcli --help; regcli man fit",
    "version": "regcli --version",
    **{name: f"regcli fit --penalty {name}" for name in ("lasso", "ridge", "elasticnet", "ols")},
}
_COMMAND_SYNONYMS = {
    "train": "fit",
    "crossvalidate": "cv",
    "score": "predict",
    "validate": "check",
    "describe": "inspect",
    "summary": "show",
    "compare": "diff",
    "convert": "export",
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
        return _no_command(found[1])
    if (found := _OPTION.match(message)) is not None:
        return _no_option(found[1], command, help_of)
    options = options_of(command)
    if (found := _BAD.match(message) or _LACKS.match(message)) is not None:
        choice = options.get(found[found.lastindex or 1])
        told = _WORD.search(message)
        folds = choice is not None and choice.key == "cv" and told is not None and told[1].isdecimal()
        hint = f"--folds {told[1]}" if told and folds else _takes(choice) or help_of
        return UsageError(code, message, near=_meant(message, choice), hint=hint)
    if message.startswith("Missing argument") and command:
        return UsageError(code, message, hint=COMMANDS[command].examples[0].line)
    return UsageError(code, message, hint=help_of)


def _no_command(word: str) -> UsageError:
    """What to say of a word that is no command."""
    other = _COMMAND_SYNONYMS.get(_bare(word))
    near = get_close_matches(word, COMMANDS, n=2) if other is None else [other]
    hint = _COMMANDS_ELSEWHERE.get(word, f"one of {', '.join(COMMANDS)}")
    return UsageError("usage", f"no command {word!r}", near=near, hint=hint)


def _no_option(word: str, command: str | None, help_of: str) -> UsageError:
    """What to say of a word that is no option of a command, or of regcli before one."""
    elsewhere = [name for name in COMMANDS if word in options_of(name)]
    if command in elsewhere:
        return UsageError("usage", f"{word} stands before the command", hint=f"regcli {command} ... {word}")
    hint = _ELSEWHERE.get(word)
    if elsewhere:
        hint = f"{word} is an option of {', '.join(elsewhere)}"
    elif word.lstrip("-") in COMMANDS:
        hint = f"{word.lstrip('-')} is a command: regcli {word.lstrip('-')} ..."
    near = get_close_matches(word, [*options_of(command), "--help"], n=3) if hint is None else []
    return UsageError("usage", f"no option {word}", near=near, hint=hint or help_of)


def _bare(word: str) -> str:
    """A word in small letters, without dashes."""
    return word.lower().replace("-", "").replace("_", "")


def _meant(message: str, choice: Choice | None) -> list[str]:
    """The words of a choice that one is close to."""
    found = _WORD.search(message)
    if found is None or choice is None:
        return []
    other = _SYNONYMS.get(_bare(found[1]))
    return [other] if other in choice.words else get_close_matches(found[1], choice.words, n=2, cutoff=0.5)


def _takes(choice: Choice | None) -> str | None:
    """What an option takes, as its help says."""
    if choice is None:
        return None
    named = " ".join(filter(None, (choice.flag.names[-1], choice.flag.metavar)))
    return f"{named}: {choice.flag.help.partition('. ')[0].removesuffix('.')}"
