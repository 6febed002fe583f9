"""A scorer as one file of C99 that needs the mathematics library alone."""

from collections.abc import Callable, Iterator, Sequence

from regcli.data.rule import DOMAINS, LARGEST_EXPONENT, Condition, Input, Made, Missing, Rule
from regcli.report.escape import visible
from regcli.report.scorers.c_literals import is_long, letters, word_literal
from regcli.report.scorers.c_program import program
from regcli.report.scorers.c_texts import DATES, date_names, word_counts
from regcli.report.scorers.infix import SMALLEST_LOGIT, Syntax, about, expression, unusable

__all__ = ["c_scorer"]

#: When a number is not within a bound, by what holds within.
_OUTSIDE = {">": "<=", ">=": "<", "<=": ">"}

_HEAD = """\
{about}
//
//     int regcli_score(const double *numbers, const char *const *texts, regcli_result *result);
//
// scores one row. numbers and texts hold its cells in the order below; a missing number is NAN, a missing text is NULL
// or one of regcli_missing.{stand_ins} Texts are UTF-8 and are compared byte by byte.
// Returns 1, or 0 with NAN (and NULL for the class) where the row cannot be scored: a cell missing that the model does
// not fill{unknown}, an offset or exposure that cannot be used,{functions} values beyond double precision.
//
{order}
//
// With -DREGCLI_MAIN it is a program:
//
//     cc -std=c99 -O2 -DREGCLI_MAIN scorer.c -o scorer -lm
//     ./scorer --self-test         holds the scorer against results stored with the model
//     ./scorer < rows > scores     reads a row a line: numbers, then texts, in the order above, tabs between
//
// Missing cells are empty or one of regcli_missing. In a text \\t, \\n, \\r and \\\\ stand for tab, newline, return and
// backslash. It prints {outputs} with tabs between, empty cells for a row that cannot be scored.

#include <math.h>
#include <stddef.h>
#include <string.h>

typedef struct {{
    double link;
    double response;{class_member}
}} regcli_result;

#define REGCLI_NUMBERS {numbers}
#define REGCLI_TEXTS {texts}

int regcli_score(const double *numbers, const char *const *texts, regcli_result *result);

{tables}
"""

_IS_MISSING = """\
static int is_missing(const char *text)
{
    size_t at;
    if (text == NULL)
        return 1;
    for (at = 0; at + 1 < sizeof regcli_missing / sizeof regcli_missing[0]; at++)
        if (strcmp(text, regcli_missing[at]) == 0)
            return 1;
    return 0;
}
"""

_PLACE = """\
/* Which of the levels a text is, -1 for none of them. */
static int place_of(const char *text, const char *const *levels, int count)
{
    int at;
    for (at = 0; at < count; at++)
        if (strcmp(text, levels[at]) == 0)
            return at;
    return -1;
}
"""

_BOOLEAN = """\
/* The same for levels in small letters, in any capitals. */
static int boolean_of(const char *text, const char *const *levels, int count)
{
    int at;
    for (at = 0; at < count; at++) {
        const char *one = text, *other = levels[at];
        while (*one != '\\0' && (*one >= 'A' && *one <= 'Z' ? *one - 'A' + 'a' : *one) == *other) {
            one++;
            other++;
        }
        if (*one == '\\0' && *other == '\\0')
            return at;
    }
    return -1;
}
"""

_SCORE = """\
int regcli_score(const double *numbers, const char *const *texts, regcli_result *result)
{{
{body}
    result->link = eta;
    result->response = {response};{class_result}
    return 1;

unusable:
    result->link = NAN;
    result->response = NAN;{class_unusable}
    return 0;
}}
"""

#: What is said of capitals without small letters of their own.
_UNSURE = "a text with U+0130 or U+03A3, "

_RESPONSES = {
    "identity": "eta",
    "logit": f"eta < {SMALLEST_LOGIT!r} ? 0.0 : 1.0 / (1.0 + exp(-eta))",
    "log": f"exp(eta < {LARGEST_EXPONENT!r} ? eta : {LARGEST_EXPONENT!r})",
}


def c_scorer(rule: Rule) -> str:
    """The file."""
    numbers = [part for part in rule.inputs if part.kind == "number"]
    texts = [part for part in rule.inputs if part.kind != "number"]
    classes, words = rule.classes is not None, any(part.words for part in texts)
    head = _HEAD.format(
        about="\n".join(f"// {_comment(line)}" for line in about(rule)),
        unknown=", a category it does not know" if any(part.closed for part in texts) else "",
        stand_ins=_stand_ins(rule),
        functions=f"\n// {named.rstrip()}" if (named := unusable(rule) + (_UNSURE if words else "")) else "",
        order="\n".join(f"// {line}" for line in [*_order("numbers", numbers), *_order("texts", texts)]),
        outputs=", ".join(rule.outputs),
        class_member="\n    const char *class_name;" if classes else "",
        numbers=len(numbers),
        texts=len(texts),
        tables="\n".join(_tables(rule, texts)),
    )
    named = f"result->response >= {rule.threshold!r} ? regcli_classes[1] : regcli_classes[0]"
    score = _SCORE.format(
        body="\n".join(f"    {line}" for line in _body(rule, numbers, texts)),
        response=_RESPONSES[rule.link],
        class_result=f"\n    result->class_name = {named};" if classes else "",
        class_unusable="\n    result->class_name = NULL;" if classes else "",
    )
    plain = any(part.levels and not part.boolean for part in texts)
    helpers = [_PLACE] if plain or any(_coded(made) for part in texts for made in part.made) else []
    helpers += [_BOOLEAN] if any(part.boolean for part in texts) else []
    helpers += [DATES] if any(part.dates for part in texts) else []
    helpers += [word_counts()] if words else []
    # A program reads cells, a function without texts none: what is not called is a warning.
    missing = _IS_MISSING if texts else f"#ifdef REGCLI_MAIN\n{_IS_MISSING}#endif\n"
    return "\n".join([head, missing, *helpers, score]) + program(rule, numbers, texts)


def _stand_ins(rule: Rule) -> str:
    """What is said of numbers that mean a missing cell."""
    return f" Missing as well: {', '.join(map(repr, rule.missing_numbers))}." if rule.missing_numbers else ""


def _order(name: str, parts: Sequence[Input]) -> Iterator[str]:
    """Which cell goes where."""
    yield f"{name}: none" if not parts else f"{name}:"
    for at, part in enumerate(parts):
        yield _comment(f"    [{at}] {visible(part.column)}")


def _comment(line: str) -> str:
    """Text for a line comment: a backslash at its end, also spelt as a trigraph, would carry on to the next line."""
    return line.replace("??", "? ?") + ("." if line.rstrip().endswith(("\\", "/")) else "")


def _tables(rule: Rule, texts: Sequence[Input]) -> Iterator[str]:
    """What texts are compared with; a list of missing texts ends in NULL, because no list may be empty."""
    named: list[tuple[str, Sequence[str]]] = [("regcli_missing", rule.na_values)]
    for at, part in enumerate(texts):
        named += [(f"levels{at}", part.levels)] if part.levels else []
        named += [(f"words{at}", part.words)] if part.words else []
        named += [(f"levels{at}_{made.function}", made.levels) for made in part.made if _coded(made)]
    if rule.classes is not None:
        named.append(("regcli_classes", (rule.negative, rule.positive or "")))
    for name, words in named:
        alone = name == "regcli_missing" and not texts  # only the program reads cells then
        long = [f"static const char {name}_{at}[] = {letters(word)};" for at, word in enumerate(words) if is_long(word)]
        items = [word_literal(word, f"{name}_{at}") for at, word in enumerate(words)]
        items += ["NULL"] if name == "regcli_missing" else []
        yield "\n".join(
            [
                *(["#ifdef REGCLI_MAIN"] if alone else []),
                *long,
                f"static const char *const {name}[] = {{{', '.join(items)}}};",
                *(["#endif"] if alone else []),
            ]
        )
    for function in dict.fromkeys(made.function for part in texts for made in part.made if _coded(made)):
        yield date_names(function)


def _coded(made: Made) -> bool:
    """Whether the names of a part of dates are looked up."""
    return bool(made.levels) and (made.used or made.closed)


def _body(rule: Rule, numbers: Sequence[Input], texts: Sequence[Input]) -> Iterator[str]:
    """Read the cells, then add up."""
    places, lines, tests = dict[str, str](), list[str](), list[str]()
    for at, part in enumerate(numbers):
        places[part.column] = f"x{at}"
        lines += _number(rule, part, at)
        tests += _unusable_number(part, f"x{at}")
    value = _value(rule)
    for at, part in enumerate(texts):
        places[part.column] = f"c{at}"
        lines += _text(part, at)
        tests += _unusable_text(part, at)
    for at, part in [*enumerate(numbers), *enumerate(texts)]:
        for made in part.made:
            places[made.column] = f"{places[part.column]}_{made.function}"
            if part.kind == "number":
                bounds = DOMAINS[made.function].bounds()
                tests += [f"{value(at)} {_OUTSIDE[sign]} {bound!r}" for sign, bound in bounds]
                lines += _made_number(made, value(at), at) if made.used else []
            else:
                lines += _made_part(made, at)
                tests += [f"c{at}_{made.function} == -1"] if made.closed else []
    yield from lines
    yield f"double eta = {rule.intercept!r};"
    for name, count in (("numbers", numbers), ("texts", texts)):
        if not count:
            yield f"(void){name};"
    yield from (f"if ({test})\n        goto unusable;" for test in dict.fromkeys(tests))
    yield from _sum(rule, numbers, texts, places)


def _sum(rule: Rule, numbers: Sequence[Input], texts: Sequence[Input], places: dict[str, str]) -> Iterator[str]:
    """Add up."""
    known = {part.column: part.levels for part in texts}
    known |= {made.column: made.levels for part in texts for made in part.made}
    words = {part.column: part.words for part in texts}
    at = {part.column: place for parts in (numbers, texts) for place, part in enumerate(parts)}

    def condition(asked: Condition) -> str:
        if isinstance(asked, Missing):
            place = at[asked.source]
            return f"gone{place}" if asked.source in known else f"isnan({_value(rule)(place)})"
        return " || ".join(f"{places[asked.column]} == {known[asked.column].index(level)}" for level in asked.levels)

    syntax = Syntax(
        number=repr,
        cell=places.__getitem__,
        count=lambda column, word: f"{places[column]}_counts[{words[column].index(word)}]",
        condition=condition,
        choose="({condition} ? {then} : {otherwise})",
        log="log",
        larger="fmax({of}, {bound})",
        smaller="fmin({of}, {bound})",
    )
    if rule.shift is not None:
        yield f"eta += {expression(rule.shift, syntax)};"
    for term in rule.summands:
        yield f"eta += {term.estimate!r} * {expression(term.node, syntax)}; // {_comment(visible(term.name))}"
    yield "if (!isfinite(eta))\n        goto unusable;"


def _value(rule: Rule) -> Callable[[int], str]:
    """A number of the row, NAN where it is missing, by its place."""
    return (lambda at: f"n{at}") if rule.missing_numbers else (lambda at: f"numbers[{at}]")


def _number(rule: Rule, part: Input, at: int) -> Iterator[str]:
    """Read a number."""
    value = _value(rule)(at)
    if rule.missing_numbers:
        means_missing = " || ".join(f"numbers[{at}] == {number!r}" for number in rule.missing_numbers)
        yield f"const double {value} = {means_missing} ? NAN : numbers[{at}];"
    filled = value if part.fill is None else f"isnan({value}) ? {part.fill!r} : {value}"
    yield f"const double x{at} = {filled};"
    if part.fill is not None or part.made:
        yield f"(void)x{at};"  # where only missing cells count, or only what is made of it


def _text(part: Input, at: int) -> Iterator[str]:
    """Read a text: the place of a level, a date, or counts of words."""
    yield f"const int gone{at} = is_missing(texts[{at}]);"
    if part.levels:
        find = "boolean_of" if part.boolean else "place_of"
        place = f"{find}(texts[{at}], levels{at}, {len(part.levels)})"
        yield f"const int c{at} = gone{at} ? -2 : {place};"
        yield f"(void)c{at};"  # where only missing cells count: all levels have become one
    if part.dates:
        yield f"regcli_date date{at} = {{0, 0, 0, 0.0}};"
        yield f"const int read{at} = gone{at} || read_date(texts[{at}], &date{at});"
    if part.words:
        count, text = len(part.words), f'gone{at} ? "" : texts[{at}]'
        yield f"double c{at}_counts[{count}];"
        yield f"const int read{at} = count_words({text}, words{at}, {count}, {int(part.binary)}, c{at}_counts);"


def _made_number(made: Made, cell: str, at: int) -> Iterator[str]:
    """What a function makes of a number."""
    name = {"abs": "fabs"}.get(made.function, made.function)
    value = f"{name}({cell})"
    filled = value if made.fill is None else f"isnan({cell}) ? {made.fill!r} : {value}"
    yield f"const double x{at}_{made.function} = {filled};"
    if made.fill is not None:
        yield f"(void)x{at}_{made.function};"  # where only missing cells count


def _made_part(made: Made, at: int) -> Iterator[str]:
    """A part of a date."""
    gone, field = f"gone{at}", f"date{at}.{made.function}"
    if _coded(made):
        names = f"levels{at}_{made.function}, {len(made.levels)}"
        yield f"const int c{at}_{made.function} = {gone} ? -2 : place_of({made.function}_names[{field}], {names});"
        yield f"(void)c{at}_{made.function};"
    elif made.used:
        filled = field if made.fill is None else f"{gone} ? {made.fill!r} : {field}"
        yield f"const double c{at}_{made.function} = {filled};"


def _unusable_number(part: Input, place: str) -> Iterator[str]:
    """When a number cannot be used."""
    if part.required:
        yield f"isnan({place})"
    if part.positive:
        yield f"{place} <= 0.0"


def _unusable_text(part: Input, at: int) -> Iterator[str]:
    """When a text cannot be used."""
    if part.required:
        yield f"gone{at}"
    if part.closed:
        yield f"c{at} == -1"
    if part.dates or part.words:
        yield f"!read{at}"
