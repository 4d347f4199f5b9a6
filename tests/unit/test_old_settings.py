"""The configuration of fromager 0.27, migrated."""

import pytest

from wheelfleet_coordinator.cli import main
from wheelfleet_coordinator.core.old_settings import migrated, variables_of
from wheelfleet_coordinator.core.settings_file import read_distribution
from wheelfleet_shared.errors import InputError

OLD = b"""
pre_built:
  rocm: [Some.Name]
  cpu:
packages:
  some-name:
    download_source: {url: "https://files.example/${version}.tar.gz"}
  other:
"""
ENVS = {"some_name.env": '# first\n\nA=1\nB = "two words"\n', "rocm/some-name.env": "C='3'\n", "third.env": "D=\n"}


def test_packages_prebuilt_names_and_variables_are_one_file_each():
    files = migrated(OLD, ENVS)
    assert sorted(files) == ["other.yaml", "some_name.yaml", "third.yaml"]
    found = read_distribution(files["some_name.yaml"].encode(), "x").settings
    assert found.env == {"A": "1", "B": "two words"}
    assert found.download_source.url == "https://files.example/${version}.tar.gz"
    assert (found.variant("rocm").pre_built, found.variant("rocm").env) == (True, {"C": "3"})
    assert not found.variant("cpu").pre_built
    assert read_distribution(files["third.yaml"].encode(), "x").settings.env == {"D": ""}


def test_nothing_comes_of_nothing():
    assert migrated(b"", {}) == {}
    assert variables_of("") == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"a: [", "no YAML"),
        (b"- a", "no mapping"),
        (b"packages: [a]", "'packages' of the old settings is no mapping"),
        (b"packages: {a: {nonsense: 1}}", "nonsense"),
    ],
)
def test_what_is_no_such_configuration_is_refused(text, says):
    with pytest.raises(InputError, match=says):
        migrated(text, {})


def test_the_command_writes_the_files(tmp_path, capsys):
    (tmp_path / "envs" / "rocm").mkdir(parents=True)
    for name, text in ENVS.items():
        (tmp_path / "envs" / name).write_text(text)
    (tmp_path / "old.yaml").write_bytes(OLD)
    place = [f"--envs-dir={tmp_path / 'envs'}", f"--settings-file={tmp_path / 'old.yaml'}"]
    assert main.run(["migrate-config", *place, f"--output-dir={tmp_path / 'new'}"]) == 0
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["other.yaml", "some_name.yaml", "third.yaml"]
    assert str(tmp_path / "new" / "other.yaml") in capsys.readouterr().out
    missing = ["migrate-config", place[0], "--settings-file=missing", "--output-dir=x"]
    assert main.run(missing) == 2
    assert "cannot read the old configuration" in capsys.readouterr().err


def test_options_of_fromagers_commands_are_read_from_variables(monkeypatch, capsys, tmp_path):
    (tmp_path / "old.yaml").write_bytes(OLD)
    monkeypatch.setenv("FROMAGER_MIGRATE_CONFIG_SETTINGS_FILE", str(tmp_path / "missing.yaml"))
    monkeypatch.setenv("WHEELFLEET_MIGRATE_CONFIG_SETTINGS_FILE", str(tmp_path / "old.yaml"))
    monkeypatch.setenv("FROMAGER_MIGRATE_CONFIG_ENVS_DIR", str(tmp_path))
    monkeypatch.setenv("FROMAGER_MIGRATE_CONFIG_OUTPUT_DIR", str(tmp_path / "new"))
    assert main.run(["migrate-config"]) == 0
    assert "other.yaml" in capsys.readouterr().out
