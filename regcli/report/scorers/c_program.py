"""A C scorer as a program: rows from standard input, and its test of itself."""

from collections.abc import Iterator, Sequence

from regcli.data.model_read import PROBE_TOLERANCE
from regcli.data.rule import Input, Rule
from regcli.report.scorers.c_literals import literal, word_literal

__all__ = ["program"]

#: How texts are spelt in a line of cells with tabs between.
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})

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

/* Read a number in decimal, with blanks around it or not; 0 where the cell is none. */
static int read_number(const char *cell, double *number)
{
    static const char blanks[] = " \\t\\n\\v\\f\\r";
    const char *first = cell + strspn(cell, blanks), *rest = first + strspn(first, "0123456789+-.eE");
    char *end;
    if (is_missing(cell) || *cell == '\\0') {
        *number = NAN;
        return 1;
    }
    *number = strtod(first, &end);
    return end != first && end == rest && rest[strspn(rest, blanks)] == '\\0';
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


def program(rule: Rule, numbers: Sequence[Input], texts: Sequence[Input]) -> str:
    """The part of the file that is compiled with -DREGCLI_MAIN."""
    return _MAIN_HEAD + "\n".join([*_self_test(rule, numbers, texts), *_printing(rule)]) + "\n" + _MAIN


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
        return "NULL" if cell is None else literal(str(cell))
    return word_literal(str(cell), f"levels{place}_{part.levels.index(str(cell))}")


def _printing(rule: Rule) -> Iterator[str]:
    """Print a result, or empty cells; 17 digits read back as the same double."""
    yield "static void print_result(const regcli_result *result)\n{"
    if rule.classes is None:
        yield '    if (result == NULL)\n        puts("\\t");'
        yield '    else\n        printf("%.17g\\t%.17g\\n", result->link, result->response);'
    else:
        names = [literal(name.translate(_ESCAPES)) for name in (rule.positive or "", rule.negative)]
        yield f"    const char *const names[] = {{{', '.join(names)}}};"
        yield '    if (result == NULL)\n        puts("\\t\\t");\n    else'
        yield '        printf("%.17g\\t%.17g\\t%s\\n", result->link, result->response,'
        yield "               names[result->class_name == regcli_classes[0]]);"
    yield "}\n"
