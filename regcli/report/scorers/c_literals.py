"""Literals of C99, of any text."""

__all__ = ["is_long", "letters", "literal", "word_literal"]

#: Compilers need not take longer string literals (C99, 5.2.4.1: 4,095 letters).
_LONGEST_LITERAL = 4_000


def is_long(word: str) -> bool:
    """Whether a text is too long for a literal."""
    return len(word.encode()) > _LONGEST_LITERAL


def word_literal(word: str, name: str) -> str:
    """A text as a literal, or by the name of its letters if it is long."""
    return name if is_long(word) else literal(word)


def literal(text: str) -> str:
    """A string literal: ASCII letters and digits as they are, all else octal, which is three digits and no more."""
    return '"' + "".join(_byte(byte, '"') for byte in text.encode()) + '"'


def letters(text: str) -> str:
    """The same as a list of letters."""
    return "{" + ", ".join(f"'{_byte(byte, chr(39))}'" for byte in text.encode()) + ", 0}"


def _byte(byte: int, quote: str) -> str:
    letter = chr(byte)
    plain = 0x20 <= byte < 0x7F and letter not in {"\\", "?", quote}
    return letter if plain else f"\\{byte:03o}"
