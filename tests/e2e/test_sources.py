"""Sources beside the sdists of an index: git behind a server, archives of other names, folders."""

import io
import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from git_server import git, git_server, repository
from local_cluster import COMMAND, LocalCluster, Said
from local_index import TREES, LocalIndex
from local_runs import digests

LOOPBACK_UP = 'import fcntl, socket, struct;fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh22x", b"lo", 1))'
"""SIOCSIFFLAGS with IFF_UP."""
WANTED = ("asked-for", "extra-leaf", "leaf", "tool")


class Made(NamedTuple):
    """What the sources lie in, and the bootstrap from them."""

    folder: Path
    git_url: str
    commit: str
    said: Said


@pytest.fixture(scope="module")
def made(cluster: LocalCluster, sources: LocalIndex, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("sources")
    shutil.copytree(TREES / "leaf", folder / "git" / "leaf")
    commit = repository(folder / "git" / "leaf", {"CALLS": ""}, "v1.0")
    repository(folder / "git" / "leaf", {"pyproject.toml": "no longer"})
    shutil.copytree(TREES / "extra-leaf", folder / "extra-leaf")
    (folder / "extra-leaf" / "CALLS").touch()
    _tar(TREES / "asked-for", folder / "v1.0.tar.bz2")
    sources.add_file("archive/tool-by-another-name.zip", _zipped(TREES / "tool"))
    base = sources.url.removesuffix("/simple")
    with git_server(folder / "git", "secret") as url:
        (cluster.folder / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
        settings = {
            "leaf": f"git+{url}/leaf/.git@v${{version}}",
            "extra-leaf": (folder / "extra-leaf").as_uri(),
            "asked-for": (folder / "v${version}.tar.bz2").as_uri().replace("%24%7B", "${").replace("%7D", "}"),
            "tool": f"{base}/archive/${{canonicalized_name}}-by-another-name.zip",
        }
        (folder / "settings").mkdir()
        for name, source in settings.items():
            text = json.dumps({"download_source": {"url": source}})
            (folder / "settings" / f"{name.replace('-', '_')}.yaml").write_text(text)
        yield Made(folder, url, commit, _bootstrap(cluster, folder, "from-sources", *WANTED))
        (cluster.folder / ".netrc").unlink()


def _bootstrap(cluster: LocalCluster, folder: Path, out: str, *wanted: str) -> Said:
    before = ("--settings-dir", str(folder / "settings"), "bootstrap", "--index-url", cluster.index)
    return cluster.run(*before, "--collection", "sources", "-O", out, *wanted)


def _tar(tree: Path, to: Path) -> None:
    with tarfile.open(to, "w:bz2") as archive:
        archive.add(tree, "any-folder")
        archive.addfile(tarfile.TarInfo("any-folder/CALLS"))


def _zipped(tree: Path) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path in sorted(tree.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, f"tool-main/{path.relative_to(tree)}")
        archive.writestr("tool-main/CALLS", "")
    return stream.getvalue()


def test_what_settings_name_is_built(made: Made, cluster: LocalCluster):
    assert made.said.status == 0, made.said.out + made.said.err
    order = json.loads((cluster.folder / "from-sources" / "work-dir" / "build-order.json").read_text())
    entries = {entry["dist"]: entry for entry in order}
    assert {name: entries[name]["source_url_type"] for name in WANTED} == dict.fromkeys(WANTED, "override")
    assert entries["leaf"]["source_url"] == f"git+{made.git_url}/leaf/.git@{made.commit}?ref=v1.0"
    assert entries["counted-backend"]["source_url_type"] == "sdist"
    names = {path.name for path in (cluster.folder / "from-sources" / "sdists-repo" / "downloads").iterdir()}
    assert {"leaf-1.0.tar.gz", "extra_leaf-1.0.tar.gz", "tool-1.0.zip", "asked_for-1.0.tar.gz"} <= names


def test_the_log_tells_the_commit_and_no_password(made: Made, cluster: LocalCluster):
    said = cluster.run("export")
    assert f'"commit":"{made.commit}"' in said.out
    assert "secret" not in said.out


def test_a_saved_order_builds_the_same_sources_without_settings(made: Made, cluster: LocalCluster):
    git(made.folder / "git" / "leaf", "tag", "-d", "v1.0")
    order = str(cluster.folder / "from-sources" / "work-dir" / "build-order.json")
    said = cluster.run("build-sequence", order, "--force", "--collection", "again", "-O", "again")
    assert said.status == 0, said.out + said.err
    first, again = (
        (cluster.folder / out / "sdists-repo" / "downloads" / "leaf-1.0.tar.gz").read_bytes()
        for out in ("from-sources", "again")
    )
    assert first == again


@pytest.fixture(scope="module")
def exported(made: Made, cluster: LocalCluster) -> Path:
    """The folder that the sources of the first run were written to."""
    assert made.said.status == 0, made.said.out + made.said.err
    said = cluster.run("export-sources", _newest_run(cluster), "exported")
    assert said.status == 0, said.out + said.err
    return cluster.folder / "exported"


def _newest_run(cluster: LocalCluster) -> str:
    found = [row for row in cluster.told("runs")["runs"] if row["index"].startswith("sources")]
    return str(found[0]["run"])


def test_exported_sources_are_an_index_with_digests_times_and_a_manifest(exported: Path):
    assert subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=exported, check=False).returncode == 0
    page = json.loads((exported / "simple" / "leaf" / "index.json").read_text())
    (entry,) = page["files"]
    assert entry["upload-time"] == "2024-01-01T00:00:00.000000Z"
    assert (exported / "simple" / "leaf" / entry["url"]).is_file()
    assert {path.name for path in (exported / "work-dir").iterdir()} == {
        "graph.json",
        "build-order.json",
        "constraints.txt",
    }


@pytest.mark.rule("daily-14")
def test_exported_sources_are_built_without_asking_any_server(
    exported: Path, made: Made, cluster: LocalCluster, sources: LocalIndex
):
    before = len(sources.requests)
    index = (exported / "simple").as_uri()
    arguments = ("bootstrap", "--index-url", index, "--index-only", "--collection", "air", "-O", "air", *WANTED)
    said = cluster.run("--settings-dir", str(made.folder / "settings"), *arguments)
    assert said.status == 0, said.out + said.err
    assert len(sources.requests) == before
    downloads = Path("wheels-repo", "downloads")
    assert digests(cluster.folder / "air" / downloads) == digests(cluster.folder / "from-sources" / downloads)


@pytest.mark.long
@pytest.mark.rule("daily-14")
@pytest.mark.skipif(os.geteuid() != 0, reason="NOT PROVED HERE: only root can make a network namespace")
def test_exported_sources_are_built_where_there_is_no_network(
    exported: Path, made: Made, cluster: LocalCluster, tmp_path: Path
):
    index = (exported / "simple").as_uri()
    bootstrap = [*COMMAND, "bootstrap", "--index-url", index, "-O", "out", *WANTED]
    up, down = [sys.executable, "-c", LOOPBACK_UP], [*COMMAND, "down", "--now"]
    script = f"{shlex.join(up)} && {shlex.join(bootstrap)}; status=$?; {shlex.join(down)}; exit $status"
    alone = LocalCluster(tmp_path, "", cluster.variables)
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", script],
        cwd=tmp_path,
        env=alone._environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    downloads = Path("wheels-repo", "downloads")
    assert digests(tmp_path / "out" / downloads) == digests(cluster.folder / "from-sources" / downloads)


@pytest.mark.long
def test_a_folder_that_changed_is_another_source(made: Made, cluster: LocalCluster):
    (made.folder / "extra-leaf" / "new").write_text("x")
    said = _bootstrap(cluster, made.folder, "changed", "extra-leaf==1.0")
    assert said.status == 1
    assert "another collection" in said.out + said.err


def test_a_tag_that_is_gone_is_told_with_its_requirement(made: Made, cluster: LocalCluster):
    text = json.dumps({"download_source": {"url": f"git+{made.git_url}/leaf/.git@v9"}})
    (made.folder / "settings" / "leaf.yaml").write_text(text)
    said = _bootstrap(cluster, made.folder, "gone", "leaf")
    assert said.status == 1
    assert "no tag or branch v9" in said.out + said.err
