"""Names are data: characters that would move a cursor, hide or reorder text are shown, never sent."""

import re

from regcli.report.runner import COMMAND

__all__ = ["NOT_XML", "UNSAFE", "visible", "visible_xml"]

#: Control characters (C0, DEL, C1), line and paragraph separators, characters that reorder text (bidi marks,
#: embeddings, overrides, isolates), characters without width that make two names look alike, and lone surrogates
#: (bytes of a file name that are not UTF-8). The joiners U+200C and U+200D stay: words and emoji are spelt with them.
UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)

#: Characters that XML 1.0 has no form for. A return would be read as another line end. Compiled where it is asked for.
NOT_XML = r"[\x00-\x08\x0b-\x1f\ufffe\uffff]"


def visible(text: str) -> str:
    r"""Replace characters that a terminal would act on by their escapes, ``\x1b`` or ``\u202e``.

    So is the first character of what the runner of GitHub Actions would take for a command. Everything else is left as
    it is, so that ordinary names, in any script, come out unchanged.
    """
    return COMMAND.sub(_escape, UNSAFE.sub(_escape, text))


def visible_xml(text: str) -> str:
    """The same, and what XML cannot hold."""
    return re.sub(NOT_XML, _escape, visible(text))


def _escape(match: re.Match[str]) -> str:
    number = ord(match.group())
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
