"""Plugins are read without being run, and reach exactly the nodes that they are about."""

import json

import pytest

from wheelfleet_coordinator.core.customising import Customised
from wheelfleet_coordinator.core.plugin_source import closure, imports_of, module_of, names_in
from wheelfleet_shared.core.bundle import Customisation
from wheelfleet_shared.core.plugins import HooksRecipe
from wheelfleet_shared.core.recipe import BuildRecipe, NodeRecipe, PreparationRecipe, decode_recipe
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import NodeKey

NODE = NodeKey("flit-core", "3.0")
OTHER = NodeKey("other", "1.0")
OVERRIDES, HOOKS = "fromager.project_overrides", "fromager.hooks"


def entries(*found):
    keys = ("group", "name", "module", "attribute")
    return json.dumps([dict(zip(keys, entry, strict=False)) for entry in found])


def customised(*installed, variant="cpu", **files):
    given = {name: text.encode() for name, text in files.items()}
    if installed:
        given["plugins.json"] = entries(*installed).encode()
    return Customised.parse(Customisation(variant, given), "overrides")


def build_of(found, node=NODE):
    return decode_recipe(found.recipe_of(node).build, BuildRecipe)


def preparation_of(found, node=NODE):
    return decode_recipe(found.recipe_of(node).preparation, PreparationRecipe)


def hooks_of(found, node=NODE):
    return decode_recipe(found.hooks_of(node), HooksRecipe)


def refused(*installed, **files):
    with pytest.raises(InputError) as caught:
        customised(*installed, **files)
    return caught.value.what


BOTH = "def build_wheel(): ...\ndef prepare_source(): ...\ndef other(): ...\n"
FLIT = {"plugins/company/flit.py": BOTH}
ENTRY = (OVERRIDES, "flit_core", "company.flit")


def test_a_module_reaches_the_two_recipes_of_its_distribution_alone():
    found = customised(ENTRY, **FLIT, **{"settings/flit_core.yaml": "annotations: {a: b}\nnetwork: true"})
    building, preparing = build_of(found).plugin, preparation_of(found).plugin
    assert building.functions == ("build_wheel",)
    assert preparing.functions == ("prepare_source",)
    assert building.files == preparing.files == {"company/flit.py": BOTH.encode()}
    assert (building.name, building.module) == ("flit_core", "company.flit")
    assert (building.variant, building.network) == ("cpu", True)
    assert building.settings == {"annotations": {"a": "b"}, "network": True}
    assert found.recipe_of(OTHER).node == NodeRecipe()
    assert found.customised() == {"flit-core"}


def test_a_file_in_the_folder_is_a_plugin_for_the_distribution_that_it_is_named_after():
    found = customised(
        **{
            "plugins/wheelfleet_overrides/flit_core.py": "from ._shared import build_wheel",
            "plugins/wheelfleet_overrides/_shared.py": "def build_wheel(): ...",
            "plugins/wheelfleet_overrides/unused.py": "X = 1",
        }
    )
    plugin = build_of(found).plugin
    assert (plugin.name, plugin.module) == ("flit_core", "wheelfleet_overrides.flit_core")
    assert set(plugin.files) == {"wheelfleet_overrides/flit_core.py", "wheelfleet_overrides/_shared.py"}


def test_a_change_of_a_file_that_a_plugin_does_not_need_changes_no_build():
    def recipe(**more):
        return customised(
            ENTRY, **FLIT, **{f"plugins/company/{name}.py": text for name, text in more.items()}
        ).recipe_of(NODE)

    assert recipe() == recipe(unrelated="X = 1") == recipe(unrelated="X = 2")
    needed = {"plugins/company/flit.py": f"from . import shared\n{BOTH}"}
    one, other = (
        customised(ENTRY, **needed, **{"plugins/company/shared.py": text}).recipe_of(NODE)
        for text in ("X = 1", "X = 2")
    )
    assert one.node.build != other.node.build
    assert one.node.preparation != other.node.preparation


def test_hooks_are_called_for_each_node_and_are_no_part_of_what_it_is():
    text = "def built(): ...\ndef bootstrapped(): ...\ndef taken(): ..."
    found = customised(
        (HOOKS, "post_build", "company.hooks", "built"),
        (HOOKS, "post_bootstrap", "company.hooks", "bootstrapped"),
        (HOOKS, "prebuilt_wheel", "company.hooks", "taken"),
        **{"plugins/company/hooks.py": text, "settings/other.yaml": "variants: {cpu: {pre_built: true}}"},
    )
    recipe, hooks = found.recipe_of(NODE), hooks_of(found)
    assert [(plugin.name, plugin.functions) for plugin in hooks.post_build] == [("post_build", ("built",))]
    assert [plugin.functions for plugin in hooks.post_bootstrap] == [("bootstrapped",)]
    assert hooks.prebuilt_wheel == ()
    assert (recipe.node.build, recipe.node.preparation) == ("", "")
    assert recipe.node.hooks != ""
    taken = hooks_of(found, OTHER)
    assert taken.post_build == ()
    assert [plugin.functions for plugin in taken.prebuilt_wheel] == [("taken",)]
    assert found.recipe_of(OTHER).node.hooks != ""


def test_functions_of_one_file_of_the_folder_are_hooks():
    found = customised(**{"plugins/wheelfleet_overrides/_hooks.py": "def post_build(): ...\ndef helper(): ..."})
    assert [plugin.functions for plugin in hooks_of(found).post_build] == [("post_build",)]
    assert hooks_of(found).post_bootstrap == ()


def test_the_hook_of_build_tags_reaches_builds_that_have_a_tag():
    common = "changelog: {cuda: [x]}\nwheels: {build_tag_hook: 'company.tags:of'}"
    files = {"settings.yaml": common, "plugins/company/tags.py": "of = object()"}
    assert build_of(customised(**files)).tag_hook is None
    hook = build_of(customised(variant="cuda", **files)).tag_hook
    assert (hook.module, hook.functions, hook.variant) == ("company.tags", ("of",), "cuda")
    assert "settings.yaml:2: build_tag_hook names the module company.tags" in refused(**{"settings.yaml": common})
    lacking = {"settings.yaml": common, "plugins/company/tags.py": ""}
    assert "names of, which company.tags has not" in refused(**lacking)


@pytest.mark.parametrize(
    ("function", "setting"),
    [
        ("download_source", "download_source: {url: 'https://a.example/a-${version}.tar.gz'}"),
        ("get_resolver_provider", "resolver_dist: {sdist_server_url: 'https://a.example/simple'}"),
    ],
)
def test_what_says_where_versions_come_from_is_asked_of_the_settings(function, setting):
    files = {"plugins/company/flit.py": f"def {function}(): ..."}
    assert customised(ENTRY, **files).choice_fault("flit-core") == function
    assert customised(ENTRY, **files).choice_fault("other") == ""
    assert customised(ENTRY, **files, **{"settings/flit_core.yaml": setting}).choice_fault("flit-core") == ""
    assert customised(ENTRY, **files).of_index_alone().choice_fault("flit-core") == "", "an index has what was chosen"
    prebuilt = "variants: {cpu: {pre_built: true}}"
    assert customised(ENTRY, **files, **{"settings/flit_core.yaml": prebuilt}).choice_fault("flit-core") == ""


def test_what_cannot_be_used_is_refused_with_file_and_line():
    broken = {"plugins/company/flit.py": "x = 1\ndef build_wheel(:\n"}
    assert refused(ENTRY, **broken).startswith("overrides/plugins/company/flit.py:2: ")
    assert "source code" in refused(ENTRY, **{"plugins/company/flit.py": "\0"})
    assert "names the module company.flit, whose source was not found" in refused(ENTRY)
    twice = {**FLIT, "plugins/wheelfleet_overrides/flit_core.py": ""}
    assert "both plugins for flit_core" in refused(ENTRY, **twice)
    assert "names absent, which company.flit has not" in refused(
        (HOOKS, "post_build", "company.flit", "absent"), **FLIT
    )
    assert refused(**{"plugins.json": "[1]"}).startswith("plugins.json: ")


def test_names_that_are_never_called_are_warned_of():
    found = customised((OVERRIDES, "Flit-Core", "company.flit"), (HOOKS, "on_fire", "company.flit"), **FLIT)
    assert found.warnings == (
        "the plugin Flit-Core (company.flit) is never called: name it flit_core",
        "the hook on_fire (company.flit) is never called: hooks are post_build, post_bootstrap, prebuilt_wheel",
    )


def read(text, path="a/b.py", name="a.b"):
    return module_of(name, {path: text.encode()}, "")


def test_the_names_of_a_module_are_all_that_its_statements_bind():
    text = """
import x.y, z as w
from p import q as r
def f(): hidden = 1
async def g(): ...
class C: ...
a = b = 1
c: int = 2
if a:
    def in_if(): ...
else:
    d = 1
try:
    e = 1
except ImportError: ...
"""
    assert set(names_in(read(text))) == {"x", "w", "r", "f", "g", "C", "a", "b", "c", "in_if", "d", "e"}
    assert names_in(read(text))["f"] == 4


def test_relative_imports_are_made_absolute():
    text = "from . import one\nfrom .two import x\nfrom .. import three\ndef f():\n    import four\n"
    assert set(imports_of(read(text))) >= {"a.one", "a.two", "a.two.x", "three", "four"}
    assert "a.b.one" in imports_of(read(text, "a/b/__init__.py"))


def test_a_module_needs_what_it_imports_and_the_packages_around():
    files = {
        "a/__init__.py": b"",
        "a/b.py": b"from .c import x\nimport os",
        "a/c.py": b"from a import b, d",
        "a/d/__init__.py": b"import e",
        "a/unused.py": b"",
        "a/data.txt": b"",
        "e.py": b"",
        "f.py": b"",
    }
    needed = {"a/__init__.py", "a/b.py", "a/c.py", "a/d/__init__.py", "e.py"}
    assert set(closure("a.b", files, "")) == needed
    files["a/c.py"] += b"\nPLACE = __file__"
    assert set(closure("a.b", files, "")) == {*needed, "a/unused.py", "a/data.txt"}
