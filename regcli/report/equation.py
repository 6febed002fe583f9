"""A model as one line."""

import re
from decimal import Decimal
from typing import Any

from regcli.errors import UsageError
from regcli.report.escape import visible
from regcli.report.forms import Document, as_fit, kind_of

__all__ = ["DIGITS", "equation"]

#: Significant digits when none are asked for; with 17 every double reads back as it was.
DIGITS = 6

#: A name that stands in a sum without being taken for something else: words, and what terms are spelt with.
_PLAIN = re.compile(r"[^\W\d][\w.=>^:(),]*")


def equation(document: Document, digits: int = DIGITS) -> str:
    """Write the model of a fit, cv or model document: what is predicted, the intercept, and every nonzero term.

    Names that are more than a word are in backquotes; what a terminal would act on is shown by its escape.

    Raises
    ------
    UsageError
        ``option-without-effect``: the document has not one model.
    """
    document = as_fit(document)
    kind = kind_of(document)
    if kind not in ("fit", "cv"):
        raise UsageError(
            "option-without-effect",
            f"--equation has no effect on {kind}: it has not one model",
            hint="fit and cv with -o, and -m, write documents of one model",
        )
    if document["intercept"] is None:
        raise UsageError(
            "option-without-effect",
            "--equation has no effect: the document has not one intercept",
            hint="regcli show without --equation",
        )
    parts = [_signed(document["intercept"], "", digits)]
    parts += [
        _signed(row["estimate"], name(row["term"]), digits) for row in document["coefficients"] if row["estimate"]
    ]
    data = document["data"]
    if data["offset"] is not None:
        parts.append(("+", name(data["offset"])))
    if data["exposure"] is not None:
        parts.append(("+", f"log({name(data['exposure'])})"))
    (sign, first), *rest = parts
    text = f"{'-' if sign == '-' else ''}{first}" + "".join(f" {sign} {part}" for sign, part in rest)
    return f"{_left(document['model'], data['target'])} = {text}"


def name(text: str) -> str:
    """A name in a formula."""
    shown = visible(text)
    return shown if _PLAIN.fullmatch(shown) else "`" + shown.replace("`", "``") + "`"


def _signed(value: float, word: str, digits: int) -> tuple[str, str]:
    return "-" if value < 0 else "+", f"{_rounded(abs(value), digits)} {word}".rstrip()


def _rounded(value: float, digits: int) -> str:
    """A number to so many significant digits, without an exponent where that is no longer than a double's digits."""
    exact = Decimal(f"{value:.{digits - 1}e}")
    if exact and not -6 <= exact.adjusted() <= 15:
        return f"{value:.{digits}g}"
    text = f"{exact:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _left(model: dict[str, Any], target: str) -> str:
    """What the sum is equal to."""
    if model["link"] == "logit":
        return f"logit(P({name(target)} = {name(str(model['positive']))}))"
    return f"log(E({name(target)}))" if model["link"] == "log" else name(target)
