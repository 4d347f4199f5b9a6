"""A script for fromager's steps, run with nothing but the program's name changed."""

import os
import sys
from pathlib import Path

import pytest

from fromager_program import without_ours
from local_index import local_index
from steps_record import TREES, read_record, run_script, write_record
from wheelfleet_program import sandbox_here


@pytest.fixture
def index():
    with local_index() as served:
        for tree in TREES:
            served.add_tree(tree)
        yield served.url


def test_the_script_does_with_wheelfleet_what_it_did_with_fromager(index, tmp_path):
    program = Path(sys.executable).with_name("wheelfleet")
    environment = without_ours(os.environ) | ({"WHEELFLEET_SANDBOX": "none"} if sandbox_here() == "none" else {})
    found = run_script(program, index, tmp_path, environment)
    recorded = read_record()
    assert found["printed"] == recorded["printed"]
    assert found == recorded


@pytest.mark.long
def test_fromager_is_recorded_anew(fromager, index, tmp_path, say):
    path = f"{fromager.bin}{os.pathsep}{os.environ['PATH']}"
    environment = without_ours(os.environ) | {"PATH": path, "VIRTUAL_ENV": str(fromager.bin.parent)}
    found = run_script(fromager.bin / "fromager", index, tmp_path, environment)
    before = read_record()
    write_record(found)
    assert found == before
    say(f"{len(found['printed'])} steps do as recorded")
