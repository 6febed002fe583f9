# ruff: noqa: INP001  (a script beside its pages, not a package)
"""Write the manual pages of this folder from the option declarations.

Run from the root of the repository::

    python man/generate.py            # write them
    python man/generate.py --check    # exit 1 if one of them is not what the declarations say
"""

import sys
from pathlib import Path

from regcli.cli.manual import pages, roff

__all__ = ["main"]

_FOLDER = Path(__file__).resolve().parent


def main(words: list[str]) -> int:
    """Write the pages, or with ``--check`` compare them. Returns the exit status."""
    wanted = {_FOLDER / f"{page.name}.1": roff(page) for page in pages()}
    if words == ["--check"]:
        stale = [path.name for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
        stale += [path.name for path in _FOLDER.glob("*.1") if path not in wanted]
        if stale:
            sys.stderr.write(f"not up to date: {', '.join(sorted(stale))}; run python man/generate.py\n")
        return 1 if stale else 0
    if words:
        sys.stderr.write("usage: python man/generate.py [--check]\n")
        return 2
    for path, text in wanted.items():
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
