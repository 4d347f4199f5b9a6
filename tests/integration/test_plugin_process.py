"""Overrides written for fromager, called beside a real build, in a real child process."""

import asyncio
import json
import zipfile

import pytest

from build_equipment import Lines, equip, open_backend, with_limits
from wheelfleet_agent.app.plugin_calls import open_overridden
from wheelfleet_agent.core.plugin_call import PluginFailed
from wheelfleet_agent.core.sandbox_plan import Level
from wheelfleet_shared.core.plugins import BUILD, Plugin
from wheelfleet_shared.core.recipe import BuildRecipe
from wheelfleet_shared.names import NodeKey

NODE = NodeKey("inhouse-backend", "1.0")
HEAD = """
import logging
import pathlib

from packaging.requirements import Requirement
from packaging.version import Version

from fromager import build_environment, context, external_commands, resolver, sources, wheels

logger = logging.getLogger(__name__)
"""


@pytest.fixture(scope="module", params=list(Level))
def equipment(request, tmp_path_factory):
    return equip(tmp_path_factory.mktemp("agent"), request.param)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return equip(tmp_path_factory.mktemp("plain"), Level.NONE)


class Build:
    """A build of the in-house backend by itself, with a plugin of this text."""

    def __init__(self, folder, equipment, text, **given):
        functions = tuple(sorted(name for name in BUILD if f"def {name}(" in text))
        files = {"company/__init__.py": b"", "company/inhouse.py": (HEAD + text).encode()}
        plugin = Plugin("inhouse_backend", "company.inhouse", functions, files, **given)
        self.log = Lines()
        self.backend = open_backend(folder, equipment, "inhouse-backend")
        self.recipe = BuildRecipe(plugin=plugin if functions else None, settings={"annotations": {"a": "b"}})

    def __call__(self):
        async def made():
            build = await open_overridden(self.backend, self.recipe, NODE, self.log)
            return build, await build.requirements(), await build.made()

        return asyncio.run(made())


def test_a_build_goes_through_all_overrides_of_fromagers_kind(tmp_path, equipment):
    text = """
def update_extra_environ(*, ctx: context.WorkContext, req: Requirement, version: Version | None,
                         sdist_root_dir: pathlib.Path, extra_environ: dict[str, str],
                         build_env: build_environment.BuildEnvironment) -> None:
    extra_environ["SEEN_BY_HOOKS"] = f"{req.name} {version} $HOME"
    del extra_environ["MAX_JOBS"]
    (ctx.work_dir / "marker.txt").write_text("update_extra_environ")


def get_build_backend_dependencies(ctx, req, sdist_root_dir, build_dir, extra_environ, build_env) -> set[Requirement]:
    assert extra_environ["SEEN_BY_HOOKS"] == "inhouse-backend 1.0 $HOME", extra_environ
    assert "MAX_JOBS" not in extra_environ
    return {Requirement("leaf >=1")}


def get_build_sdist_dependencies(ctx, req):
    return ["leaf>=1", "tool"]


def build_sdist(ctx, extra_environ, req, sdist_root_dir, version, build_env, build_dir) -> pathlib.Path:
    return sources.default_build_sdist(ctx, extra_environ, req, version, sdist_root_dir, build_env, build_dir)


def build_wheel(ctx: context.WorkContext, build_env: build_environment.BuildEnvironment, extra_environ: dict[str, str],
                req: Requirement, sdist_root_dir: pathlib.Path, version: Version, build_dir: pathlib.Path
                ) -> pathlib.Path:
    print(external_commands.run([str(build_env.python), "-c", "import os; print(os.environ['SEEN_BY_HOOKS'])"],
                                extra_environ=extra_environ))
    return wheels.default_build_wheel(ctx, build_env, extra_environ, req, sdist_root_dir, version, build_dir)


def add_extra_metadata_to_wheels(*, ctx, req, version, extra_environ, sdist_root_dir, dist_info_dir):
    (dist_info_dir / "company.txt").write_text((ctx.work_dir / "marker.txt").read_text())
    assert ctx.package_build_info(req).annotations == {"owner": "us"}
    return {"compiler": {"name": "none", "version": version}}


def get_resolver_provider(ctx, req_type: resolver.RequirementType | None = None) -> resolver.GitHubTagProvider: ...
"""
    build, requirements, made = Build(tmp_path, equipment, text, settings={"annotations": {"owner": "us"}})()
    assert requirements == ("leaf>=1", "tool")
    assert made.wheel.name == "inhouse_backend-1.0-py3-none-any.whl"
    assert "inhouse.py" in zipfile.ZipFile(made.wheel).namelist()
    assert made.files == {"company.txt": b"update_extra_environ"}
    assert made.recipe.settings == {
        "annotations": {"a": "b"},
        "metadata-from-plugin": {"compiler": {"name": "none", "version": "1.0"}},
    }
    assert made.sdist.name == "inhouse_backend-1.0.tar.gz"
    assert len(build.used) == 6


def test_what_a_plugin_prints_and_logs_is_in_the_log(tmp_path, equipment):
    build = Build(
        tmp_path, equipment, "def build_wheel(ctx):\n    logger.info('said to %s', ctx.variant)\n    print(1/0)\n"
    )
    with pytest.raises(PluginFailed, match=r"raised ZeroDivisionError: division by zero \(company/inhouse.py:13\)"):
        build()
    assert "INFO company.inhouse: said to cpu" in build.log.text
    assert "ZeroDivisionError" in build.log.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def build_wheel(ctx): ...", "left nothing in ctx.wheels_build"),
        ("def build_wheel(ctx): return 'x.whl'", "build_wheel gave str ('x.whl'), where a Path or None is expected"),
        ("def build_wheel(ctx, colour): ...", "wants colour, which is not given here (company/inhouse.py:11)"),
        ("def build_wheel(ctx): ctx.constraints", "NotImplementedError: ctx.constraints is not offered"),
        ("def build_wheel(ctx): sources.vendor()", "NotImplementedError: fromager.sources.vendor is not offered"),
        ("def build_wheel(ctx): resolver.Provider()", "NotImplementedError: fromager.resolver.Provider is not offered"),
        ("def build_wheel(build_env): build_env.install(['a'])", "environments are locked before a build"),
        ("def build_wheel(ctx): raise SystemExit(3)", "raised SystemExit: 3"),
        ("import os\ndef build_wheel(ctx): os._exit(3)", "ended its process with status 3"),
        ("import os\ndef build_wheel(ctx): os._exit(0)", "ended its process without an answer"),
        ("import absent_module\ndef build_wheel(ctx): ...", "cannot be imported: ModuleNotFoundError: No module named"),
        ("def build_sdist(ctx): return ctx.work_dir / 'x'", "which is no file in ctx.sdists_builds"),
        (
            "def build_sdist(ctx):\n    path = ctx.sdists_builds / 'other-1.0.tar.gz'\n    path.touch(); return path",
            "made other-1.0.tar.gz, no sdist of inhouse-backend 1.0",
        ),
        ("def get_build_backend_dependencies(ctx): return 'leaf'", "gave str ('leaf'), where requirements is expected"),
        ("def get_build_backend_dependencies(ctx): return ['>=1']", "gave a requirement that is none"),
        ("def update_extra_environ(extra_environ): extra_environ['A'] = 1", "where extra_environ of texts is expected"),
        ("def add_extra_metadata_to_wheels(ctx): return 1", "gave int (1), where a dict that JSON knows is expected"),
        (
            "def add_extra_metadata_to_wheels(dist_info_dir): (dist_info_dir.parent / 'more.py').touch(); return {}",
            "left the wheel with other files than it had: more.py",
        ),
        (
            "def add_extra_metadata_to_wheels(dist_info_dir): (dist_info_dir / 'WHEEL').write_text(''); return {}",
            "another WHEEL",
        ),
    ],
)
def test_a_plugin_that_does_what_it_should_not_is_refused_with_its_place(tmp_path, plain, text, said):
    with pytest.raises(PluginFailed) as refused:
        Build(tmp_path, plain, text)()
    assert said in str(refused.value)
    assert refused.value.party == "policy"


def test_a_plugin_that_hangs_is_stopped(tmp_path, equipment):
    build = Build(tmp_path, equipment, "import time\ndef build_wheel(ctx): time.sleep(600)")
    build.backend = with_limits(build.backend, timeout_total=1.5)
    with pytest.raises(PluginFailed, match="it hangs"):
        build()


def test_a_link_instead_of_a_wheel_is_no_wheel(tmp_path, equipment):
    (tmp_path / "x.whl").write_bytes(b"secret")
    name = "inhouse_backend-1.0-py3-none-any.whl"
    text = f"def build_wheel(ctx): (ctx.wheels_build / '{name}').symlink_to('{tmp_path}/x.whl')"
    with pytest.raises(PluginFailed, match="one wheel is expected"):
        Build(tmp_path, equipment, text)()


def test_a_plugin_sees_neither_variables_nor_files_of_the_agent(tmp_path, equipment, monkeypatch):
    if equipment.sandbox.level is Level.NONE:
        pytest.skip("without a sandbox the files of the host are in sight")
    monkeypatch.setenv("AGENT_CREDENTIAL", "hidden")
    (tmp_path / "agent.creds").write_text("hidden")
    text = f"""
import json, os
def build_wheel(ctx):
    print("SEEN", json.dumps([dict(os.environ), os.path.exists("{tmp_path}/agent.creds")]))
"""
    build = Build(tmp_path, equipment, text)
    with pytest.raises(PluginFailed):
        build()
    line = next(line for line in build.log.text.splitlines() if line.startswith("SEEN "))
    variables, found = json.loads(line.removeprefix("SEEN "))
    assert "AGENT_CREDENTIAL" not in variables
    assert not found


def test_the_hook_of_build_tags_adds_segments(tmp_path, equipment):
    text = """
def tag(*, ctx: context.WorkContext, req: Requirement, version: Version, wheel_tags: frozenset) -> list[str]:
    return [ctx.variant, "pure" if all(found.platform == "any" for found in wheel_tags) else "native"]
"""
    build = Build(tmp_path, equipment, "")
    files = {"company/tags.py": (HEAD + text).encode()}
    hook = Plugin("build_tag_hook", "company.tags", ("tag",), files, variant="cuda")
    build.recipe = BuildRecipe(tag_hook=hook)
    assert build()[2].tag_suffix == "_cuda_pure"
    bad = Plugin("build_tag_hook", "company.tags", ("tag",), {"company/tags.py": b"def tag(): return ['a-b']"})
    build = Build(tmp_path, equipment, "")
    build.recipe = BuildRecipe(tag_hook=bad)
    with pytest.raises(PluginFailed, match="letters, digits and dots"):
        build()
