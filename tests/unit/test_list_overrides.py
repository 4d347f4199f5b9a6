"""``list-overrides``, in fromager's words: what is expected here is what fromager 0.101 prints of the same folder."""

import json

import pytest

from wheelfleet_coordinator.cli import main

CSV = """\
"package","version","patches","min_release_age","cpu","gpu","rocm","plugin_hooks"
"baz","1.0","1","","","","",""
"foo-bar","1.0","2","3","yes","","pre-built",""
"foo-bar","2.0","1","3","yes","","pre-built",""
"solo","","","","","","","post_build, build_wheel"
"""


@pytest.fixture
def said(tmp_path, monkeypatch, capsys):
    """Runs the command in a folder with overrides; what it prints."""
    files = {
        "settings.yaml": "changelog:\n  gpu: [a]\n",
        "settings/foo_bar.yaml": "variants:\n  rocm: {pre_built: true}\n  cpu: {env: {A: '1'}}\n"
        "resolver_dist: {min_release_age: 3}\n",
        "settings/solo.yaml": "env: {A: '1'}\n",
        "plugins/solo.py": "def build_wheel(**_):\n    pass\n\n\ndef post_build(**_):\n    pass\n",
        **{f"patches/{name}.patch": "\n" for name in ("foo_bar/a", "foo_bar-1.0/b", "foo_bar-2.0/rocm/c", "baz-1.0/d")},
    }
    for name, text in files.items():
        path = tmp_path / "overrides" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> str:
        assert main.run(["list-overrides", *arguments]) == 0
        return capsys.readouterr().out

    return run


def test_names_of_all_that_is_changed(said):
    assert said() == "baz\nfoo-bar\nsolo\n"


def test_details(said, tmp_path):
    assert said("--details", "--format", "csv").replace("\r\n", "\n") == CSV
    rows = json.loads(said("--details", "--format", "json"))
    assert list(rows[1].items()) == [
        ("package", "foo-bar"),
        ("version", "1.0"),
        ("patches", "2"),
        ("plugin_hooks", ""),
        ("min_release_age", "3"),
        ("cpu", "yes"),
        ("gpu", ""),
        ("rocm", "pre-built"),
    ]
    assert "Package Overrides" in said("--details")
    assert said("--details", "-o", str(tmp_path / "table.txt")) == ""
    assert "│ foo-bar │ 2.0     │ 1 " in (tmp_path / "table.txt").read_text()


def test_nothing_is_listed_where_there_are_no_overrides(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main.run(["list-overrides", "--details", "--format", "json"]) == 0
    assert capsys.readouterr().out == "[]"
