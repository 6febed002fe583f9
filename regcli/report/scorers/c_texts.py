"""C99 that reads dates and counts words, for scorers that need it."""

from collections.abc import Iterable, Iterator

from regcli.data.derive import DATE_NAMES
from regcli.report.scorers.letters import UNSURE, small_letters, word_ranges

__all__ = ["DATES", "date_names", "word_counts"]

#: Entries of a table in a row.
_ROW = 6

DATES = """\
/* A date: its year, its month from 0, its day of the week from 0 for Monday, days since 1970-01-01 in UTC. */
typedef struct {
    int year;
    int month;
    int weekday;
    double days;
} regcli_date;

/* So many digits as a number. */
static int read_digits(const char **text, int count, int *number)
{
    for (*number = 0; count > 0; count--, (*text)++) {
        if (**text < '0' || **text > '9')
            return 0;
        *number = 10 * *number + (**text - '0');
    }
    return 1;
}

/* Days from 0001-01-01, which is 1, to the first day of a month, which counts from 0. */
static long first_day(int year, int month)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    const int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    const long years = year - 1;
    return 365 * years + years / 4 - years / 100 + years / 400 + before[month] + (month > 1 && leap) + 1;
}

/* YYYY-Www-D or YYYYWwwD from its second part on, the day left out for Monday. */
static int read_week(const char **text, int dash, int year, long *day)
{
    const long fourth = first_day(year, 0) + 3, first = fourth - (fourth + 6) % 7;
    int week, weekday = 1;
    (*text)++;
    if (!read_digits(text, 2, &week))
        return 0;
    if (!dash || **text == '-') {
        const char digit = (*text)[dash];
        if (digit >= '1' && digit <= '7') {
            weekday = digit - '0';
            *text += dash + 1;
        } else if (dash) {
            return 0;
        }
    }
    *day = first + 7 * (week - 1) + weekday - 1;
    return week >= 1 && first + 7 * (week - 1) + 3 < first_day(year + 1, 0);
}

/* YYYY-MM-DD, YYYYMMDD, or a day by its week. */
static int read_day(const char **text, int *year, int *month, long *day)
{
    int dash, in_month;
    if (!read_digits(text, 4, year) || *year == 0)
        return 0;
    dash = **text == '-';
    *text += dash;
    if (**text == 'W') {
        if (!read_week(text, dash, *year, day) || *day < 1 || *day >= first_day(10000, 0))
            return 0;
        *year += *day >= first_day(*year + 1, 0);
        *year -= *day < first_day(*year, 0);
        for (*month = 11; *day < first_day(*year, *month);)
            (*month)--;
        return 1;
    }
    if (!read_digits(text, 2, month) || *month < 1 || *month > 12)
        return 0;
    (*month)--;
    if (dash && *(*text)++ != '-')
        return 0;
    if (!read_digits(text, 2, &in_month) || in_month < 1)
        return 0;
    *day = first_day(*year, *month) + in_month - 1;
    return *day < first_day(*year, *month + 1);
}

/* HH, HH:MM, HH:MM:SS, HHMM or HHMMSS; seconds may have decimals, of which six count, where they are asked for. */
static int read_clock(const char **text, long *seconds, long *millionths)
{
    int hour, minute = 0, second = 0, colon, digit;
    long unit = 100000;
    if (!read_digits(text, 2, &hour) || hour > 23)
        return 0;
    colon = **text == ':';
    if (colon || (**text >= '0' && **text <= '9')) {
        *text += colon;
        if (!read_digits(text, 2, &minute) || minute > 59)
            return 0;
        if (colon ? **text == ':' : **text >= '0' && **text <= '9') {
            *text += colon;
            if (!read_digits(text, 2, &second) || second > 59)
                return 0;
            if (millionths != NULL && (**text == '.' || **text == ',')) {
                (*text)++;
                if (!read_digits(text, 1, &digit))
                    return 0;
                for (*millionths = unit * digit; read_digits(text, 1, &digit);)
                    *millionths += (unit /= 10) * digit;
            }
        }
    }
    *seconds = 3600L * hour + 60 * minute + second;
    return 1;
}

static int is_space(char letter)
{
    return letter == ' ' || (letter >= '\\t' && letter <= '\\r');
}

/* A date or time in ISO 8601; 0 where the text is none. */
static int read_date(const char *text, regcli_date *date)
{
    long day, seconds = 0, millionths = 0, offset = 0;
    while (is_space(*text))
        text++;
    if (!read_day(&text, &date->year, &date->month, &day))
        return 0;
    if (*text == 'T' || *text == 't' || (*text == ' ' && text[1] >= '0' && text[1] <= '9')) {
        text++;
        if (!read_clock(&text, &seconds, &millionths))
            return 0;
        if (*text == 'Z') {
            text++;
        } else if (*text == '+' || *text == '-') {
            const long sign = *text++ == '-' ? -1 : 1;
            if (!read_clock(&text, &offset, NULL))
                return 0;
            offset *= sign;
        }
    }
    while (is_space(*text))
        text++;
    date->weekday = (int)((day + 6) % 7);
    seconds -= offset;
    if (seconds < 0 || seconds >= 86400) {
        day += seconds < 0 ? -1 : 1;
        seconds += seconds < 0 ? 86400 : -86400;
    }
    date->days = (double)(day - first_day(1970, 0)) + ((double)seconds + (double)millionths / 1e6) / 86400.0;
    return *text == '\\0';
}
"""

_WORDS = """\
/* Letters, digits and the underscore, of Unicode: the first and the last of every range. */
static const long word_letters[][2] = {{
{ranges}
}};

/* Capitals: the first and the last of a range, every how many of them, and how far their small letters are. */
static const long capitals[][4] = {{
{capitals}
}};

/* The next letter of a text in UTF-8, 0 at its end; what is no UTF-8 is no letter. */
static long next_letter(const char **text)
{{
    const unsigned char *at = (const unsigned char *)*text;
    long letter = *at;
    int more = letter >= 0xF0 ? 3 : letter >= 0xE0 ? 2 : letter >= 0xC0 ? 1 : 0;
    if (letter == 0)
        return 0;
    *text += 1;
    if (letter < 0x80)
        return letter;
    if (more == 0)
        return 0xFFFD;
    letter &= 0x3F >> more;
    for (; more > 0; more--, *text += 1) {{
        if (((unsigned char)**text & 0xC0) != 0x80)
            return 0xFFFD;
        letter = letter << 6 | ((unsigned char)**text & 0x3F);
    }}
    return letter;
}}

static int in_word(long letter)
{{
    size_t low = 0, high = sizeof word_letters / sizeof word_letters[0];
    while (low < high) {{
        const size_t middle = (low + high) / 2;
        if (letter > word_letters[middle][1])
            low = middle + 1;
        else
            high = middle;
    }}
    return low < sizeof word_letters / sizeof word_letters[0] && letter >= word_letters[low][0];
}}

/* A letter in lower case. */
static long small(long letter)
{{
    size_t at;
    if (letter < 0x80)
        return letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter;
    for (at = 0; at < sizeof capitals / sizeof capitals[0]; at++)
        if (letter >= capitals[at][0] && letter <= capitals[at][1] && (letter - capitals[at][0]) % capitals[at][2] == 0)
            return letter + capitals[at][3];
    return letter;
}}

/* Go to the next word, two letters or more; 0 where there is none. */
static int next_word(const char **text)
{{
    const char *start = *text;
    for (;;) {{
        const char *at = start;
        const long letter = next_letter(&at);
        if (letter == 0)
            return 0;
        if (in_word(letter)) {{
            const char *second = at;
            if (in_word(next_letter(&second))) {{
                *text = start;
                return 1;
            }}
        }}
        start = at;
    }}
}}

/* Whether a run of words, in lower case with spaces between, begins at a word of a text. */
static int begins(const char *text, const char *run)
{{
    for (;;) {{
        const char *after;
        while (*run != '\\0' && *run != ' ')
            if (small(next_letter(&text)) != next_letter(&run))
                return 0;
        after = text;
        if (in_word(next_letter(&after)))
            return 0;
        if (*run++ == '\\0')
            return 1;
        if (!next_word(&text))
            return 0;
    }}
}}

/* How often each run of words is in a text, or only whether; 0 where capitals have no small letters of their own. */
static int count_words(const char *text, const char *const *runs, int count, int binary, double *counts)
{{
    const char *at = text;
    long letter;
    int run;
    while ((letter = next_letter(&at)) != 0)
        if ({unsure})
            return 0;
    for (run = 0; run < count; run++)
        counts[run] = 0.0;
    for (at = text; next_word(&at);) {{
        for (run = 0; run < count; run++)
            if ((!binary || counts[run] == 0.0) && begins(at, runs[run]))
                counts[run] += 1.0;
        while (in_word(small(next_letter(&at))))
            ;
    }}
    return 1;
}}
"""


def date_names(part: str) -> str:
    """What months or days of the week are called."""
    names = ", ".join(f'"{name}"' for name in DATE_NAMES[part])
    return f"static const char *const {part}_names[] = {{{names}}};"


def word_counts() -> str:
    """Tables of letters, and how words are counted."""
    ranges = _rows(f"{{{first:#x}, {last:#x}}}" for first, last in word_ranges())
    capitals = _rows(f"{{{first:#x}, {last:#x}, {step}, {far}}}" for first, last, step, far in _capitals())
    unsure = " || ".join(f"letter == {ord(letter):#x}" for letter in UNSURE)
    return _WORDS.format(ranges=ranges, capitals=capitals, unsure=unsure)


def _rows(entries: Iterable[str]) -> str:
    cells = list(entries)
    return ",\n".join("    " + ", ".join(cells[at : at + _ROW]) for at in range(0, len(cells), _ROW))


def _capitals() -> Iterator[tuple[int, int, int, int]]:
    """Capitals in ranges in which each, or every other one, is as far from its small letter."""
    found: list[tuple[int, int, int, int]] = []
    for capital, small in small_letters().items():
        far = small - capital
        if found:
            first, last, step, shared = found[-1]
            apart = capital - last
            if shared == far and apart in (1, 2) and (first == last or apart == step):
                found[-1] = (first, capital, apart, far)
                continue
        found.append((capital, capital, 1, far))
    yield from found
