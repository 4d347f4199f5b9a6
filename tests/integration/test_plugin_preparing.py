"""Sources prepared by plugins, and hooks called with wheels, in real child processes."""

import asyncio
import hashlib
import tarfile

import msgspec
import pytest

from build_equipment import LIMITS, Lines, equip
from local_index import EPOCH, TREES, pack
from wheelfleet_agent.adapters.build_folder import make_build_folder
from wheelfleet_agent.app.preparing import bare_place, prepare
from wheelfleet_agent.app.wheel_hooks import call_hooks
from wheelfleet_agent.core.plugin_call import PluginFailed
from wheelfleet_agent.core.sandbox_plan import Level
from wheelfleet_shared.core.plugins import HooksRecipe, Plugin
from wheelfleet_shared.core.recipe import PatchFile, PreparationRecipe
from wheelfleet_shared.errors import SourceError
from wheelfleet_shared.names import NodeKey

NODE = NodeKey("leaf", "1.0")
HEAD = """
import logging, os, pathlib
from fromager import context, overrides, sources
logger = logging.getLogger(__name__)
"""
PATCH = b"--- a/leaf.py\n+++ b/leaf.py\n@@ -0,0 +1 @@\n+PATCHED = True\n"


@pytest.fixture(scope="module", params=list(Level))
def equipment(request, tmp_path_factory):
    return equip(tmp_path_factory.mktemp("agent"), request.param)


def plugin_of(text, *functions):
    return Plugin("leaf", "company.leaf", functions, {"company/leaf.py": (HEAD + text).encode()})


def prepared(folder, equipment, text, *functions, log=None, recipe=None):
    name, data = pack(TREES / "leaf", {"leaf.py": ""})
    archive = folder / name
    archive.write_bytes(data)
    recipe = msgspec.structs.replace(recipe or PreparationRecipe(), plugin=plugin_of(text, *functions))
    build = make_build_folder(folder / "attempt")
    place = bare_place(build, equipment, LIMITS, 1)
    return asyncio.run(prepare(archive, NODE, recipe, place, log or Lines()))


def read(sdist):
    with tarfile.open(sdist) as archive:
        files = [member for member in archive if member.isfile()]
        return {member.name: (archive.extractfile(member).read().decode(), member.mtime) for member in files}


def test_a_plugin_prepares_the_source_with_what_fromager_offers(tmp_path, equipment):
    text = """
def prepare_source(ctx: context.WorkContext, req, source_filename: pathlib.Path, version) -> tuple[pathlib.Path, bool]:
    root, is_new = sources.default_prepare_source(ctx, req, source_filename, version)
    assert root.name == overrides.pkgname_to_override_module(req.name) + "-" + str(version)
    (root / "more.py").write_text((root / "leaf.py").read_text())
    return root, is_new


def get_build_system_dependencies(ctx, req, sdist_root_dir, build_dir) -> set:
    assert (sdist_root_dir / "more.py").is_file()
    return {"tool>=1", "counted-backend"}
"""
    recipe = PreparationRecipe((PatchFile("1.patch", PATCH),), ("other>=2",))
    found = prepared(tmp_path, equipment, text, "get_build_system_dependencies", "prepare_source", recipe=recipe)
    files = read(found.sdist)
    assert files["leaf-1.0/more.py"] == ("PATCHED = True\n", EPOCH + 2)
    assert "other>=2" in files["leaf-1.0/pyproject.toml"][0]
    assert files["leaf-1.0/PKG-INFO"][1] == EPOCH
    assert found.touched == ("leaf.py", "more.py", "pyproject.toml")
    assert found.build_system.requires == ("counted-backend", "tool>=1")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return pathlib.Path('/usr')", "gave /usr, which is no folder below ctx.work_dir"),
        ("return 3", "gave int (3), where a Path, or one with a bool, is expected"),
        ("raise ValueError('no such tag')", "raised ValueError: no such tag (company/leaf.py:6)"),
    ],
)
def test_a_source_that_a_plugin_does_not_give_is_its_fault(tmp_path, equipment, body, said):
    with pytest.raises(PluginFailed) as refused:
        prepared(tmp_path, equipment, f"def prepare_source(ctx):\n    {body}\n", "prepare_source")
    assert said in str(refused.value)


def test_a_source_that_holds_what_no_archive_does_is_refused(tmp_path, equipment):
    text = """
def prepare_source(ctx):
    (ctx.work_dir / 'x').mkdir()
    os.mkfifo(ctx.work_dir / 'x' / 'pipe')
    return ctx.work_dir / 'x'
"""
    with pytest.raises(SourceError, match="pipe: neither file, folder nor link"):
        prepared(tmp_path, equipment, text, "prepare_source")


HOOKS = """
def after_build(ctx: context.WorkContext, req, dist_name, dist_version, sdist_filename, wheel_filename) -> None:
    logger.info("after build of %s==%s (%s): %s from %s", dist_name, dist_version, req, wheel_filename.name,
                sdist_filename and sdist_filename.name)
    (sdist_filename.parent / "test-output-file.txt").write_text("as fromager's own test does")

def after_bootstrap(ctx, req, dist_name, dist_version, sdist_filename: pathlib.Path | None, wheel_filename):
    logger.info("after bootstrap: %s, %s", sdist_filename and sdist_filename.name, wheel_filename.name)
    (ctx.work_dir / "test-output-file.txt").write_text("x")

def after_prebuilt(ctx, req, dist_name: str, dist_version: str, wheel_filename: pathlib.Path) -> None:
    logger.info("prebuilt: %s %s", wheel_filename.name, wheel_filename.read_text())

def removes(wheel_filename): wheel_filename.unlink()
def changes(wheel_filename): wheel_filename.write_text("other")
def hides(wheel_filename):
    other = wheel_filename.rename(wheel_filename.with_suffix(".bak"))
    wheel_filename.symlink_to(other)
def raises(ctx): raise RuntimeError("no")
"""


def called(folder, equipment, hooks, *, sdist=True):
    wheel, source = folder / "leaf-1.0-0-py3-none-any.whl", folder / "leaf-1.0.tar.gz"
    wheel.write_text("the wheel")
    source.write_text("the sdist")
    before = hashlib.sha256(wheel.read_bytes()).digest()
    log = Lines()
    place = bare_place(make_build_folder(folder / "attempt"), equipment, LIMITS, 1)
    try:
        asyncio.run(call_hooks(hooks, NODE, wheel, source if sdist else None, place, log))
    finally:
        assert hashlib.sha256(wheel.read_bytes()).digest() == before, "hooks see a copy"
    return log.text


def hook(function):
    return (plugin_of(HOOKS, function),)


def test_hooks_are_called_with_what_fromager_gives_them(tmp_path, equipment):
    hooks = HooksRecipe(hook("after_build"), hook("after_bootstrap"))
    said = called(tmp_path, equipment, hooks)
    assert "after build of leaf==1.0 (leaf==1.0): leaf-1.0-0-py3-none-any.whl from leaf-1.0.tar.gz" in said
    assert "after bootstrap: leaf-1.0.tar.gz, leaf-1.0-0-py3-none-any.whl" in said


def test_hooks_of_a_prebuilt_wheel_have_no_sdist(tmp_path, equipment):
    hooks = HooksRecipe((), hook("after_bootstrap"), hook("after_prebuilt"))
    said = called(tmp_path, equipment, hooks, sdist=False)
    assert "prebuilt: leaf-1.0-0-py3-none-any.whl the wheel" in said
    assert said.index("prebuilt: ") < said.index("after bootstrap: None")


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("removes", "removes removed the wheel leaf-1.0-0-py3-none-any.whl; nothing was published"),
        ("hides", "hides removed the wheel leaf-1.0-0-py3-none-any.whl; nothing was published"),
        ("changes", "changes changed the wheel leaf-1.0-0-py3-none-any.whl; nothing was published"),
        ("raises", "raises raised RuntimeError: no (company/leaf.py"),
        ("absent", "absent is no function of company.leaf"),
    ],
)
def test_a_hook_that_spoils_the_wheel_is_refused(tmp_path, equipment, function, said):
    with pytest.raises(PluginFailed) as refused:
        called(tmp_path, equipment, HooksRecipe(hook(function)))
    assert said in str(refused.value)


def test_without_hooks_nothing_is_called(tmp_path, equipment):
    assert called(tmp_path, equipment, HooksRecipe()) == ""
