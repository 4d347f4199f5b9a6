"""Every option and every key of settings is kept by a test, which tests/mutants_of_options.py takes it away from."""

import ast
import runpy
from pathlib import Path

import pytest

from wheelfleet_coordinator.core.settings_file import read_distribution, read_global
from without_one import take_away

ROOT = Path(__file__).parents[2]
LISTED = runpy.run_path(str(ROOT / "docs" / "list_kept.py"))
KEPT = {item: tests for table in LISTED["kept_by"]().values() for item, tests in table.items()}


def test_each_item_names_a_test_and_nothing_else_is_named():
    items = LISTED["items"]()
    assert len(items) == len(set(items)) > 150
    assert sorted(set(items) - set(KEPT)) == []
    assert sorted(set(KEPT) - set(items)) == []


def test_every_test_that_is_named_is_there_and_no_part_of_the_long_tier():
    named = sorted({tuple(test.partition("[")[0].split("::")) for tests in KEPT.values() for test in tests})
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        found = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        (test,) = [node for node in found if node.name == name]
        assert "pytest.mark.long" not in [ast.unparse(mark) for mark in test.decorator_list], name


@pytest.fixture
def restored(monkeypatch):
    """What is taken away is there again afterwards."""
    import typer.main

    from wheelfleet_coordinator.core import settings_file

    monkeypatch.setattr(typer.main, "get_command", typer.main.get_command)
    monkeypatch.setattr(settings_file, "read_yaml", settings_file.read_yaml)


def test_a_key_that_is_taken_away_counts_for_nothing(restored):
    from wheelfleet_coordinator.core import settings_file

    take_away("settings/NAME.yaml variants.NAME.pre_built")
    take_away("settings.yaml sbom.supplier")
    variants = b"variants: {cpu: {pre_built: true, env: {A: '1'}}}\nepoch: 7\n"
    found = settings_file.read_distribution(variants, "x").settings
    assert (found.variant("cpu").pre_built, found.variant("cpu").env, found.epoch) == (False, {"A": "1"}, 7)
    assert settings_file.read_global(b"sbom: {supplier: me, creators: [you]}", "x").settings.sbom.creators == ("you",)
    assert read_global is settings_file.read_global
    assert read_distribution(b"", "x").settings == settings_file.read_distribution(b"{}", "x").settings


def test_an_option_that_is_taken_away_counts_for_nothing(restored, capsys, tmp_path):
    from wheelfleet_coordinator.cli import main

    take_away("--version")
    take_away("migrate-config --output-dir")
    assert main.run(["--version"]) == 2
    assert "Missing command" in capsys.readouterr().err
    arguments = ["migrate-config", f"--envs-dir={tmp_path}", "--settings-file=x", f"--output-dir={tmp_path}"]
    assert main.run(arguments) != 0
