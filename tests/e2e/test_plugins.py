"""Plugins like those that fromager tests itself with, installed beside the command, on a real cluster."""

import os
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_cluster import ROOT, LocalCluster, Said, local_cluster, sandbox_here
from local_index import LocalIndex, archive, local_index
from local_runs import hook_calls_in
from local_store import Store

SITE = Path(__file__).parent / "plugins" / "site"
PYPROJECT = """
[build-system]
requires = []
build-backend = "{module}.backend"
backend-path = ["."]

[project]
name = "{name}"
version = "1.0"
"""
WRITE = """
import base64
import hashlib
import os
import sys
import zipfile
from pathlib import Path

TEXT = "as published"


def write(folder):
    name, info = "{name}-1.0-py3-none-any.whl", "{name}-1.0.dist-info"
    members = {{
        "{name}.py": f"TEXT = {{TEXT!r}}\\nVARIABLE = {{os.environ.get('FROM_PLUGIN')!r}}\\n",
        f"{{info}}/METADATA": "Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n",
        f"{{info}}/WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }}
    record = "".join(f"{{member}},sha256={{digest(text)}},{{len(text)}}\\n" for member, text in members.items())
    record += f"{{info}}/RECORD,,\\n"
    with zipfile.ZipFile(Path(folder, name), "w") as wheel:
        for member, text in {{**members, f"{{info}}/RECORD": record}}.items():
            wheel.writestr(zipfile.ZipInfo(member, (1980, 1, 1, 0, 0, 0)), text)
    return name


def digest(text):
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    write(sys.argv[sys.argv.index("--outdir") + 1])
"""
NO_BACKEND = "def build_wheel(*arguments): raise RuntimeError('only an override can build this')\n"
BACKEND = """
import io
import tarfile
from pathlib import Path

from .wheel import write


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return write(wheel_directory)


def build_sdist(sdist_directory, config_settings=None):
    print("hook called: PEP 517 build_sdist")
    name = "standard-1.0.tar.gz"
    with tarfile.open(Path(sdist_directory, name), "w:gz") as sdist:
        data = b"Metadata-Version: 2.1\\nName: standard\\nVersion: 1.0\\n"
        member = tarfile.TarInfo("standard-1.0/PKG-INFO")
        member.size = len(data)
        sdist.addfile(member, io.BytesIO(data))
    return name
"""
PATCH = """--- a/selfmade/wheel.py
+++ b/selfmade/wheel.py
@@ -8 +8 @@
-TEXT = "as published"
+TEXT = "as patched"
"""
SETTINGS = {
    "settings.yaml": "changelog:\n  cpu: [first]\nwheels:\n  build_tag_hook: company_plugins.hooks:segments\n",
    "settings/foreign.yaml": "variants:\n  cpu:\n    pre_built: true\n    wheel_server_url: {wheels}\n",
    "settings/spoiled.yaml": "annotations:\n  spoil: 'yes'\n",
    "patches/selfmade-1.0/1.patch": PATCH,
    "plugins/elsewhere.py": "def get_resolver_provider(ctx): ...\n",
    "plugins/raising.py": "def update_extra_environ(extra_environ):\n    raise ValueError('not today')\n",
}


def source(name: str, backend: str) -> tuple[str, bytes]:
    members = {
        "pyproject.toml": PYPROJECT.format(name=name, module=name),
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{name}/__init__.py": "",
        f"{name}/wheel.py": WRITE.format(name=name),
        f"{name}/backend.py": "def get_requires_for_build_wheel(config_settings=None): return []\n" + backend,
    }
    return f"{name}-1.0.tar.gz", archive({f"{name}-1.0/{path}": text.encode() for path, text in members.items()})


def foreign_wheel(folder: Path) -> tuple[str, bytes]:
    scope: dict[str, object] = {"__name__": "made"}
    exec(WRITE.format(name="foreign"), scope)
    name = scope["write"](folder)  # type: ignore[operator]
    return name, (folder / name).read_bytes()


@pytest.fixture(scope="module")
def index() -> Iterator[LocalIndex]:
    with local_index() as made:
        made.add(*source("selfmade", NO_BACKEND))
        for name in ("standard", "spoiled", "elsewhere", "raising"):
            made.add(*source(name, BACKEND))
        yield made


@pytest.fixture(scope="module")
def plugged(index: LocalIndex, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A user with plugins installed, and settings, patches and a folder of plugins."""
    folder = tmp_path_factory.mktemp("user")
    with local_index() as wheels:
        wheels.add(*foreign_wheel(folder))
        for path, text in SETTINGS.items():
            file = folder / "overrides" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text.replace("{wheels}", wheels.url))
        path = os.pathsep.join([str(SITE), *(str(ROOT / part) for part in ("coordinator", "agent", "shared"))])
        variables = {"WHEELFLEET_SANDBOX": sandbox_here(), "PYTHONPATH": path}
        with local_cluster(folder, index.url, **variables) as made:
            yield made


@pytest.fixture(scope="module")
def said(plugged: LocalCluster) -> Said:
    """One run of all of them."""
    wanted = ("selfmade", "standard", "foreign", "spoiled", "elsewhere", "raising")
    return plugged.bootstrap("-O", "out", *wanted)


def logs(cluster: LocalCluster) -> str:
    store = Store(cluster.data)
    return "\n".join(store.get(key).decode(errors="replace") for key in store.keys("logs/"))


def wheel_of(cluster: LocalCluster, name: str, folder: str = "downloads") -> zipfile.ZipFile:
    (found,) = (cluster.folder / "out" / "wheels-repo" / folder).glob(f"{name}-1.0-*.whl")
    return zipfile.ZipFile(found)


def test_an_override_builds_what_no_backend_could_from_the_patched_source(plugged: LocalCluster, said: Said) -> None:
    with wheel_of(plugged, "selfmade") as wheel:
        assert Path(wheel.filename or "").name == "selfmade-1.0-1_cpu_any-py3-none-any.whl", "the hook of build tags"
        assert "TEXT = 'as patched'" in wheel.read("selfmade.py").decode()


def test_variables_and_facts_of_a_plugin_reach_the_wheel(plugged: LocalCluster, said: Said) -> None:
    with wheel_of(plugged, "standard") as wheel:
        assert "VARIABLE = 'standard 1.0'" in wheel.read("standard.py").decode()
        record = wheel.read("standard-1.0.dist-info/fromager-build-settings").decode()
    assert '[metadata-from-plugin]\nvariant = "cpu"\nfrom-plugin = "standard 1.0"' in record


def test_hooks_are_called_once_for_each_wheel_and_tell_of_it_in_the_log(plugged: LocalCluster, said: Said) -> None:
    calls = hook_calls_in(
        logs(plugged).replace("INFO company_plugins.hooks: ", "").replace("INFO company_plugins.selfmade: ", "")
    )
    one_each = {
        "override of build_wheel in selfmade-1.0": 1,
        "PEP 517 build_sdist": 1,
        "prebuilt_wheel of foreign-1.0-py3-none-any.whl": 1,
        "post_bootstrap of foreign==1.0": 1,
        "post_bootstrap of selfmade==1.0": 1,
        "post_bootstrap of standard==1.0": 1,
        "post_build of selfmade-1.0-1_cpu_any-py3-none-any.whl from selfmade-1.0.tar.gz": 1,
        "post_build of spoiled-1.0-1_cpu_any-py3-none-any.whl from spoiled-1.0.tar.gz": 1,
        "post_build of standard-1.0-1_cpu_any-py3-none-any.whl from standard-1.0.tar.gz": 1,
    }
    assert calls == Counter(one_each)


def test_a_prebuilt_wheel_is_published_as_it_is(plugged: LocalCluster, said: Said) -> None:
    with wheel_of(plugged, "foreign", "prebuilt") as wheel:
        assert "TEXT = 'as published'" in wheel.read("foreign.py").decode()


def test_sdists_are_those_of_plugins_where_they_build_one(plugged: LocalCluster, said: Said) -> None:
    builds = plugged.folder / "out" / "sdists-repo" / "builds"
    assert {path.name for path in builds.iterdir()} >= {"selfmade-1.0.tar.gz", "standard-1.0.tar.gz"}
    assert not list(builds.glob("*.whl"))
    with tarfile.open(builds / "standard-1.0.tar.gz") as sdist:
        assert sdist.getnames() == ["standard-1.0/PKG-INFO"], "what the backend packs, by PEP 517"


def test_what_a_plugin_spoils_fails_alone_by_policy_and_nothing_of_it_is_published(
    plugged: LocalCluster, said: Said
) -> None:
    assert said.status == 1
    text = said.out + said.err
    assert "removed the wheel spoiled-1.0-1_cpu_any-py3-none-any.whl; nothing was published" in text
    assert "raised ValueError: not today (wheelfleet_overrides/raising.py:2)" in text
    assert "the plugin for elsewhere has get_resolver_provider, which cannot be called here" in text
    kinds = {
        line["envelope"]["event"]["failure"]["kind"]
        for line in plugged.events()
        if line["envelope"]["event"]["type"] == "BuildFailed"
    }
    assert kinds == {"policy"}
    names = {path.name.split("-")[0] for path in (plugged.folder / "out" / "wheels-repo").rglob("*.whl")}
    assert names == {"selfmade", "standard", "foreign"}


def test_no_credential_of_the_cluster_reaches_a_plugin(plugged: LocalCluster, said: Said) -> None:
    lines = [line.partition("variables: ")[2] for line in logs(plugged).splitlines() if "variables: " in line]
    assert lines
    for line in lines:
        assert not [name for name in line.split() if name.startswith(("WHEELFLEET", "AWS", "NATS"))], line


def test_a_second_run_builds_nothing_and_calls_nothing(plugged: LocalCluster, said: Said) -> None:
    before = logs(plugged)
    again = plugged.bootstrap("-O", "again", "selfmade", "standard", "foreign")
    assert again.status == 0, again.out + again.err
    (row,) = (line.split() for line in again.lines if line.startswith("cp"))
    assert row[1:] == ["0", "3", "0"], "built, taken over, failed"
    assert logs(plugged) == before
