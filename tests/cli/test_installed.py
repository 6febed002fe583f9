"""The wheel, installed where nothing else is: man(1) finds the pages."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from regcli.cli.manual import pages
from tests.cli.conftest import ROOT, environment, tool_or_loudly_none

NAMES = [page.name for page in pages()]


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it, without what it needs: pages need nothing."""
    place = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    offline = ("-q", "--no-deps", "--no-index")
    build = [*pip, "wheel", *offline, "--no-build-isolation", "-w", str(place), str(ROOT)]
    subprocess.run(build, env=environment(), check=True, timeout=120, capture_output=True)
    (wheel,) = place.glob("regcli-*.whl")
    venv.create(place / "venv", with_pip=False, symlinks=True)
    own = [*pip, "--python", str(place / "venv" / "bin" / "python"), "install", *offline, str(wheel)]
    subprocess.run(own, env=environment(), check=True, timeout=120, capture_output=True)
    return place / "venv"


@pytest.mark.slow
def test_pages_are_installed(prefix: Path) -> None:
    folder = prefix / "share" / "man" / "man1"
    assert {path.name for path in folder.iterdir()} == {f"{name}.1" for name in NAMES}
    for name in NAMES:
        assert (folder / f"{name}.1").read_bytes() == (ROOT / "man" / f"{name}.1").read_bytes()


@pytest.mark.slow
def test_man_finds_the_pages(prefix: Path, capsys: pytest.CaptureFixture[str]) -> None:
    man = tool_or_loudly_none("man", "that it finds the pages was NOT tested", capsys)
    if man is None:
        return
    kept = {name: value for name, value in os.environ.items() if name != "MANPATH"}
    for env in (
        {**kept, "PATH": f"{prefix / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        {**kept, "MANPATH": str(prefix / "share" / "man")},
    ):
        for name in NAMES:
            done = subprocess.run([man, "-w", name], env=env, capture_output=True, text=True, check=False, timeout=60)
            assert Path(done.stdout.strip()).resolve() == (prefix / "share" / "man" / "man1" / f"{name}.1").resolve()
