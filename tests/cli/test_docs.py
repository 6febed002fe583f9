"""The documents say what is so: sessions are run again, tables and names are compared with the code."""

import difflib
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from regcli import __version__
from regcli.app.options import Common
from regcli.cli.manual import spelling
from regcli.cli.options import declared, groups
from regcli.cli.texts import COMMANDS, ENVIRONMENT, EXIT_STATUS
from regcli.errors import CODES, WARNING_CODES
from tests.cli.conftest import ROOT, environment
from tests.cli.drawings import Drawing, assert_alike
from tests.cli.sessions import IMAGE, PAGES, Stage, blocks, replay, steps, unwound

README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
OWN = ("ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "sample_data/README.md")
TEXTS = {name: (ROOT / name).read_text("utf-8") for name in PAGES}

#: What runs a file that is not called by its name.
CALLED = {"Makefile": "make -s"}

#: Files of the recipes that are for other programs: test_elsewhere.py runs them as those would.
ELSEWHERE = {"models.cron", "drift.cron", ".github/workflows/model.yml", ".pre-commit-config.yaml"}


# -- sessions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if "```console" in text])
def test_the_sessions_of_a_page_are_what_happens(name: str, tmp_path: Path) -> None:
    stage, count = Stage(tmp_path), 0
    for ran in replay(TEXTS[name], stage):
        count += 1
        assert ran.told == ran.came, "\n".join(
            [ran.command, *difflib.unified_diff(ran.told, ran.came, name, "now", lineterm="")]
        )
    assert count == TEXTS[name].count("\n$ ")
    for told, image in IMAGE.findall(TEXTS[name]):
        assert len(told) > 20, "a picture says in words what it shows"
        stored, now = Drawing(ROOT / "docs" / image), Drawing(stage.folder / Path(image).name)
        assert_alike(stored, now)


def test_a_session_is_taken_apart() -> None:
    assert list(steps("$ one \\\n> two\nout\n\n$ three\n")) == [("one \\\n> two", "out\n\n"), ("three", "")]
    assert unwound("one \\\n> two") == "one \\\ntwo"


@pytest.mark.parametrize("name", PAGES)
def test_every_block_is_run_or_a_file_or_plain(name: str) -> None:
    text = TEXTS[name]
    assert text.count("\n```") == 2 * len(blocks(text))
    for at, block in enumerate(found := blocks(text)):
        later = "".join(other.text for other in found[at:] if other.language == "console")
        if block.file is not None:
            assert block.file in ELSEWHERE or CALLED.get(block.file, block.file) in later, block.file
        elif block.language == "text":
            assert not re.search(r"^\s*(\$ )?(regcli|python[\d.]*|make|git) ", block.text, re.MULTILINE), block.text
        elif block.language == "sh":
            assert name == "README.md", "the two lines that install, which other tests run"
        else:
            assert block.language == "console", block.text


@pytest.mark.parametrize("name", PAGES)
def test_every_line_a_user_types_says_target_and_family(name: str) -> None:
    """But for the first look of the README, which is about guesses, and where a configuration file says it."""
    others = {"README.md": 1, "docs/running.md": 2}
    lines = [part for block in blocks(TEXTS[name]) if block.language == "console" for part, _ in steps(block.text)]
    found = [part for line in lines for part in re.findall(r"regcli (?:fit|cv|path) (?:[^|;&]|\\\n)*", line)]
    bare = [part for part in found if "--formula" not in part and not says(part)]
    assert len(bare) == others.get(name, 0), bare


@pytest.mark.parametrize("name", ["docs/choosing-a-penalty.md", "docs/families.md", "docs/tutorial.md"])
def test_figures_in_sentences_are_in_what_was_printed(name: str) -> None:
    printed = "".join(block.text for block in blocks(TEXTS[name]) if block.language == "console")
    known = [float(figure) for figure in re.findall(r"\d+\.\d+", printed)]
    sentences = re.sub(r"^```.*?^```$|^\|.*?$|`[^`]*`", "", TEXTS[name], flags=re.MULTILINE | re.DOTALL)
    figures = re.findall(r"(?<![\w.])\d+\.\d{2,}(?![\w.]*\d)", sentences)
    assert figures
    for figure in figures:
        room = 0.5 * 10.0 ** -len(figure.partition(".")[2]) + 1e-9
        assert any(abs(value - float(figure)) <= room for value in known), figure


def says(command: str) -> bool:
    return bool(re.search(r" (-y|--target) ", command) and " --family " in command)


def test_no_picture_is_left_over() -> None:
    shown = {image for text in TEXTS.values() for _, image in IMAGE.findall(text)}
    assert shown == {f"images/{path.name}" for path in (ROOT / "docs" / "images").iterdir()}


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "images").iterdir()), ids=lambda path: path.stem)
def test_a_picture_can_be_read_on_a_dark_page(path: Path) -> None:
    """It brings its own white sheet, as large as itself, below all that is drawn."""
    root = Drawing(path).root
    sheet = next(node for node in root.iter("path") if "fill: #ffffff" in node.get("style", ""))
    assert sheet is next(node for node in root.iter("path") if node.get("style"))
    corners = {float(number) for number in re.findall(r"[\d.]+", sheet.get("d", ""))}
    assert corners == {0.0, *map(float, root.get("viewBox", "").split()[2:])}


def test_options_md_is_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    done = subprocess.run(command, env=environment(), timeout=60, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_options_has_every_option_once(name: str) -> None:
    section = re.split(r"^## ", TEXTS["docs/options.md"], flags=re.MULTILINE)
    own = next(part for part in section if part.startswith(f"{name}\n"))
    if name == "cv":
        assert "It takes the options of [fit](#fit)." in own
        return
    rows = MarkdownIt("commonmark").enable("table").parse(own)
    cells = [[child.content for child in token.children or []] for token in rows if token.type == "inline"]
    for part in groups(COMMANDS[name].request):
        for choice in declared(part.kind):
            wanted = spelling(choice).split(", ")
            assert len([cell for cell in cells if [text for text in cell if text and text != ", "] == wanted]) == 1


# -- names and tables ------------------------------------------------------------------------------------------------


#: Options of what export writes.
OF_SCORERS = ("--self-test",)


def flags() -> set[str]:
    kinds: list[type[Any]] = [Common, *(part.kind for text in COMMANDS.values() for part in groups(text.request))]
    named = {name for kind in kinds for choice in declared(kind) for name in choice.flag.names}
    return named | {"--help", "-h", "--version", "-V", "--install-completion", "--show-completion", *OF_SCORERS}


@pytest.mark.parametrize("text", [*TEXTS.values(), CHANGELOG], ids=[*TEXTS, "CHANGELOG.md"])
def test_every_option_named_exists(text: str) -> None:
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", text)) <= flags()


def test_every_command_is_in_the_readme() -> None:
    for name in COMMANDS:
        assert re.search(rf"`regcli {name}\b", README)


def test_every_code_shown_exists() -> None:
    shown = set(re.findall(r"(?:error|warning)\[([a-z-]+)\]", "".join(TEXTS.values())))
    assert shown
    assert shown <= set(CODES) | set(WARNING_CODES)


def test_the_exit_statuses_are_those_of_the_manual() -> None:
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", README, re.MULTILINE)
    assert {int(status): meaning.strip() for status, meaning in rows} == EXIT_STATUS


def test_variables_named_exist() -> None:
    named = re.findall(r"\bREGCLI_[A-Z_]+|\b(?:NO|FORCE)_COLOR", "".join(TEXTS.values()))
    assert set(named) <= set(ENVIRONMENT)


def test_the_changelog_knows_this_version() -> None:
    assert re.search(rf"^## \[{re.escape(__version__)}\]", CHANGELOG, re.MULTILINE)


@pytest.mark.parametrize("name", [*PAGES, *OWN])
def test_links_lead_somewhere(name: str) -> None:
    path = ROOT / name
    text = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)]*))?\)", text):
        if "://" in target:
            continue
        there = path.parent / target if target else path
        assert there.exists(), target
        assert not anchor or anchor in anchors(there.read_text("utf-8")), f"{target}#{anchor}"


def anchors(text: str) -> set[str]:
    """What the headings of a page are called in links."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_page_is_reached_from_the_readme() -> None:
    linked = set(re.findall(r"\]\((docs/[\w-]+\.md)", README))
    assert linked == set(PAGES) - {"README.md"}


# -- the house -------------------------------------------------------------------------------------------------------


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_the_architecture_names_every_module_and_no_other() -> None:
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "regcli").rglob("*.py")}
    named = set(re.findall(r"`(regcli/[\w/]+\.py)`", ARCHITECTURE))
    packages = {f"{folder}/__init__.py" for folder in re.findall(r"`(regcli/(?:[\w/]+)?)/`", ARCHITECTURE)}
    assert named - files == set()
    assert packages - files == set()
    assert files - named - packages - {"regcli/__init__.py"} == set()


def test_other_files_named_exist() -> None:
    for name in (*PAGES, *OWN[:3]):
        text = (ROOT / name).read_text("utf-8")
        for path in re.findall(r"`((?:tests|man|sample_data|docs|\.ci)/[\w./-]*)`", text):
            assert (ROOT / path).exists(), path


def test_the_architecture_quotes_every_contract() -> None:
    for contract in project()["tool"]["importlinter"]["contracts"]:
        assert contract["name"] in ARCHITECTURE


def test_the_package_carries_the_manual_pages_and_nothing_else() -> None:
    shared = project()["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    pages = {path.name for path in (ROOT / "man").glob("*.1")}
    assert shared == {f"man/{page}": f"share/man/man1/{page}" for page in pages}


def test_the_second_line_of_the_readme_is_what_ci_runs() -> None:
    (lines,) = (block.text.splitlines() for block in blocks(README) if block.language == "sh" and "[dev]" in block.text)
    line = next(line for line in lines if "[dev]" in line)
    make, install, test = line.split(" && ")
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert make.startswith("python3.11 -m venv ")
    assert install.endswith(" install -e '.[dev]'")
    assert "install --quiet --disable-pip-version-check -e '.[dev]'" in script
    checks = [part for part in script.splitlines() if part.startswith("check ")]
    assert checks[-1].endswith('/python" -m ' + test.partition(" -m ")[2])
