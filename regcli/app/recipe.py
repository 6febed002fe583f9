"""What --missing, --poly and --interactions ask for, held against the columns there are."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import product

from regcli.app.declared import Declared
from regcli.app.formula import Formula
from regcli.app.options import Data
from regcli.app.values import bounded
from regcli.data.learn import Recipe
from regcli.data.nearby import names_near
from regcli.data.patterns import columns_named, is_pattern
from regcli.data.terms import MOST_POWERS, POLICIES
from regcli.errors import DataError, Location, UsageError, listed

__all__ = ["general_policy", "other_policies", "read_recipe"]


def read_recipe(
    data: Data,
    features: Sequence[str],
    columns: Sequence[str],
    declared: Declared,
    formula: Formula | None,
    *,
    file: str | None,
) -> Recipe:
    """Read the options.

    Parameters
    ----------
    data : Data
        The options.
    features : sequence of str
        Columns that are fitted on, in order, those that are made of others among them.
    columns : sequence of str
        All columns of the table.
    declared : Declared
        What columns are declared to be.
    formula : Formula or None
        What the formula asks for.
    file : str or None
        Where they are from, for messages.

    Raises
    ------
    UsageError
        A value that is not known or out of range; an option that cannot have an effect.
    DataError
        ``column-not-found``.
    """
    if data.poly is not None:
        bounded("--poly", data.poly, 1, MOST_POWERS)
    if data.min_level_count is not None:
        bounded("--min-level-count", data.min_level_count, 1, float("inf"))
    derived = {**declared.derived, **(formula.derived if formula else {})}
    splines = {**declared.splines, **(formula.splines if formula else {})}
    pairs = _pairs(data.interactions, features, file)
    if formula:
        _refuse_unknown(formula, features, declared, file)
        pairs = formula.pairs
    policies = _policies(data.missing, features, columns, derived, file)
    if not any("=" not in option for option in data.missing):  # text without a cell is text without a word
        named = _policies(data.missing, features, columns, derived, file, general="mean")
        policies |= {name: named[name] for name in declared.text}
    _refuse_products(pairs, splines, declared)
    return Recipe(
        policies=policies,
        degree=data.poly or 1,
        pairs=pairs,
        degrees=formula.degrees if formula else {},
        ordinal=declared.ordinal,
        splines=splines,
        text=declared.text,
        derived=derived,
        least_level=data.min_level_count or 1,
    )


def _refuse_unknown(formula: Formula, features: Sequence[str], declared: Declared, file: str | None) -> None:
    """What a formula names is fitted on, or has something made of it that is; products are of what is fitted on."""
    known, within = frozenset(features), {*declared.dates, *formula.only_within}
    alone = (name for name in formula.named if name not in within)
    for name in (*alone, *(name for pair in formula.pairs for name in pair)):
        if name not in known:
            raise _not_found("--formula", name, features, file)


def _refuse_products(pairs: Sequence[tuple[str, str]], splines: Mapping[str, int], declared: Declared) -> None:
    """Splines and words have no products."""
    for pair in pairs:
        for name in pair:
            if name in splines or name in declared.text:
                what = "a spline" if name in splines else "text"
                raise UsageError(
                    "conflicting-options",
                    f"{':'.join(pair)}: column {name!r} is {what}, which has no products with other columns",
                    hint="leave the interaction out, or the declaration",
                )


# -- missing cells ---------------------------------------------------------------------------------------------------


def general_policy(options: Sequence[str]) -> str:
    """The policy for columns that no option names; later ones win."""
    general = [_known(option) for option in options if "=" not in option]
    return general[-1] if general else "error"


def _policies(
    options: Sequence[str],
    features: Sequence[str],
    columns: Sequence[str],
    derived: Mapping[str, tuple[str, str]],
    file: str | None,
    general: str | None = None,
) -> dict[str, str]:
    """The policy of every feature: a column's own before the general one, later ones before earlier ones.

    What is said of a column holds for those that are made of it.
    """
    out = dict.fromkeys(features, general or general_policy(options))
    return {**out, **_own_policies(options, features, columns, derived, file)}


def other_policies(
    options: Sequence[str], learnt: Mapping[str, str], derived: Mapping[str, tuple[str, str]]
) -> dict[str, str]:
    """The policy of every feature of a model where --missing is given anew; what no option names stays as learnt."""
    general = [_known(option) for option in options if "=" not in option]
    out = dict.fromkeys(learnt, general[-1]) if general else dict(learnt)
    return {**out, **_own_policies(options, tuple(learnt), tuple(learnt), derived, None)}


def _own_policies(
    options: Sequence[str],
    features: Sequence[str],
    columns: Sequence[str],
    derived: Mapping[str, tuple[str, str]],
    file: str | None,
) -> dict[str, str]:
    """The policies of columns that options name."""
    out: dict[str, str] = {}
    for option in options:
        name, equals, word = option.rpartition("=")
        if equals and not name:
            text = f"--missing {option!r} is not of the form POLICY or COL=POLICY"
            raise UsageError("unknown-option-value", text, hint=f"--missing {word} is for all columns")
        if equals:
            policy = _known(word)
            out.update(dict.fromkeys(_named(name, features, columns, derived, file), policy))
    return out


def _known(word: str) -> str:
    """A policy, or an error that lists them."""
    if word in POLICIES:
        return word
    raise UsageError(
        "unknown-option-value",
        f"--missing: there is no policy {word!r}",
        near=get_close_matches(word, POLICIES, n=1),
        hint=f"{', '.join(POLICIES[:-1])} or {POLICIES[-1]}, for all columns or as COL=POLICY",
    )


def _named(
    name: str,
    features: Sequence[str],
    columns: Sequence[str],
    derived: Mapping[str, tuple[str, str]],
    file: str | None,
) -> Sequence[str]:
    """The features of a name or pattern, those that are made of its columns among them."""
    sources = {new: source for new, (_, source) in derived.items()}
    meant = frozenset(columns_named(name, dict.fromkeys((*columns, *features, *sources.values()))))
    found = [each for each in features if each in meant or sources.get(each) in meant]
    if found:
        return found
    if meant:
        raise UsageError(
            "option-without-effect",
            f"--missing {name}=...: the column is not fitted on",
            hint="--missing is for features; --missing-target for the target, weights, offset and folds",
        )
    raise _not_found("--missing", name, features, file)


def _not_found(option: str, name: str, features: Sequence[str], file: str | None) -> DataError:
    """The error for a name that no feature has."""
    near = names_near(name, features)
    hint = f"the columns that are fitted on are: {listed(features, 12)}"
    text = f"{option}: no column {name!r} is fitted on"
    return DataError("column-not-found", text, near=near, hint=hint, where=Location(file=file))


# -- interactions ----------------------------------------------------------------------------------------------------


def _pairs(options: Sequence[str], features: Sequence[str], file: str | None) -> tuple[tuple[str, str], ...]:
    """Pairs of different columns, each once, in the order asked for."""
    out: dict[frozenset[str], tuple[str, str]] = {}
    for option in options:
        left, right = _sides(option, features, file)
        found = [(one, other) for one, other in product(left, right) if one != other]
        if not found:
            raise UsageError(
                "option-without-effect" if len(left) > 1 or is_pattern(option) else "unknown-option-value",
                f"--interactions {option!r} is a column with itself",
                hint="--poly 2 adds the squares of numbers",
            )
        for pair in found:
            out.setdefault(frozenset(pair), pair)
    return tuple(out.values())


def _sides(option: str, features: Sequence[str], file: str | None) -> tuple[Sequence[str], Sequence[str]]:
    """The columns on either side. Names may contain a colon: every one is tried, literal names first."""
    splits = list(_splits(option))
    if not splits:
        raise UsageError(
            "unknown-option-value",
            f"--interactions {option!r} is not of the form A:B",
            hint="--interactions age:bmi, with patterns 'sex:*'",
        )
    for left, right in splits:
        if left in features and right in features:
            return [left], [right]
    for left, right in splits:
        sides = columns_named(left, features), columns_named(right, features)
        if all(sides):
            return sides
    parts = option.split(":")
    if len(parts) > 2 and all(columns_named(part, features) for part in parts):
        raise UsageError(
            "unknown-option-value",
            f"--interactions {option!r} has {len(parts)} columns; interactions are of pairs only",
            hint="--interactions A:B, repeated for each pair",
        )
    missing = [[side for side in split if not columns_named(side, features)] for split in splits]
    raise _not_found("--interactions", min(missing, key=len)[0], features, file)


def _splits(option: str) -> Iterator[tuple[str, str]]:
    """Both sides of every colon that has something on either side."""
    for at, letter in enumerate(option):
        if letter == ":" and 0 < at < len(option) - 1:
            yield option[:at], option[at + 1 :]
