"""A scorer as one file of C99 that needs the mathematics library alone."""

from collections.abc import Iterator, Sequence

from regcli.data.model_read import PROBE_TOLERANCE
from regcli.data.rule import LARGEST_EXPONENT, Condition, Input, Missing, Rule
from regcli.report.escape import visible
from regcli.report.scorers.infix import SMALLEST_LOGIT, Syntax, about, expression

__all__ = ["c_scorer"]

#: Compilers need not take longer string literals (C99, 5.2.4.1: 4,095 letters).
_LONGEST_LITERAL = 4_000

#: How texts are spelt in a line of cells with tabs between.
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})

_HEAD = """\
{about}
//
//     int regcli_score(const double *numbers, const char *const *texts, regcli_result *result);
//
// scores one row. numbers and texts hold its cells in the order below; a missing number is NAN, a missing text is NULL
// or one of regcli_missing. Texts are UTF-8 and are compared byte by byte. Returns 1, or 0 with NAN (and NULL for the
// class) where the row cannot be scored: a cell missing that the model does not fill{unknown}, an
// offset or exposure that cannot be used, values beyond double precision.
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

_MAIN_HEAD = """\

#ifdef REGCLI_MAIN

#include <stdio.h>
#include <stdlib.h>

"""

# Apart, because nothing is put in here.
_MAIN = """\
/* The next line without its end; NULL at the end of the input. */
static char *next_line(void)
{
    static char *line = NULL;
    static size_t room = 0;
    size_t length = 0;
    int letter = getchar();
    if (letter == EOF)
        return NULL;
    for (;; letter = getchar()) {
        if (length + 1 >= room) {
            room = room == 0 ? 256 : 2 * room;
            line = realloc(line, room);
            if (line == NULL) {
                fputs("out of memory\\n", stderr);
                exit(7);
            }
        }
        if (letter == EOF || letter == '\\n')
            break;
        line[length++] = (char)letter;
    }
    if (length > 0 && line[length - 1] == '\\r')
        length--;
    line[length] = '\\0';
    return line;
}

/* Put the letters in that a text's escapes stand for. */
static void unescape(char *text)
{
    char *to = text;
    for (; *text != '\\0'; text++) {
        if (*text == '\\\\' && text[1] != '\\0') {
            text++;
            *to++ = (char)(*text == 't' ? '\\t' : *text == 'n' ? '\\n' : *text == 'r' ? '\\r' : *text);
        } else {
            *to++ = *text;
        }
    }
    *to = '\\0';
}

/* Read a number in decimal; 0 where the cell is none. */
static int read_number(const char *cell, double *number)
{
    char *end;
    if (is_missing(cell) || *cell == '\\0') {
        *number = NAN;
        return 1;
    }
    if (cell[strspn(cell, "0123456789+-.eE")] != '\\0')
        return 0;
    *number = strtod(cell, &end);
    return *end == '\\0' && end != cell;
}

static void print_result(const regcli_result *result);

/* Score one line, which is taken apart; 0 where it does not have as many cells as the model needs. */
static int score_line(char *line)
{
    static double numbers[REGCLI_NUMBERS + 1];
    static const char *texts[REGCLI_TEXTS + 1];
    regcli_result result;
    int at, usable = 1, cells = REGCLI_NUMBERS + REGCLI_TEXTS;
    char *cell = line, *next;
    for (at = 0; at < cells; at++, cell = next) {
        next = strchr(cell, '\\t');
        if ((next == NULL) != (at == cells - 1))
            return 0;
        if (next != NULL)
            *next++ = '\\0';
        if (at < REGCLI_NUMBERS) {
            usable = read_number(cell, &numbers[at]) && usable;
        } else {
            unescape(cell);
            texts[at - REGCLI_NUMBERS] = *cell == '\\0' ? NULL : cell;
        }
    }
    if (usable && regcli_score(numbers, texts, &result))
        print_result(&result);
    else
        print_result(NULL);
    return 1;
}

int main(int argc, char **argv)
{
    char *line;
    unsigned long count;
    if (argc == 2 && strcmp(argv[1], "--self-test") == 0)
        return self_test();
    if (argc != 1) {
        fputs("usage: scorer [--self-test] < rows\\n", stderr);
        return 2;
    }
    for (count = 1; (line = next_line()) != NULL; count++)
        if (!score_line(line)) {
            fprintf(stderr, "line %lu does not have %d cells\\n", count, REGCLI_NUMBERS + REGCLI_TEXTS);
            return 3;
        }
    return ferror(stdin) || fflush(stdout) != 0 ? 6 : 0;
}

#endif
"""

_RESPONSES = {
    "identity": "eta",
    "logit": f"eta < {SMALLEST_LOGIT!r} ? 0.0 : 1.0 / (1.0 + exp(-eta))",
    "log": f"exp(eta < {LARGEST_EXPONENT!r} ? eta : {LARGEST_EXPONENT!r})",
}


def c_scorer(rule: Rule) -> str:
    """The file."""
    numbers = [part for part in rule.inputs if part.kind == "number"]
    texts = [part for part in rule.inputs if part.kind == "category"]
    classes = rule.classes is not None
    head = _HEAD.format(
        about="\n".join(f"// {_comment(line)}" for line in about(rule)),
        unknown=", a category it does not know" if any(part.closed for part in texts) else "",
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
    helpers = [_PLACE] if any(not part.boolean for part in texts) else []
    helpers += [_BOOLEAN] if any(part.boolean for part in texts) else []
    # A program reads cells, a function without texts none: what is not called is a warning.
    missing = _IS_MISSING if texts else f"#ifdef REGCLI_MAIN\n{_IS_MISSING}#endif\n"
    main = "\n".join([*_self_test(rule, numbers, texts), *_printing(rule)])
    return "\n".join([head, missing, *helpers, score]) + _MAIN_HEAD + main + "\n" + _MAIN


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
    named += [(f"levels{at}", part.levels) for at, part in enumerate(texts)]
    if rule.classes is not None:
        named.append(("regcli_classes", (rule.negative, rule.positive or "")))
    for name, words in named:
        alone = name == "regcli_missing" and not texts  # only the program reads cells then
        long = [f"static const char {name}_{at}[] = {_letters(word)};" for at, word in enumerate(words) if _long(word)]
        items = [_word(word, f"{name}_{at}") for at, word in enumerate(words)]
        items += ["NULL"] if name == "regcli_missing" else []
        yield "\n".join(
            [
                *(["#ifdef REGCLI_MAIN"] if alone else []),
                *long,
                f"static const char *const {name}[] = {{{', '.join(items)}}};",
                *(["#endif"] if alone else []),
            ]
        )


def _long(word: str) -> bool:
    return len(word.encode()) > _LONGEST_LITERAL


def _word(word: str, name: str) -> str:
    """A text as a literal, or by the name of its letters if it is long."""
    return name if _long(word) else _literal(word)


def _body(rule: Rule, numbers: Sequence[Input], texts: Sequence[Input]) -> Iterator[str]:
    """Read the cells, then add up."""
    places = {part.column: f"x{at}" for at, part in enumerate(numbers)}
    places |= {part.column: f"c{at}" for at, part in enumerate(texts)}
    known = {part.column: part.levels for part in texts}
    for at, part in enumerate(numbers):
        value = f"numbers[{at}]"
        filled = value if part.fill is None else f"isnan({value}) ? {part.fill!r} : {value}"
        yield f"const double x{at} = {filled};"
        if part.fill is not None:
            yield f"(void)x{at};"  # where only missing cells count
    for at, part in enumerate(texts):
        find = "boolean_of" if part.boolean else "place_of"
        place = f"{find}(texts[{at}], levels{at}, {len(part.levels)})"
        yield f"const int c{at} = is_missing(texts[{at}]) ? -2 : {place};"
    yield f"double eta = {rule.intercept!r};"
    for name, count in (("numbers", numbers), ("texts", texts)):
        if not count:
            yield f"(void){name};"
    yield from (f"if ({test})\n        goto unusable;" for part in rule.inputs for test in _unusable(part, places))

    def condition(asked: Condition) -> str:
        place = places[asked.source]
        if isinstance(asked, Missing):
            return f"{place} == -2" if asked.source in known else f"isnan(numbers[{place[1:]}])"
        return " || ".join(f"{place} == {known[asked.source].index(level)}" for level in asked.levels)

    syntax = Syntax(
        number=repr,
        cell=places.__getitem__,
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


def _unusable(part: Input, places: dict[str, str]) -> Iterator[str]:
    """When a cell cannot be used."""
    place = places[part.column]
    if part.kind == "number":
        if part.required:
            yield f"isnan({place})"
        if part.positive:
            yield f"{place} <= 0.0"
        return
    if part.required:
        yield f"{place} == -2"
    if part.closed:
        yield f"{place} == -1"


def _self_test(rule: Rule, numbers: Sequence[Input], texts: Sequence[Input]) -> Iterator[str]:
    """Probe rows with their results."""
    rows = [rule.probe_row(probe) for probe in rule.probes]
    yield "static int self_test(void)\n{"
    yield "    regcli_result result;"
    for at, (row, probe) in enumerate(zip(rows, rule.probes, strict=True)):
        cells = ["NAN" if row[part.column] is None else repr(row[part.column]) for part in numbers]
        words = [_probe_word(row[part.column], part, place) for place, part in enumerate(texts)]
        yield f"    static const double numbers{at}[] = {{{', '.join(cells or ['0.0'])}}};"
        yield f"    static const char *const texts{at}[] = {{{', '.join(words or ['NULL'])}}};"
        rows[at] = {"link": probe.link, "allowed": PROBE_TOLERANCE * probe.size}
    for at, row in enumerate(rows):
        yield f"    if (!regcli_score(numbers{at}, texts{at}, &result)"
        yield f"        || !(fabs(result.link - ({row['link']!r})) <= {row['allowed']!r})) {{"
        yield f'        fputs("self-test failed at row {at}\\n", stderr);\n        return 1;\n    }}'
    yield "    (void)result;"
    yield f'    puts("self-test passed: {len(rows)} rows");\n    return 0;\n}}\n'


def _probe_word(cell: float | str | None, part: Input, place: int) -> str:
    """The text of a probe row, which is one of the levels."""
    if cell is None or cell not in part.levels:  # a boolean, in other capitals
        return "NULL" if cell is None else _literal(str(cell))
    return _word(str(cell), f"levels{place}_{part.levels.index(str(cell))}")


def _printing(rule: Rule) -> Iterator[str]:
    """Print a result, or empty cells; 17 digits read back as the same double."""
    yield "static void print_result(const regcli_result *result)\n{"
    if rule.classes is None:
        yield '    if (result == NULL)\n        puts("\\t");'
        yield '    else\n        printf("%.17g\\t%.17g\\n", result->link, result->response);'
    else:
        names = [_literal(name.translate(_ESCAPES)) for name in (rule.positive or "", rule.negative)]
        yield f"    const char *const names[] = {{{', '.join(names)}}};"
        yield '    if (result == NULL)\n        puts("\\t\\t");\n    else'
        yield '        printf("%.17g\\t%.17g\\t%s\\n", result->link, result->response,'
        yield "               names[result->class_name == regcli_classes[0]]);"
    yield "}\n"


def _literal(text: str) -> str:
    """A string literal: ASCII letters and digits as they are, all else octal, which is three digits and no more."""
    return '"' + "".join(_byte(byte, '"') for byte in text.encode()) + '"'


def _letters(text: str) -> str:
    """The same as a list of letters."""
    return "{" + ", ".join(f"'{_byte(byte, chr(39))}'" for byte in text.encode()) + ", 0}"


def _byte(byte: int, quote: str) -> str:
    letter = chr(byte)
    plain = 0x20 <= byte < 0x7F and letter not in {"\\", "?", quote}
    return letter if plain else f"\\{byte:03o}"
