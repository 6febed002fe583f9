"""Manual pages are what the declarations say, and well formed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from regcli.app.options import Common
from regcli.cli.manual import Page, find_page, pages, plain, roff
from regcli.cli.options import declared, groups
from regcli.cli.texts import COMMANDS, EXIT_STATUS
from regcli.errors import UsageError
from tests.cli.conftest import ROOT, environment, tool_or_loudly_none

FOLDER = ROOT / "man"
PAGES = list(pages())
SECTIONS = {
    "SYNOPSIS",
    "DESCRIPTION",
    "OPTIONS",
    "EXIT STATUS",
    "ENVIRONMENT",
    "FILES",
    "EXAMPLES",
    "SEE ALSO",
}


def each_page() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])


@each_page()
def test_the_pages_in_the_repository_are_up_to_date(page: Page) -> None:
    assert (FOLDER / f"{page.name}.1").read_bytes() == roff(page).encode()


def test_there_are_no_other_pages() -> None:
    assert {path.stem for path in FOLDER.glob("*.1")} == {page.name for page in PAGES}


def test_check_says_whether_they_are() -> None:
    command = [sys.executable, str(FOLDER / "generate.py"), "--check"]
    assert subprocess.run(command, env=environment(), timeout=60, check=False).returncode == 0


@each_page()
def test_a_page_has_its_sections(page: Page) -> None:
    lines = roff(page).splitlines()
    assert lines[1].startswith(f".TH {page.name.upper()} 1 ")
    titles = [line.removeprefix(".SH ") for line in lines if line.startswith(".SH ")]
    assert titles[0] == "NAME"
    assert set(titles) >= SECTIONS
    requests = {line.split()[0] for line in lines if line.startswith((".", "'"))}
    assert requests <= {'.\\"', ".TH", ".SH", ".SS", ".PP", ".TP", ".nf", ".fi"}
    assert not any(line != line.strip() for line in lines if not line.startswith("  "))


@each_page()
def test_a_page_is_plain_roff(page: Page) -> None:
    text = roff(page)
    assert text.isascii()
    assert text.count(".nf") == text.count(".fi")


def lint(mandoc: str, *paths: Path) -> str:
    """What mandoc says of pages, matters of style too."""
    command = [mandoc, "-Tlint", "-W", "all", *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def test_mandoc_has_nothing_to_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mandoc = tool_or_loudly_none("mandoc", "the manual pages were NOT checked with it", capsys)
    if mandoc is None:
        return
    assert lint(mandoc, *(FOLDER / f"{page.name}.1" for page in PAGES)) == ""
    bad = tmp_path / "bad.1"
    bad.write_text(roff(PAGES[0]).replace(".SH NAME", ".SH NAME\n.XX"), "utf-8")
    assert "XX" in lint(mandoc, bad)


def test_mandoc_is_got_without_root_or_its_absence_told(tmp_path: Path) -> None:
    script = [shutil.which("bash") or "bash", str(ROOT / ".ci" / "get-mandoc"), str(tmp_path / "mandoc")]
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("dirname", "mkdir", "tail"):
        (tools / name).symlink_to(str(shutil.which(name)))
    env = {**environment(), "PATH": str(tools)}  # neither mandoc nor apt-get
    done = subprocess.run(script, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")
    assert "NOT CHECKED WITH MANDOC" in done.stderr
    (tools / "mandoc").symlink_to("/bin/true")
    done = subprocess.run(script, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == (f"{tools}\n", "")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_described(name: str) -> None:
    text = plain(find_page(name))
    for group in (*(part.kind for part in groups(COMMANDS[name].request)), Common):
        for choice in declared(group):
            for flag in choice.flag.names:
                assert re.search(rf"^ {{4}}.*{re.escape(flag)}\b", text, re.MULTILINE)
    for status in EXIT_STATUS:
        assert f"\n    {status}\n" in text


def test_plain_text_stays_in_its_columns() -> None:
    for page in PAGES:
        assert all(len(line) <= 80 for line in plain(page).splitlines() if "|" not in line), page.name


def test_an_unknown_page_is_told_its_neighbours() -> None:
    assert find_page(None).name == find_page("regcli").name == "regcli"
    assert find_page("regcli-cv") == find_page("cv")
    with pytest.raises(UsageError) as caught:
        find_page("pth")
    assert (caught.value.code, caught.value.near) == ("unknown-page", ("path",))
