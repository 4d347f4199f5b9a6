"""What will and what won't work of plugins is told before anything is built."""

import importlib
import inspect
import json
from pathlib import Path

import pytest

from wheelfleet_agent.core.plugin_call import Question
from wheelfleet_agent.plugin_child.fromager.build_environment import BuildEnvironment
from wheelfleet_agent.plugin_child.fromager.context import WorkContext
from wheelfleet_agent.plugin_child.fromager.packagesettings import PackageBuildInfo
from wheelfleet_agent.plugin_child.unoffered import Unoffered
from wheelfleet_coordinator.cli.main import run
from wheelfleet_coordinator.core.customising import Customised
from wheelfleet_coordinator.core.override_lint import OverrideLint, lint_overrides
from wheelfleet_coordinator.core.plugin_lint import lint_plugins
from wheelfleet_shared.core.bundle import Customisation
from wheelfleet_shared.core.plugin_points import ARGUMENTS, MEMBERS, OFFERED
from wheelfleet_shared.core.plugins import BUILD, HOOKS, PREPARATION, TAG_HOOK

OWN = "wheelfleet_overrides/flit_core.py"


def linted(text, **files):
    given = {f"plugins/{OWN}": text, **files}
    return lint_plugins(Customised.parse(Customisation("cpu", {name: data.encode() for name, data in given.items()})))


def judged(text, **files):
    (found,) = linted(text, **files)
    return found.verdict, found.reasons


GOOD = """
import json
from fromager import build_environment, context, external_commands, resolver
from fromager.sources import pep517_build_sdist as build
import fromager.wheels
import packaging.version
def build_wheel(ctx: context.WorkContext, build_env, req, provider: resolver.PyPIProvider | None = None) -> None:
    external_commands.run([str(build_env.python)], cwd=ctx.work_dir)
    pbi = ctx.package_build_info(req)
    print(pbi.annotations, pbi.__class__, build, fromager.wheels.pep517_build_wheel, external_commands, helped())
def helped(): return 1
"""


def test_a_plugin_that_uses_what_is_offered_works():
    assert judged(GOOD) == ("works", ())
    (found,) = linted(GOOD)
    assert (found.plugin, found.point, found.place) == ("flit_core", "build_wheel", f"{OWN}:7")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ctx.constraints", "line 8: uses ctx.constraints, which is not offered here"),
        ("build_env.install([])", "line 8: uses build_env.install, which is not offered here"),
        ("pbi.plugin", "line 8: uses pbi.plugin, which is not offered here"),
        ("resolver.PyPIProvider()", "line 8: uses fromager.resolver.PyPIProvider, which is not offered here"),
        ("fromager.sources.download_url()", "line 8: uses fromager.sources.download_url, which is not offered here"),
        ("vendor()", "line 8: uses fromager.vendor_rust.vendor_rust, which is not offered here"),
        ("helper()", "line 10: uses fromager.downloads.get, which is not offered here"),
    ],
)
def test_what_is_not_offered_is_named_with_its_line(line, reason):
    text = f"""from fromager import resolver, downloads
from fromager.vendor_rust import vendor_rust as vendor
import fromager
import fromager.sources

def build_wheel(ctx, build_env, req):
    pbi = ctx.package_build_info(req)
    {line}

def helper(): downloads.get()
"""
    assert judged(text) == ("fails", (reason,))


def test_arguments_that_nobody_gives_are_named():
    text = "def prepare_source(ctx, /, req, build_env, *, colour, size=1, **more): ..."
    assert judged(text) == (
        "fails",
        (
            "line 1: wants build_env, which is not given here",
            "line 1: wants colour, which is not given here",
        ),
    )


def test_modules_that_agents_need_not_have_are_named():
    text = "import requests.adapters\nimport requests\nfrom . import _shared\ndef build_wheel(ctx): ..."
    shared = {"plugins/wheelfleet_overrides/_shared.py": "import yaml"}
    assert judged(text, **shared) == (
        "fails",
        ("line 1: imports yaml, which agents need not have", "line 1: imports requests, which agents need not have")[
            ::-1
        ],
    )


def test_what_chooses_versions_is_asked_of_the_settings():
    text = "def get_resolver_provider(): ...\ndef download_source(): ...\ndef expected_source_archive_name(): ...\n"
    found = {finding.point: finding for finding in linted(text)}
    assert {point: finding.verdict for point, finding in found.items()} == {
        "download_source": "fails",
        "expected_source_archive_name": "not called",
        "get_resolver_provider": "fails",
    }
    assert "set download_source.url instead" in found["download_source"].reasons[0]
    settings = {"settings/flit_core.yaml": "download_source: {url: 'https://a.example/x.tar.gz'}"}
    replaced = {finding.point: finding for finding in linted(text, **settings)}
    assert replaced["download_source"].verdict == "not called"
    assert replaced["get_resolver_provider"].verdict == "fails"


def test_hooks_are_judged_too():
    found = linted(
        "",
        **{
            "settings.yaml": "wheels: {build_tag_hook: 'tags:tag'}",
            "plugins/tags.py": "def tag(*, ctx, wheel_tags, dist_info_dir): ...",
            "plugins/wheelfleet_overrides/_hooks.py": "def post_build(ctx, wheel_filename): ctx.time_store",
        },
    )
    assert [(item.plugin, item.point, item.verdict) for item in found] == [
        ("post_build", "post_build", "fails"),
        ("build_tag_hook", "build_tag_hook", "fails"),
    ]
    assert found[1].reasons == ("line 1: wants dist_info_dir, which is not given here",)


def test_there_is_a_list_of_arguments_for_all_that_is_called():
    assert set(ARGUMENTS) == {*PREPARATION, *BUILD, *HOOKS, TAG_HOOK}


@pytest.mark.parametrize("name", sorted(OFFERED))
def test_what_is_said_to_be_offered_is_what_the_modules_have(name):
    module = importlib.import_module(f"wheelfleet_agent.plugin_child.fromager.{name}")
    own = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_")
        and key not in {"logger", "Function"}
        and (getattr(value, "__module__", module.__name__) == module.__name__ and not inspect.ismodule(value))
    }
    assert own - {"FILE_NAME", "PKG_INFO"} == OFFERED[name]
    assert issubclass(module.there_is_no_such_name, Unoffered)


def test_the_members_of_what_is_given_are_those_that_are_said(tmp_path):
    ctx = WorkContext(Question("f", "build_wheel", "m", (), "leaf", "1.0", str(tmp_path)))
    assert {name for name in vars(ctx) if name != "question"} | {"package_build_info"} == MEMBERS["ctx"]
    public = {name for name in vars(PackageBuildInfo) if not name.startswith("_")}
    assert public == MEMBERS["package_build_info"]
    methods = {name for name in vars(BuildEnvironment) if not name.startswith("_")}
    assert methods | {"path", "req", "sdist_root_dir"} == MEMBERS["build_env"] | {"install"}


def checked(**files):
    return lint_overrides(Customisation("cpu", {name: data.encode() for name, data in files.items()}))


def test_all_that_is_wrong_with_a_folder_is_told_at_once():
    found = checked(
        **{
            "settings/Flit-Core.yaml": "{}",
            "settings/six.yml": "{}",
            "settings.yaml": "external_commands: {keep_env: [A]}",
            "patches/Flit_Core-1.0/1.patch": "",
            f"plugins/{OWN}": "def build_wheel(ctx): ctx.constraints",
            "plugins/wheelfleet_overrides/Six.py": "",
        }
    )
    assert found.errors[:2] == (
        "overrides/settings/Flit-Core.yaml should be overrides/settings/flit_core.yaml",
        "overrides/settings/six.yml should be overrides/settings/six.yaml",
    )
    assert any("Flit_Core-1.0/1.patch is never applied" in text for text in found.errors)
    assert any(
        "the plugin Six (wheelfleet_overrides.Six) is never called: name it six" in text for text in found.errors
    )
    assert any("'external_commands' has no effect" in text for text in found.warnings)
    assert [finding.verdict for finding in found.plugins] == ["fails"]
    assert found.faults == len(found.errors) + 1


def test_what_cannot_be_read_is_told_with_its_line():
    found = checked(**{"settings/a.yaml": "x: 1", f"plugins/{OWN}": "def ("})
    assert [text.partition(": ")[0] for text in found.errors] == [
        "overrides/settings/a.yaml:1",
        f"overrides/plugins/{OWN}:1",
    ]
    assert found.faults == 2
    assert checked() == lint_overrides(Customisation()) == OverrideLint()


def test_the_command_tells_it_and_ends_with_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "overrides" / "plugins"
    folder.mkdir(parents=True)
    assert run(["lint"]) == 0
    assert "nothing wrong" in capsys.readouterr().out
    (folder / "flit_core.py").write_text("def build_wheel(ctx): ctx.constraints\ndef prepare_source(ctx): ...\n")
    assert run(["lint"]) == 1
    said = capsys.readouterr()
    assert "uses ctx.constraints" in said.out
    assert "prepare_source" in said.out
    assert "Found 1 errors" in said.err
    assert run(["lint", "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert {row["point"]: row["verdict"] for row in told["plugins"]} == {
        "build_wheel": "fails",
        "prepare_source": "works",
    }


def test_each_argument_has_a_type_in_the_reference():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "plugins.md").read_text()
    for name in sorted(frozenset().union(*ARGUMENTS.values())):
        assert f"\n| `{name}` | `" in page
