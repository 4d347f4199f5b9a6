"""Lists that strangers make are no longer than events hold: the source is at fault, not the log."""

import pytest

from wheelfleet_agent.core.hook_answers import HookFailed, requirements_of
from wheelfleet_agent.core.pyproject import parse_build_system
from wheelfleet_shared.core.wheel_metadata import read_metadata
from wheelfleet_shared.errors import SourceError

MANY = [f"leaf!=0.{number}" for number in range(20_000)]


def test_a_hook_asks_for_no_endless_list() -> None:
    with pytest.raises(HookFailed, match="asks for 20000 requirements"):
        requirements_of("get_requires_for_build_wheel", MANY)
    assert requirements_of("get_requires_for_build_wheel", MANY[:2000]) == tuple(MANY[:2000])


def test_nor_does_a_pyproject_file() -> None:
    with pytest.raises(SourceError, match=r"line 2.*20000 build requirements"):
        parse_build_system(f"[build-system]\nrequires = {MANY}".encode())


def test_nor_does_a_wheel() -> None:
    lines = "".join(f"Requires-Dist: {text}\n" for text in MANY)
    core, faults = read_metadata(f"Metadata-Version: 2.1\nName: a\nVersion: 1\n{lines}".encode())
    assert core.requires_dist == ()
    assert len(faults) == 1
    assert "Requires-Dist" in faults[0]
