"""The steps of one distribution as commands, each a process of its own, on sources of tests/packages."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from local_index import EPOCH, LocalIndex, local_index
from loopback_index import Answer, loopback_server

PROGRAM = (sys.executable, "-m", "wheelfleet_coordinator")
NO_NETWORK = ("unshare", "--net", "--map-root-user")
PATCH = """--- a/leaf.py
+++ b/leaf.py
@@ -0,0 +1 @@
+PATCHED = True
"""
SETTINGS = {
    "settings.yaml": "sbom: {supplier: 'Organization: Us', namespace: 'https://example.com'}\n",
    "settings/leaf.yaml": "changelog: {'1.0': [patched]}\nenv: {GREETING: hello}\n",
}


class Workshop:
    """A folder in which steps are made."""

    def __init__(self, folder: Path, index: LocalIndex, *, shut_in: bool = False) -> None:
        self.shut_in = shut_in
        self.folder = folder
        self.index = index

    def run(self, *arguments: str, before: tuple[str, ...] = (), wrap: tuple[str, ...] = ()):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
        return subprocess.run(
            [*wrap, *PROGRAM, *before, "step", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            env=environment | ({} if self.shut_in else {"WHEELFLEET_SANDBOX": "none"}),
        )

    def printed(self, *arguments: str, **named) -> Path:
        """The path that the step prints, which is all that it prints."""
        done = self.run(*arguments, **named)
        assert done.returncode == 0, done.stderr
        (line,) = done.stdout.splitlines()
        path = Path(line)
        assert path.is_absolute()
        assert path.exists()
        return path.relative_to(self.folder)

    def prepared(self, name: str) -> None:
        self.printed("download-source-archive", name, "1.0", self.index.url)
        self.printed("prepare-source", name, "1.0")

    def all(self, name: str, *options: str) -> Path:
        self.prepared(name)
        done = self.run("prepare-build", name, "1.0", *options)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        return self.printed("build-wheel", name, "1.0")


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """All steps of the backend that the others are built with."""
    with local_index() as index:
        for tree in ("counted-backend", "leaf", "compiled", "asks-hooks", "asked-for", "fails"):
            index.add_tree(tree)
        workshop = Workshop(tmp_path_factory.mktemp("first"), index, shut_in=True)
        workshop.all("counted-backend")
        workshop.printed("build-sdist", "counted-backend", "1.0")
        yield workshop


@pytest.fixture
def workshop(first, tmp_path):
    """A folder with the wheel of the backend, as somebody may have put it there."""
    shutil.copytree(first.folder / "wheels-repo" / "build", tmp_path / "wheels-repo" / "downloads")
    return Workshop(tmp_path, first.index)


def offline():
    probed = subprocess.run([*NO_NETWORK, "true"], capture_output=True, check=False)
    if probed.returncode:
        pytest.skip("this user may not make a network of its own")
    return NO_NETWORK


def test_each_step_prints_what_it_made_in_fromagers_folders(first):
    folder = first.folder
    assert (folder / "sdists-repo/downloads/counted_backend-1.0.tar.gz").is_file()
    assert (folder / "work-dir/counted_backend-1.0/counted_backend-1.0/counted_backend.py").is_file()
    micro = ".".join(map(str, sys.version_info[:3]))
    assert (folder / f"work-dir/counted_backend-1.0/build-{micro}/bin/python").exists()
    assert (folder / "sdists-repo/builds/counted_backend-1.0.tar.gz").is_file()
    assert (folder / "wheels-repo/build/counted_backend-1.0-0-py3-none-any.whl").is_file()
    assert "hook called: build_wheel" in (folder / "work-dir/counted_backend-1.0/build.log").read_text()
    meta = json.loads((folder / "work-dir/counted_backend-1.0/build-meta.json").read_text())
    assert set(meta) == {"req", "source-filename", "version"}


def test_what_is_missing_is_listed_and_a_later_step_finds_it(workshop):
    workshop.prepared("asks-hooks")
    failed = workshop.run("prepare-build", "asks-hooks", "1.0")
    assert (failed.returncode, failed.stdout) == (2, "")
    assert f"build requirements are missing from {workshop.folder}/wheels-repo: asked-for\n" in failed.stderr
    assert "build them first" in failed.stderr
    workshop.all("asked-for")
    assert str(workshop.all("asks-hooks")) == "wheels-repo/build/asks_hooks-1.0-0-py3-none-any.whl"
    folder = workshop.folder / "work-dir/asks_hooks-1.0"
    texts = [(folder / f"build-{kind}-requirements.txt").read_text() for kind in ("system", "backend", "sdist")]
    assert texts == ["counted-backend\n", "asked-for\n", "asked-for\n"]


def test_a_native_wheel_without_any_network(workshop):
    workshop.prepared("compiled")
    assert workshop.run("prepare-build", "compiled", "1.0").returncode == 0
    wheel = workshop.printed("build-wheel", "compiled", "1.0", wrap=offline())
    with zipfile.ZipFile(workshop.folder / wheel) as opened:
        names = opened.namelist()
    assert "compiled-1.0.dist-info/fromager-elf-requires.txt" in names
    assert not wheel.name.endswith("-any.whl")


def test_settings_and_patches_reach_the_steps(workshop):
    for name, text in {**SETTINGS, "patches/leaf-1.0/1-fix.patch": PATCH}.items():
        file = workshop.folder / "overrides" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    wheel = workshop.all("leaf")
    assert wheel.name == "leaf-1.0-1-py3-none-any.whl"
    with zipfile.ZipFile(workshop.folder / wheel) as opened:
        info = "leaf-1.0.dist-info"
        assert b"PATCHED" in opened.read("leaf.py")
        assert b'GREETING = "hello"' in opened.read(f"{info}/fromager-build-settings")
        assert opened.read(f"{info}/fromager-build-system-requirements.txt") == b"counted-backend\n"
        document = json.loads(opened.read(f"{info}/sboms/fromager.spdx.json"))
    assert [item["name"] for item in document["packages"]] == ["leaf", "leaf", "counted-backend"]
    assert all(item["checksums"] for item in document["packages"][1:])


def test_changes_by_hand_are_in_sdist_and_wheel_and_newer_than_the_rest(workshop):
    workshop.prepared("leaf")
    with (workshop.folder / "work-dir/leaf-1.0/leaf-1.0/leaf.py").open("a") as opened:
        opened.write("BY_HAND = True\n")
    assert workshop.run("prepare-build", "leaf", "1.0").returncode == 0
    with tarfile.open(workshop.folder / workshop.printed("build-sdist", "leaf", "1.0")) as sdist:
        times = {member.name: member.mtime for member in sdist if member.isfile()}
    assert times["leaf-1.0/leaf.py"] == EPOCH + 2
    assert times["leaf-1.0/pyproject.toml"] == EPOCH
    with zipfile.ZipFile(workshop.folder / workshop.printed("build-wheel", "leaf", "1.0")) as wheel:
        assert b"BY_HAND" in wheel.read("leaf.py")


def test_wheels_come_from_the_index_that_is_named_and_from_nowhere_else(workshop):
    (wheel,) = (workshop.folder / "wheels-repo/downloads").iterdir()
    workshop.prepared("leaf")
    with loopback_server() as server:
        arguments = ("leaf", "1.0", "--wheel-server-url", f"{server.url}/simple")
        failed = workshop.run("prepare-build", *arguments)
        assert failed.returncode == 2
        assert f"missing from {server.url}/simple: counted-backend" in failed.stderr
        page = f'<a href="/{wheel.name}">{wheel.name}</a>'.encode()
        server.answers["/simple/counted-backend/"] = [Answer(200, page, {"Content-Type": "text/html"})]
        server.answers[f"/{wheel.name}"] = [Answer(200, wheel.read_bytes())]
        wheel.unlink()
        assert workshop.run("prepare-build", *arguments).returncode == 0
        assert workshop.printed("build-wheel", *arguments)


def test_constraints_bind_build_requirements(workshop):
    workshop.prepared("leaf")
    (workshop.folder / "c.txt").write_text("counted-backend>=2\n")
    failed = workshop.run("prepare-build", "leaf", "1.0", before=("-c", "c.txt"))
    assert failed.returncode == 2
    assert "counted-backend" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("download-source-archive", "leaf", "2.0", "URL"), 2, "leaf==2.0 cannot be downloaded"),
        (("prepare-source", "leaf", "1.0"), 2, "there is no sdist of leaf==1.0"),
        (("build-wheel", "leaf", "1.0"), 2, "step prepare-source leaf 1.0` first"),
    ],
)
def test_a_step_out_of_turn_says_which_comes_first(workshop, arguments, status, words):
    done = workshop.run(*(workshop.index.url if word == "URL" else word for word in arguments))
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr


def test_a_failing_backend_is_told_with_its_last_lines(workshop):
    workshop.prepared("fails")
    done = workshop.run("prepare-build", "fails", "1.0")
    assert (done.returncode, done.stdout) == (1, "")
    assert "| looking for a compiler" in done.stderr
    assert "prepare-build.log" in done.stderr
