"""Which Pythons the agent of an embedded cluster builds for is the user's to say."""

import os

import pytest

from wheelfleet_coordinator.adapters.processes import ProcessMark
from wheelfleet_coordinator.app.cluster_files import Cluster, wished_interpreters
from wheelfleet_coordinator.cli import managing
from wheelfleet_coordinator.cli.connection import wishes_of
from wheelfleet_coordinator.cli.settings import Settings
from wheelfleet_shared.errors import InputError


def test_the_variable_names_interpreters_as_path_names_folders():
    assert wished_interpreters({"WHEELFLEET_INTERPRETERS": f"/a/python3.12{os.pathsep}/b/python3.13"}) == (
        "/a/python3.12",
        "/b/python3.13",
    )


@pytest.mark.parametrize("environ", [{}, {"WHEELFLEET_INTERPRETERS": ""}])
def test_nothing_said_leaves_the_choice_to_the_cluster(environ):
    assert wished_interpreters(environ) is None


def test_a_relative_path_is_refused_since_the_agent_starts_elsewhere():
    with pytest.raises(InputError, match="WHEELFLEET_INTERPRETERS"):
        wished_interpreters({"WHEELFLEET_INTERPRETERS": "bin/python3.12"})


def test_a_command_asks_its_embedded_cluster_for_them():
    wishes = wishes_of(Settings(slots=3), {"WHEELFLEET_INTERPRETERS": "/a/python3.12"})
    assert (wishes.slots, wishes.interpreters) == (3, ("/a/python3.12",))


def test_starting_the_cluster_asks_for_them_too(monkeypatch):
    asked = []

    def attach(data, *, wishes, **_):
        asked.append(wishes.interpreters)
        return Cluster("", "", "", "", "", ProcessMark(1, 1, "boot"), ())

    monkeypatch.setattr(managing, "attach", attach)
    monkeypatch.setenv("WHEELFLEET_INTERPRETERS", "/a/python3.12")
    managing.start_cluster(None, None)
    assert asked == [("/a/python3.12",)]
