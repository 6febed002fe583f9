"""Files appear whole or not at all."""

import errno
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

import pytest

from regcli.data.write import atomic_writer, check_destination, write_atomically
from regcli.errors import OutputError


@pytest.fixture
def umask() -> Iterator[None]:
    old = os.umask(0o027)
    yield
    os.umask(old)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def test_a_new_file_gets_the_mode_of_the_umask(tmp_path: Path, umask: None) -> None:
    del umask
    path = tmp_path / "out.json"
    write_atomically(str(path), b"x")
    assert path.read_bytes() == b"x"
    assert mode(path) == 0o640
    assert names(tmp_path) == ["out.json"]


def test_an_old_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_bytes(b"old and longer")
    path.chmod(0o604)
    write_atomically(str(path), b"new")
    assert path.read_bytes() == b"new"
    assert mode(path) == 0o604


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit, FileNotFoundError])
def test_an_exception_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "out.json"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with atomic_writer(str(path)) as stream:
            stream.write(b"new" * 100_000)
            raise error

    with pytest.raises(error):
        interrupted()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["out.json"]


def test_nothing_appears_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    with atomic_writer(str(path)) as stream:
        stream.write(b"x")
        stream.flush()
        assert not path.exists()
    assert path.exists()


def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    target, link = folder / "real.json", tmp_path / "link.json"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_atomically(str(link), b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    dangling = tmp_path / "dangling"
    dangling.symlink_to(folder / "later")
    write_atomically(str(dangling), b"x")
    assert (folder / "later").read_bytes() == b"x"


def test_pipes_and_devices_are_written_directly(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()), daemon=True)
    reader.start()
    write_atomically(str(path), b"through")
    reader.join()
    assert got == [b"through"]
    assert stat.S_ISFIFO(path.stat().st_mode)
    write_atomically(os.devnull, b"gone")
    assert not stat.S_ISREG(Path(os.devnull).stat().st_mode)


def test_a_descriptor_of_a_file_is_written_directly(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("wb") as stream:
        stream.write(b"begun ")
        stream.flush()
        inode = path.stat().st_ino
        write_atomically(f"/dev/fd/{stream.fileno()}", b"ended")
    assert path.read_bytes() == b"begun ended"
    assert path.stat().st_ino == inode


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught:
        write_atomically(str(tmp_path), b"x")
    assert caught.value.code == "output-exists"
    missing = tmp_path / "no such" / "out.json"
    with pytest.raises(OutputError) as caught:
        write_atomically(str(missing), b"x")
    assert caught.value.code == "output-failed"
    assert caught.value.where.file == str(missing)
    assert "no folder" in caught.value.message
    assert caught.value.hint == f"mkdir -p {quote(str(missing.parent))}"
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError) as caught:
        write_atomically(str(tmp_path / "file" / "out.json"), b"x")
    assert caught.value.code == "output-failed"


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputError) as caught:
        write_atomically("/dev/full", b"x")
    assert caught.value.code == "output-failed"
    path = tmp_path / "out.json"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError) as caught:
        write_atomically(str(path), b"new")
    assert str(path) in caught.value.message
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["out.json"]


def test_a_folder_without_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path, *_: object) -> int:  # root, who may run the tests, is refused nothing
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "open", forbidden)
    with pytest.raises(OutputError) as caught:
        write_atomically(str(tmp_path / "x"), b"x")
    assert caught.value.code == "output-failed"
    assert "Permission denied" in caught.value.message


def test_a_destination_is_refused_beforehand_in_the_words_of_the_writer(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")
    for bad in (tmp_path, tmp_path / "none" / "x.json", tmp_path / "file" / "x.json", tmp_path / "loop"):
        with pytest.raises(OutputError) as before:
            check_destination(str(bad))
        with pytest.raises(OutputError) as after:
            write_atomically(str(bad), b"x")
        assert (before.value.code, before.value.message) == (after.value.code, after.value.message)
    assert sorted(names(tmp_path)) == ["file", "loop"]


@pytest.mark.parametrize("path", ["/dev/full", "/dev/stdout", "/dev/null"])
def test_a_device_is_a_destination(path: str) -> None:
    check_destination(path)


def test_checking_a_destination_creates_nothing(tmp_path: Path) -> None:
    check_destination(str(tmp_path / "out.json"))
    (tmp_path / "old.json").write_bytes(b"old")
    check_destination(str(tmp_path / "old.json"))
    assert names(tmp_path) == ["old.json"]
    assert (tmp_path / "old.json").read_bytes() == b"old"
