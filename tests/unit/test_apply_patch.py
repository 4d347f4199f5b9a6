import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from wheelfleet_agent.adapters.apply_patch import apply_patch, find_gnu_patch
from wheelfleet_agent.core.prepare import Patch, Preparation, prepare_source
from wheelfleet_shared.errors import InfrastructureError, SourceError

CHANGE = b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "x").write_bytes(b"a\n")
    return folder


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def after(root: Path, text: bytes) -> dict[str, bytes]:
    apply_patch(root, Patch("1.patch", text))
    return contents(root)


def refused(root: Path, text: bytes) -> str:
    with pytest.raises(SourceError) as caught:
        apply_patch(root, Patch("1.patch", text))
    return caught.value.what


@pytest.mark.parametrize(
    ("text", "files"),
    [
        (CHANGE, {"x": b"b\n"}),
        (b"", {"x": b"a\n"}),
        (CHANGE.replace(b"\n", b"\r\n"), {"x": b"b\n"}),
        (b"--- /dev/null\n+++ b/d/new\n@@ -0,0 +1 @@\n+n\n", {"d/new": b"n\n", "x": b"a\n"}),
        (b"--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", {}),
        (b"diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n", {"y": b"a\n"}),
        (b"diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", {"x": b"a\n"}),
        (b'--- /dev/null\n+++ "b/\\303\\251 e"\n@@ -0,0 +1 @@\n+n\n', {"x": b"a\n", "é e": b"n\n"}),
        (b"From: me\n\nWhy.\n---\n x | 2 +-\n\n" + CHANGE + b"-- \n2.40\n", {"x": b"b\n"}),
    ],
)
def test_patches_are_applied(root: Path, text: bytes, files: dict[str, bytes]):
    assert after(root, text) == files
    assert sorted(path.name for path in root.parent.iterdir()) == ["source"]


def test_lines_that_end_as_on_windows_are_patched_as_such(root: Path):
    (root / "x").write_bytes(b"1\r\na\r\n")
    text = b"--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n 1\r\n-a\r\n+b\r\n"
    assert after(root, text) == {"x": b"1\r\nb\r\n"}


def test_lines_that_moved_are_found(root: Path):
    (root / "x").write_bytes(b"new\nnew\n1\n2\na\n3\n")
    text = b"--- a/x\n+++ b/x\n@@ -1,4 +1,4 @@\n 1\n 2\n-a\n+b\n 3\n"
    assert after(root, text) == {"x": b"new\nnew\n1\n2\nb\n3\n"}


def test_a_hunk_that_does_not_fit_is_named(root: Path):
    (root / "x").write_bytes(b"".join(b"%d\n" % number for number in range(30)))
    first, second = b"@@ -1 +1 @@\n-0\n+zero\n", b"@@ -20 +20 @@\n-other\n+word\n"
    found = refused(root, b"--- a/x\n+++ b/x\n" + first + second)
    assert found == "patch 1.patch does not apply: x: hunk #2 failed at line 20 (line 6 of the patch)"
    assert [path.name for path in root.iterdir()] == ["x"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (CHANGE.replace(b"-a", b"-c").replace(b"+b", b"+a"), "x: the source has this change already"),
        (CHANGE.replace(b"/x", b"/none"), "a/none is not in the source (line 3 of the patch)"),
        (CHANGE.replace(b"\n", b"\r\n").replace(b"-a", b"-q"), "x: hunk #1 failed at line 1 (line 3 of the patch)"),
        (b"--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-a\n+b\n", "it is cut short or broken at its line 5"),
        (b"--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+n\n", "it would create x, which is there already"),
    ],
)
def test_what_does_not_apply_is_explained(root: Path, text: bytes, why: str):
    assert refused(root, text) == f"patch 1.patch does not apply: {why}"
    assert contents(root) == {"x": b"a\n"}


@pytest.mark.parametrize("name", ["../../out", "a/../../out", "/tmp/out", "a/d/../../../out"])
@pytest.mark.parametrize("quoted", [False, True])
def test_nothing_outside_the_source_is_touched(root: Path, name: str, quoted: bool):
    shown = f'"{name}"' if quoted else name
    found = refused(root, f"--- /dev/null\n+++ {shown}\n@@ -0,0 +1 @@\n+x\n".encode())
    assert "outside the source" in found
    assert not (root.parent / "out").exists()


def test_links_are_neither_made_nor_followed_out_of_the_source(root: Path):
    made = b"diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n"
    assert "symbolic link" in refused(root, made)
    (root / "out").symlink_to(root.parent)
    assert "leads out of the source" in refused(root, b"--- /dev/null\n+++ b/out/y\n@@ -0,0 +1 @@\n+x\n")
    (root / "inside").symlink_to("x")
    assert "refusing to patch" in refused(root, CHANGE.replace(b"/x", b"/inside"))
    assert [path.name for path in root.parent.iterdir()] == ["source"]


def test_no_script_of_commands_is_run(root: Path):
    refused(root, b"--- a/x\n+++ b/x\n1c\n!touch pwned\n.\n")
    assert contents(root) == {"x": b"a\n"}


def test_a_patch_that_git_made_is_applied(root: Path):
    git = ["git", "-c", "user.name=n", "-c", "user.email=e"]
    for argv in (["init", "-q"], ["add", "x"], ["commit", "-qm", "m"]):
        subprocess.run([*git, *argv], cwd=root, check=True)
    (root / "x").write_bytes(b"a\nmore")
    (root / "run").write_bytes(b"#!/bin/sh\n")
    (root / "run").chmod(0o755)
    subprocess.run([*git, "add", "-A"], cwd=root, check=True)
    text = subprocess.run([*git, "diff", "--cached"], cwd=root, check=True, capture_output=True).stdout
    subprocess.run([*git, "reset", "-q", "--hard"], cwd=root, check=True)
    shutil.rmtree(root / ".git")
    assert after(root, text) == {"run": b"#!/bin/sh\n", "x": b"a\nmore"}
    assert (root / "run").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("program", [None, "#!/bin/sh\necho BusyBox\n"])
def test_an_agent_without_gnu_patch_says_so(program: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if program:
        (tmp_path / "patch").write_text(program)
        (tmp_path / "patch").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InfrastructureError, match="no GNU patch"):
        find_gnu_patch()


def test_patches_reach_the_patched_sdist(root: Path, tmp_path: Path):
    (root / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: a\nVersion: 1.0\n")
    root.rename(tmp_path / "a-1.0")
    archive = shutil.make_archive(str(tmp_path / "a-1.0"), "gztar", tmp_path, "a-1.0")
    (tmp_path / "work").mkdir()
    patches = [Patch("1.patch", CHANGE), Patch("2.patch", CHANGE.replace(b"-a\n+b", b"-b\n+c"))]
    done = prepare_source(
        Path(archive), canonicalize_name("a"), Version("1.0"), patches, Preparation(), tmp_path / "work", apply_patch
    )
    assert done.touched == ("x",)
    with tarfile.open(done.sdist) as sdist:
        patched = sdist.extractfile("a-1.0/x")
        assert patched is not None
        assert patched.read() == b"c\n"
