"""Plugins that are installed are found by their entry points, and their sources by their packages."""

import json
import sys

import pytest

from wheelfleet_coordinator.adapters.customisation_files import Overrides, read_customisation
from wheelfleet_coordinator.core.customising import Customised
from wheelfleet_shared.core.plugins import HooksRecipe
from wheelfleet_shared.core.recipe import BuildRecipe, decode_recipe
from wheelfleet_shared.names import NodeKey

NODE = NodeKey("flit-core", "3.0")


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder on sys.path, as an environment's site-packages; the current folder is empty."""
    folder, user = tmp_path / "site", tmp_path / "user"
    folder.mkdir()
    user.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.chdir(user)
    return folder


def install(site, name, entry_points, **files):
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points)
    for path, text in files.items():
        file = site / path.replace("__", "/").replace("_py", ".py")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)


def read():
    return read_customisation(Overrides(), "cpu")


def test_two_distributions_may_share_a_namespace_and_nothing_is_imported(site):
    flit = "[fromager.project_overrides]\nflit_core = company_plugins.flit\n"
    hooks = "[fromager.hooks]\npost_build = company_plugins.hooks:after\n"
    install(site, "flit_plugin", flit, company_plugins__flit_py="def build_wheel(): ...\n1/0")
    install(site, "hook_plugin", hooks, company_plugins__hooks_py="def after(): ...")
    given = read()
    assert {"plugins/company_plugins/flit.py", "plugins/company_plugins/hooks.py"} <= set(given.files)
    assert "company_plugins.flit" not in sys.modules
    found = Customised.parse(given)
    assert decode_recipe(found.recipe_of(NODE).build, BuildRecipe).plugin.functions == ("build_wheel",)
    assert [plugin.functions for plugin in decode_recipe(found.hooks_of(NODE), HooksRecipe).post_build] == [("after",)]
    listed = json.loads(given.files["plugins.json"])
    assert [entry["name"] for entry in listed] == ["flit_core", "post_build"]


def test_modules_of_the_folder_and_of_the_settings_come_too(site):
    (site / "tags.py").write_text("def tag(): ...")
    folder = site.parent / "user" / "overrides"
    (folder / "plugins" / "__pycache__").mkdir(parents=True)
    (folder / "plugins" / "__pycache__" / "x.pyc").write_bytes(b"")
    (folder / "plugins" / "flit_core.py").write_text("def build_wheel(): ...")
    (folder / "settings.yaml").write_text("changelog: {cpu: [x]}\nwheels: {build_tag_hook: 'tags:tag'}")
    files = read().files
    assert set(files) == {"settings.yaml", "plugins/tags.py", "plugins/wheelfleet_overrides/flit_core.py"}
    recipe = decode_recipe(Customised.parse(read()).recipe_of(NODE).build, BuildRecipe)
    assert recipe.tag_hook.files == {"tags.py": b"def tag(): ..."}


def test_without_plugins_nothing_is_brought(site):
    assert read().files == {}
