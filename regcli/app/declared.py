"""What columns are declared to be: --ordinal, --spline, --text and --date, held against the columns there are."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import TypeVar

from regcli.app.formula import Formula
from regcli.app.options import Data
from regcli.app.values import bounded, refuse
from regcli.data.learn import TextRule
from regcli.data.patterns import columns_named
from regcli.data.roles import match_columns
from regcli.data.spline import DEFAULT_KNOTS, LEAST_KNOTS, MOST_KNOTS
from regcli.data.terms import DATE_PARTS, MOST_NGRAMS, column_name
from regcli.data.words import WEIGHTINGS
from regcli.errors import DataError, Location, UsageError

Value = TypeVar("Value")

__all__ = ["Declared", "declared_names", "read_declared", "refuse_covered", "refuse_undeclarable"]


@dataclass(frozen=True, slots=True)
class Declared:
    """Columns of the file by what they are declared to be; ``ordinal`` with their order, empty for the sorted one."""

    ordinal: dict[str, tuple[str, ...]]
    splines: dict[str, int]
    text: dict[str, TextRule]
    dates: tuple[str, ...]

    @property
    def derived(self) -> dict[str, tuple[str, str]]:
        """Columns made of dates: function and source by name."""
        return {column_name(name, part): (part, name) for name in self.dates for part in DATE_PARTS}


def declared_names(data: Data) -> tuple[str, ...]:
    """Names and patterns of columns that are read as they are spelt; one with ``=`` may be a name or an order."""
    ordinal = (name for option in data.ordinal for name in (option, option.rpartition("=")[0]) if name)
    return (*ordinal, *data.text, *data.date)


def refuse_undeclarable(
    data: Data, features: Sequence[str], columns: Sequence[str], target: str | None, source: str
) -> None:
    """Refuse to declare a column that is there and is no feature: the target, and what is left out or plays a part.

    Parameters
    ----------
    data : Data
        The options.
    features, columns : sequence of str
        Columns that are fitted on, and all of the table.
    target, source : str
        The target, and how it was found: ``option``, ``name`` or ``last-column``.

    Raises
    ------
    UsageError
        ``column-in-two-roles``, ``option-without-effect``.
    """
    given = {"--ordinal": data.ordinal, "--spline": data.spline, "--text": data.text, "--date": data.date}
    for option, each in ((option, each) for option, names in given.items() for each in names):
        name = each if each in columns else each.rpartition("=")[0]
        if name not in columns or name in features:  # a pattern, or no column: that is told where columns are looked up
            continue
        if name != target:
            text, hint = f"{option} {name!r}: the column is not fitted on", "let --features, --drop and --id keep it"
            raise UsageError("option-without-effect", text, hint=hint)
        how = {"name": ", as it is called so", "last-column": ", as it is the last column"}.get(source, "")
        hint = "--target COL names another column" if how else f"leave out {option}, or name another --target"
        raise UsageError("column-in-two-roles", f"{option} {name!r}: the column is the target{how}", hint=hint)


def refuse_covered(
    derived: Mapping[str, tuple[str, str]],
    features: Collection[str],
    parts: Collection[str],
    *,
    file: str | None,
    formula: bool,
) -> None:
    """Refuse to make a column where the file has one of the same name that is used: only one of them can be there.

    Parameters
    ----------
    derived : mapping of str to (str, str)
        Columns that are made: function and source by name.
    features, parts : collection of str
        Columns of the file that are fitted on, and those that are target, weights and so on.
    file : str or None
        Where they are from, for messages.
    formula : bool
        Whether features are left out in the formula, and not by --drop.

    Raises
    ------
    DataError
        ``duplicate-term``.
    """
    for name, (function, source) in derived.items():
        if name not in features and name not in parts:
            continue
        option = f"--date {quote(source)}" if function in DATE_PARTS else f"{function}({source}) in --formula"
        without = f", or leave it out: - `{name}` at the end of --formula" if formula else f", or --drop {quote(name)}"
        raise DataError(
            "duplicate-term",
            f"{option} makes a column {name!r} of column {source!r}, and the file has one of that name",
            where=Location(file=file, column=name),
            hint=f"rename the column {name!r} of the file" + without * (name not in parts),
        )


def read_declared(data: Data, features: Sequence[str], *, file: str | None, formula: Formula | None = None) -> Declared:
    """Read the four options.

    Parameters
    ----------
    data : Data
        The options.
    features : sequence of str
        Columns that are fitted on, in order.
    file : str or None
        Where they are from, for messages.
    formula : Formula or None
        What the formula declares.

    Raises
    ------
    UsageError
        A value that is not known or out of range, a column declared twice, an option without an effect.
    DataError
        ``column-not-found``.
    """
    ordinal = dict(_valued("--ordinal", data.ordinal, features, file, _order))
    splines = dict(_valued("--spline", data.spline, features, file, _knots))
    text = match_columns(data.text, features, file=file)
    dates = match_columns(data.date, features, file=file)
    groups = {
        "--categorical": _categorical(data, features, formula),
        "--ordinal": tuple(ordinal),
        "--spline": tuple(splines),
        "--text": text,
        "--date": dates,
    }
    _refuse_twice({**groups, **_declared_by(formula, groups["--categorical"])})
    rule = _text_rule(data)
    return Declared(
        ordinal={name: order or () for name, order in ordinal.items()},
        splines={name: knots or DEFAULT_KNOTS for name, knots in splines.items()},
        text=dict.fromkeys(text, rule),
        dates=dates,
    )


def _valued(
    option: str, given: Sequence[str], features: Sequence[str], file: str | None, read: Callable[[str, str], Value]
) -> Iterator[tuple[str, Value | None]]:
    """Columns with the value behind their name; a literal name with a ``=`` in it comes first."""
    for each in given:
        name, equals, word = each.rpartition("=")
        if each in features or not equals:
            yield from ((column, None) for column in match_columns([each], features, file=file))
        else:
            yield from ((column, read(option, word)) for column in match_columns([name], features, file=file))


def _order(option: str, word: str) -> tuple[str, ...]:
    """Levels in order."""
    levels = tuple(level.strip() for level in word.split(","))
    if len(levels) < 2 or len(set(levels)) < len(levels) or "" in levels:
        text = f"{option}: {word!r} is no order of different levels"
        raise UsageError("unknown-option-value", text, hint=f"{option} COL=LOW,MIDDLE,HIGH")
    return levels


def _knots(option: str, word: str) -> int:
    """A number of knots."""
    if not word.isdecimal():
        text = f"{option}: {word!r} is no number of knots"
        raise UsageError("unknown-option-value", text, hint=f"{option} COL={DEFAULT_KNOTS}")
    bounded(option, int(word), LEAST_KNOTS, MOST_KNOTS)
    return int(word)


def _text_rule(data: Data) -> TextRule:
    """How text becomes words."""
    given = {
        "--text-ngrams": data.text_ngrams is not None,
        "--text-weights": data.text_weights is not None,
        "--text-min-rows": data.text_min_rows is not None,
        "--text-max-words": data.text_max_words is not None,
    }
    plain = TextRule()
    if not data.text:
        refuse(given, "without --text", "--text COL")
        return plain
    rule = TextRule(
        ngrams=plain.ngrams if data.text_ngrams is None else data.text_ngrams,
        weighting=data.text_weights or plain.weighting,
        least=plain.least if data.text_min_rows is None else data.text_min_rows,
        most=plain.most if data.text_max_words is None else data.text_max_words,
    )
    bounded("--text-ngrams", rule.ngrams, 1, MOST_NGRAMS)
    bounded("--text-min-rows", rule.least, 1, float("inf"))
    bounded("--text-max-words", rule.most, 1, float("inf"))
    if rule.weighting not in WEIGHTINGS:
        raise UsageError("unknown-option-value", f"--text-weights {rule.weighting!r}", hint=" or ".join(WEIGHTINGS))
    return rule


def _categorical(data: Data, features: Sequence[str], formula: Formula | None) -> tuple[str, ...]:
    """The features that --categorical names; a pattern may sweep over others, but not over numbers of a formula."""
    named = match_columns([name for name in data.categorical if name in features], features)
    numbers = (*formula.degrees, *formula.splines) if formula else ()
    swept = [name for name in numbers if any(name in columns_named(each, features) for each in data.categorical)]
    return tuple(dict.fromkeys((*named, *swept)))


def _declared_by(formula: Formula | None, categorical: Collection[str]) -> dict[str, tuple[str, ...]]:
    """What a formula declares columns to be, by how it does so; a category may be said twice."""
    if formula is None:
        return {}
    return {
        "C() in --formula": tuple(name for name in formula.categorical if name not in categorical),
        "poly() in --formula": tuple(formula.degrees),
        "spline() in --formula": tuple(formula.splines),
    }


def _refuse_twice(groups: dict[str, tuple[str, ...]]) -> None:
    """A column is one thing."""
    seen: dict[str, str] = {}
    for option, names in groups.items():
        for name in names:
            if name in seen:
                text = f"column {name!r} is given as {seen[name]} and as {option}"
                raise UsageError("column-in-two-roles", text, hint=f"leave out {seen[name]} or {option}")
            seen[name] = option
