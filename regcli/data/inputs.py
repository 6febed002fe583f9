"""What the words of a command line name: files, patterns, directories of Parquet parts."""

import glob
import os
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from regcli.data.dialect import Dialect
from regcli.data.source import is_stream
from regcli.errors import DataError, Location, UsageError

__all__ = ["Part", "find_parts", "is_passed_over", "met_twice", "refuse_stdin_twice"]

#: How writers of partitioned tables spell a value that is missing.
_MISSING = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Part:
    """A file by its path, and what the folders ``key=value`` on the way to it say; a value that is None is missing."""

    name: str
    keys: tuple[tuple[str, str | None], ...] = ()


def find_parts(words: Sequence[str | Part], dialect: Dialect) -> list[Part]:
    """Resolve inputs to files, in the order given.

    A word that is a file stands for it, whatever characters it has. A directory stands for the Parquet files in it and
    below it, in the order of their paths; what is hidden or begins with ``_`` is passed over. Another word with ``*``,
    ``?`` or ``[`` is a pattern (``**`` for any folders) and stands for what it matches, in the order of the paths.

    Raises
    ------
    UsageError
        ``unsupported-source``; ``usage`` without a word; ``conflicting-options`` where - is given twice.
    DataError
        ``file-not-found``, ``file-unreadable``; ``columns-differ`` where folders do not agree in their keys.
    """
    if not words:
        raise UsageError("usage", "no input table was given", hint="name a file, or - for standard input")
    refuse_stdin_twice(words)
    parts: list[Part] = []
    for word in words:
        if not word:
            hint = "is a variable of the shell not set?"
            raise DataError("file-not-found", "the path of an input table is empty", hint=hint)
        if isinstance(word, Part):
            parts.append(word)
        elif _is_pattern(word):
            matches = sorted(glob.glob(word, recursive=True))  # noqa: PTH207  (paths as the pattern spells them)
            if not matches:
                raise DataError(
                    "file-not-found",
                    f"no file matches {word}",
                    hint="the pattern is relative to the working directory; ** matches any folders",
                    where=Location(file=word),
                )
            parts += [part for name in matches for part in _resolved(name, dialect)]
        else:
            parts += _resolved(word, dialect)
    return parts


def refuse_stdin_twice(sources: Sequence[object]) -> None:
    """Refuse to read standard input for more than one of some files."""
    if list(sources).count("-") > 1:
        raise UsageError(
            "conflicting-options",
            "standard input can be read only once, but - was given twice",
            hint="write one of them to a file first",
        )


def met_twice(marks: Iterable[tuple[str, Hashable]]) -> list[tuple[str, ...]]:
    """Names of inputs that have the same mark, where several have one: their path, or a hash of what they hold."""
    groups: dict[Hashable, list[str]] = {}
    for name, mark in marks:
        groups.setdefault(mark, []).append(name)
    return [tuple(names) for names in groups.values() if len(names) > 1]


def is_passed_over(name: str) -> bool:
    """Whether a file or folder of this name is none of the parts of the folder that it is in."""
    return name.startswith((".", "_"))


def _is_pattern(word: str) -> bool:
    return word != "-" and "://" not in word and "::" not in word and glob.has_magic(word) and not os.path.lexists(word)


def _resolved(name: str, dialect: Dialect) -> list[Part]:
    local = name != "-" and "://" not in name and "::" not in name
    if local and os.path.isdir(name):  # noqa: PTH112  (Path.is_dir raises where it may not look)
        return _directory(name, dialect)
    is_stream(name)  # refuses what is no local file, or is not there
    return [Part(name)]


def _directory(name: str, dialect: Dialect) -> list[Part]:
    """The Parquet files of a directory."""
    parts = [Part(path, _keys(os.path.relpath(path, name))) for path in _files(Path(name), (), dialect)]
    if not parts:
        raise DataError(
            "file-unreadable",
            f"{name} is a directory without Parquet files",
            hint="name the files, or a pattern in quotes such as 'folder/*.csv'",
            where=Location(file=name),
        )
    first = parts[0]
    for part in parts[1:]:
        if [key for key, _ in part.keys] != [key for key, _ in first.keys]:
            raise DataError(
                "columns-differ",
                f"the folders of {part.name} name other columns than those of {first.name}",
                hint=f"read the files without what their folders say: '{name.rstrip('/')}/**/*.parquet'",
                where=Location(file=part.name),
            )
    return parts


def _files(folder: Path, above: tuple[str, ...], dialect: Dialect) -> list[str]:
    """Paths of the files of a folder and those in it, sorted; links are followed, but not in circles."""
    real = os.path.realpath(folder)
    if real in above:
        text = f"{folder} leads back to a folder that it is in"
        raise DataError("file-unreadable", text, where=Location(file=str(folder)), hint="take the link out")
    try:
        entries = [(entry, entry.is_dir()) for entry in sorted(folder.iterdir()) if not is_passed_over(entry.name)]
    except OSError as error:
        text = f"{folder}: {error.strerror}"
        raise DataError(
            "file-unreadable", text, where=Location(file=str(folder)), hint="ls -l shows who may read it"
        ) from error
    found: list[str] = []
    for entry, is_folder in entries:
        if is_folder:
            found += _files(entry, (*above, real), dialect)
        elif dialect.format == "parquet" or entry.suffix.lower() == ".parquet":
            found.append(str(entry))
        else:
            raise DataError(
                "file-unreadable",
                f"{entry} is no Parquet file; of a directory only Parquet files are read",
                hint=f"name the files that belong together by a pattern: '{folder}/*{entry.suffix}'",
                where=Location(file=str(entry)),
            )
    return found


def _keys(path: str) -> tuple[tuple[str, str | None], ...]:
    """What the folders of a path say."""
    pairs = [folder.partition("=") for folder in Path(path).parts[:-1]]
    keys = [(unquote(key), None if value == _MISSING else unquote(value)) for key, mark, value in pairs if mark and key]
    names = [key for key, _ in keys]
    if len(set(names)) < len(names):
        raise DataError(
            "duplicate-column",
            f"two folders on the way to {path} name one column",
            where=Location(file=path, column=next(name for name in names if names.count(name) > 1)),
            hint="read the files without what their folders say: a pattern such as 'folder/**/*.parquet'",
        )
    return tuple(keys)
