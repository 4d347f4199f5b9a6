"""What a plugin's child process answers is read as what it must be, and as nothing else."""

import msgspec
import pytest

from wheelfleet_agent.core.plugin_call import (
    Answer,
    Fault,
    PluginFailed,
    changed_environ,
    read_answer,
    requirements_in,
    value_of,
)
from wheelfleet_agent.plugin_child.unpacked_wheel import UnpackedWheel
from wheelfleet_shared.core.plugins import Plugin

PLUGIN = Plugin("leaf", "company.leaf")


def test_an_answer_is_what_was_written():
    answer = Answer({"a": [1]}, {"x.txt": b"\0"})
    assert read_answer(msgspec.json.encode(answer), PLUGIN, "f") == answer


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "plugin leaf: f gave an answer that is none"),
        (b"\xff", "plugin leaf: f gave an answer that is none"),
        (b'{"files": {"a": 1}}', "plugin leaf: f gave an answer that is none"),
        (msgspec.json.encode(Answer(fault=Fault("raised", "raised X", "a.py:1"))), "plugin leaf: f raised X (a.py:1)"),
        (msgspec.json.encode(Answer(fault=Fault("import", "is gone"))), "plugin leaf: f is gone\n"),
    ],
)
def test_faults_and_nonsense_are_the_plugins(data, said):
    with pytest.raises(PluginFailed) as refused:
        read_answer(data, PLUGIN, "f")
    assert str(refused.value).startswith(said)
    assert refused.value.party == "policy"


def test_values_are_of_the_kind_that_is_asked_for():
    assert value_of(Answer(["a"]), tuple[str, ...], PLUGIN, "f") == ("a",)
    with pytest.raises(PluginFailed, match="f gave an answer that is none: Expected `str`"):
        value_of(Answer(3), str, PLUGIN, "f")


def test_requirements_are_each_there_once_and_sorted():
    assert requirements_in(["b", "a>=1", "a >= 1"], PLUGIN, "f") == ("a>=1", "b")
    with pytest.raises(PluginFailed, match="gave a requirement that is none"):
        requirements_in([">=1"], PLUGIN, "f")


def test_variables_are_told_by_what_changed_and_what_is_gone():
    assert changed_environ({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "9", "d": "4"}) == (
        {"b": "9", "d": "4"},
        ("c",),
    )


def test_only_a_dist_info_folder_may_be_added_to(tmp_path):
    import zipfile

    wheel = tmp_path / "leaf-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        for name in ("leaf.py", "leaf-1.0.dist-info/METADATA", "leaf-1.0.dist-info/RECORD"):
            made.writestr(name, "x")
    unpacked = UnpackedWheel(wheel, tmp_path)
    assert unpacked.changes() == {}
    (unpacked.dist_info / "RECORD").write_text("not looked at")
    (unpacked.dist_info / "licenses").mkdir()
    (unpacked.dist_info / "licenses" / "MIT").write_text("m")
    assert unpacked.changes() == {"licenses/MIT": b"m"}
    (unpacked.dist_info / "large").write_bytes(b"x" * (9 << 20))
    with pytest.raises(ValueError, match="at most 8388608 are taken"):
        unpacked.changes()
    (unpacked.dist_info / "METADATA").unlink()
    with pytest.raises(ValueError, match="METADATA"):
        unpacked.changes()
