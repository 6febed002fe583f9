"""Letters as ``regcli.data.words`` sees them, for languages without such tables: which make words, which are small.

Two capitals have no small letter that can be told from the letter alone: a sigma is written in another way at the end
of a word, and a capital I with a dot becomes two characters.
"""

import sys
from collections import defaultdict
from collections.abc import Mapping
from functools import cache

__all__ = ["UNSURE", "capitals_of", "small_letters", "word_ranges"]

#: Capitals whose small letter depends on what is around them, or is more than one character.
UNSURE = "\u0130\u03a3"

Range = tuple[int, int]


@cache
def word_ranges() -> tuple[Range, ...]:
    """Code points that make words, as first and last of every range: letters, digits and the underscore."""
    out: list[Range] = []
    for code in range(sys.maxunicode + 1):
        letter = chr(code)
        if letter.isalnum() or letter == "_":
            if out and out[-1][1] == code - 1:
                out[-1] = (out[-1][0], code)
            else:
                out.append((code, code))
    return tuple(out)


@cache
def small_letters() -> Mapping[int, int]:
    """Small letters by capital, as code points, in order; without those that are ``UNSURE``."""
    pairs = ((code, chr(code).lower()) for code in range(sys.maxunicode + 1) if chr(code) not in UNSURE)
    return {code: ord(small) for code, small in pairs if ord(small[0]) != code}


@cache
def _capitals() -> Mapping[str, str]:
    out: dict[str, str] = defaultdict(str)
    for capital, small in small_letters().items():
        out[chr(small)] += chr(capital)
    return out


def capitals_of(letter: str) -> str:
    """The capitals of a small letter, none or several."""
    return _capitals().get(letter, "")
