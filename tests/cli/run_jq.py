"""jq, as its own library runs it: ``jq [-r] PROGRAM [FILE]``, for machines that do not have the program."""

import json
import sys
from pathlib import Path

import jq

__all__ = ["main"]


def main(words: list[str]) -> None:
    """Print what a program makes of a document, texts without quotes with ``-r``."""
    raw = words[0] == "-r"
    program, *files = words[1:] if raw else words
    given = Path(files[0]).read_text("utf-8") if files else sys.stdin.read()
    for value in jq.compile(program).input_text(given):
        text = value if raw and isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
