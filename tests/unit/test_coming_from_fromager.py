"""The page for users of fromager names all that fromager has, and says nothing of what nobody has."""

import re
import runpy
from pathlib import Path

import pytest
from typer.main import get_command

from wheelfleet_coordinator.cli.main import app
from wheelfleet_coordinator.cli.without_effect import REASONS

ROOT = Path(__file__).parents[2]
LISTED = runpy.run_path(str(ROOT / "docs" / "list_fromager.py"))
OURS = dict(LISTED["our_commands"]("", get_command(app)))


@pytest.fixture(scope="module")
def tables():
    return LISTED["tables"]()


@pytest.fixture(scope="module")
def words():
    return LISTED["differences"]()


@pytest.fixture(scope="module")
def record():
    return LISTED["recorded"]()


def test_every_command_is_here(tables):
    assert [row.name for row in tables.commands if not row.here] == []


def test_every_option_is_here_with_its_letters_and_its_variable(tables):
    missing = [f"{name} {row.name}" for name, rows in tables.options.items() for row in rows if row.here != "the same"]
    assert missing == []


def test_arguments_stand_in_fromagers_order(record):
    for name, items in record["commands"].items():
        theirs = [item["argument"] for item in items if "argument" in item]
        command = OURS.get(name.removeprefix("fromager").strip())
        ours = [found for found in getattr(command, "params", ()) if found.param_type_name == "argument"]
        assert len(theirs) == len(ours), name


def test_every_key_and_plugin_point_is_here(tables):
    rows = [row for file in tables.settings.values() for row in file] + tables.plugins
    assert [row.name for row in rows if not row.here] == []


def test_words_are_about_what_fromager_has(words, record, tables):
    options = {
        f"{name} {next(text for text in row.name.split(', ') if text.startswith('--'))}".strip()
        for name, rows in tables.options.items()
        for row in rows
    }
    assert sorted(set(words["commands"]) - {row.name for row in tables.commands} - {"step"}) == []
    assert sorted(set(words["options"]) - options) == []
    assert sorted(set(words["settings"]) - {*record["settings.yaml"], *record["settings/NAME.yaml"]}) == []
    assert sorted(set(words["plugins"]) - {*record["overrides"], *record["hooks"]}) == []


def test_options_without_effect_are_told_to_be_so(words):
    said = {name.rpartition(" ")[2] for name, text in words["options"].items() if text.startswith("No effect")}
    told = {option.replace("--no-", "--") for option in REASONS} - {"--network-isolation"}
    assert said == told


def test_files_that_are_here_are_named_in_the_code(words):
    code = "".join(
        path.read_text(encoding="utf-8") for part in ("agent", "coordinator") for path in (ROOT / part).rglob("*.py")
    )
    for item in words["file"]:
        if item.get("here", True):
            assert item.get("code", item["name"].removeprefix("work-dir/")) in code, item


def test_every_link_of_the_words_leads_somewhere(words):
    texts = [text for table in ("commands", "options", "settings", "plugins") for text in words[table].values()]
    texts += [item["differs"] for item in words["file"]]
    links = [link for text in texts for link in re.findall(r"\]\(([^)]+)\)", text)]
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
