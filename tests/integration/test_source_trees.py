"""Trees in git, on disk and behind a server, and folders, packed by the coordinator."""

import asyncio
import tarfile
from pathlib import Path

import pytest

from git_server import WHEN, git, git_server, repository
from wheelfleet_coordinator.adapters.source_trees import SourceTrees
from wheelfleet_shared.errors import InfrastructureError, SourceError

FILES = {"pyproject.toml": "[project]\n", "src/a.py": "x = 1\n"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def trees(home: Path) -> SourceTrees:
    return SourceTrees({"PATH": "/usr/bin:/bin", "HOME": str(home)}, files=True)


def packed(trees: SourceTrees, url: str, to: Path) -> dict[str, tarfile.TarInfo]:
    """The members of the archive."""

    async def work() -> None:
        pin = await trees.pin(url, "a-1.0.tar.gz")
        made = await trees.pack(pin.url, "a-1.0.tar.gz", to)
        assert made is not None
        assert not pin.sha256 or pin.sha256 == made.sha256

    asyncio.run(work())
    with tarfile.open(to) as archive:
        return {member.name: member for member in archive.getmembers()}


def add_submodule(folder: Path, path: str, url: str, commit: str) -> None:
    """Committed as anybody can write it, whether or not such a thing could be cloned."""
    with (folder / ".gitmodules").open("a") as listed:
        listed.write(f'[submodule "{path}"]\n\tpath = {path}\n\turl = "{url}"\n')
    git(folder, "add", ".gitmodules")
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")
    git(folder, "commit", "-q", "-m", path)


def refusal(trees: SourceTrees, url: str, to: Path) -> str:
    with pytest.raises(SourceError) as caught:
        packed(trees, url, to)
    return str(caught.value)


def test_a_tag_becomes_a_commit_and_its_tree_an_archive_of_the_same_bytes(tmp_path: Path, trees: SourceTrees):
    commit = repository(tmp_path / "a", FILES, "v1.0")
    repository(tmp_path / "a", {"src/a.py": "x = 2\n"})
    url = f"git+{(tmp_path / 'a').as_uri()}@v1.0"
    pin = asyncio.run(trees.pin(url, "a-1.0.tar.gz"))
    assert pin.url == f"git+{(tmp_path / 'a').as_uri()}@{commit}?ref=v1.0"
    members = packed(trees, url, tmp_path / "one")
    assert sorted(members) == ["a-1.0", "a-1.0/pyproject.toml", "a-1.0/src", "a-1.0/src/a.py"]
    assert {member.mtime for member in members.values()} == {WHEN}
    with tarfile.open(tmp_path / "one") as archive:
        assert archive.extractfile("a-1.0/src/a.py").read() == b"x = 1\n"
    packed(trees, url, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_branches_the_default_one_and_older_commits_are_found(tmp_path: Path, trees: SourceTrees):
    older = repository(tmp_path / "a", FILES)
    git(tmp_path / "a", "branch", "release/1")
    newer = repository(tmp_path / "a", {"src/a.py": "x = 2\n"})
    at = f"git+{(tmp_path / 'a').as_uri()}"
    assert asyncio.run(trees.pin(at, "a.tar.gz")).url == f"{at}@{newer}"
    assert asyncio.run(trees.pin(f"{at}@release/1", "a.tar.gz")).url == f"{at}@{older}?ref=release%2F1"
    assert packed(trees, f"{at}@{older}", tmp_path / "one")


def test_a_server_is_asked_with_the_credentials_of_the_netrc_alone(tmp_path: Path, home: Path, trees: SourceTrees):
    repository(tmp_path / "served" / "a", FILES, "v1")
    with git_server(tmp_path / "served", "secret") as url:
        source = f"git+{url}/a/.git@v1"
        told = refusal(trees, source, tmp_path / "one")
        assert "netrc" in told
        (home / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
        assert "a-1.0/src/a.py" in packed(trees, source, tmp_path / "one")
        (home / ".netrc").write_text("machine 127.0.0.1 login me password wrong-one\n")
        assert "wrong-one" not in refusal(trees, source, tmp_path / "two")


def test_submodules_come_where_they_are_wanted(tmp_path: Path, trees: SourceTrees):
    served = tmp_path / "served"
    repository(served / "a", FILES)
    for name in ("inner", "other"):
        add_submodule(served / "a", f"third/{name}", f"../../{name}/.git", repository(served / name, {"here.c": ""}))
    git(served / "a", "tag", "v1")
    with git_server(served) as url:
        source = f"git+{url}/a/.git@v1"
        assert "a-1.0/third/inner/here.c" not in packed(trees, source, tmp_path / "none")
        one = packed(trees, f"{source}?submodule=third%2Finner", tmp_path / "one")
        assert "a-1.0/third/inner/here.c" in one
        assert "a-1.0/third/other/here.c" not in one
        every = packed(trees, f"{source}?submodules=all", tmp_path / "all")
        assert "a-1.0/third/other/here.c" in every
        assert not [name for name in every if name.endswith(".git")]


@pytest.mark.parametrize("hostile", ["ext::sh -c 'touch {0}/owned'", "file://{0}/private", "ssh://h.test/a"])
def test_submodules_lead_to_no_other_protocol(tmp_path: Path, trees: SourceTrees, hostile: str):
    repository(tmp_path / "private", {"secret": "s"})
    inner = repository(tmp_path / "served" / "a", FILES)
    add_submodule(tmp_path / "served" / "a", "x", hostile.format(tmp_path), inner)
    with git_server(tmp_path / "served") as url:
        told = refusal(trees, f"git+{url}/a/.git?submodules=all", tmp_path / "one")
    assert not (tmp_path / "owned").exists()
    assert not (tmp_path / "one").exists()
    assert told


def test_what_is_not_there_is_the_sources_fault_and_a_server_that_is_away_is_not(tmp_path: Path, trees: SourceTrees):
    repository(tmp_path / "a", FILES)
    assert "no tag or branch v9" in refusal(trees, f"git+{(tmp_path / 'a').as_uri()}@v9", tmp_path / "one")
    assert "is not there" in refusal(trees, f"git+{(tmp_path / 'b').as_uri()}", tmp_path / "one")
    with git_server(tmp_path) as url:
        assert "correct the URL" in refusal(trees, f"git+{url}/b", tmp_path / "one")
    with pytest.raises(InfrastructureError):
        packed(trees, f"git+{url}/a", tmp_path / "one")


def test_a_folder_is_packed_by_what_it_holds_not_by_when(tmp_path: Path, trees: SourceTrees):
    for name in ("a", "b"):
        repository(tmp_path / name, FILES)
        (tmp_path / name / "__pycache__").mkdir()
    (tmp_path / "b" / "src" / "a.py").touch()
    members = packed(trees, (tmp_path / "a").as_uri(), tmp_path / "one")
    packed(trees, (tmp_path / "b").as_uri(), tmp_path / "two")
    assert sorted(members) == ["a-1.0", "a-1.0/pyproject.toml", "a-1.0/src", "a-1.0/src/a.py"]
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_an_archive_on_disk_is_promised_by_its_digest_and_packed_by_nobody(tmp_path: Path, trees: SourceTrees):
    (tmp_path / "a.zip").write_bytes(b"zip")
    url = (tmp_path / "a.zip").as_uri()
    assert len(asyncio.run(trees.pin(url, "a-1.0.zip")).sha256) == 64
    assert asyncio.run(trees.pack(url, "a-1.0.zip", tmp_path / "to")) is None


def test_a_coordinator_of_a_fleet_reads_no_files_of_its_own(tmp_path: Path, home: Path):
    fleet = SourceTrees({"PATH": "/usr/bin:/bin", "HOME": str(home)})
    repository(tmp_path / "a", FILES)
    for url in (f"git+{(tmp_path / 'a').as_uri()}", (tmp_path / "a").as_uri()):
        assert "local_files" in refusal(fleet, url, tmp_path / "one")
