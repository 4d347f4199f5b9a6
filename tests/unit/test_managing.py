"""What is said about the embedded cluster."""

import json
from pathlib import Path

import pytest

from wheelfleet_coordinator.adapters.processes import ProcessMark
from wheelfleet_coordinator.app.cluster_files import Cluster
from wheelfleet_coordinator.app.embedded import ClusterStatus
from wheelfleet_coordinator.cli import managing
from wheelfleet_coordinator.cli.settings import Format

URL = "http://127.0.0.1:8/indexes/main/cpu/simple/"


@pytest.fixture(autouse=True)
def cluster(tmp_path, monkeypatch):
    """It is said to run; its credential is for a server that is gone."""
    mark = ProcessMark(1, 0, "boot")
    found = Cluster(str(tmp_path), "nats://127.0.0.1:1", "http://127.0.0.1:8", "http://127.0.0.1:9", "none", mark, ())
    monkeypatch.setattr(managing, "attach", lambda _, wishes, on_start: found)
    monkeypatch.setattr(managing, "status_of", lambda _: ClusterStatus(str(tmp_path), 0, found, ()))
    return found


def test_the_whole_url_of_the_index_is_said_wherever_the_cluster_is(capsys):
    managing.start_cluster(None, None)
    assert URL in capsys.readouterr().out
    managing.print_status(Format.TEXT)
    assert URL in capsys.readouterr().out
    managing.print_status(Format.JSON)
    assert json.loads(capsys.readouterr().out)["index_url"] == URL


@pytest.mark.parametrize(("active", "told"), [(0, ""), (1, "1 run is active; it goes"), (2, "2 runs are active; they")])
def test_a_stop_says_what_goes_on_later(monkeypatch, capsys, active, told):
    async def counted(_):
        return active

    monkeypatch.setattr(managing, "_count_active", counted)
    monkeypatch.setattr(managing, "stop", lambda _, now: not now)
    managing.stop_cluster(now=False)
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.endswith("is stopped")
    assert " ".join(rest).startswith(told)
    assert bool(rest) == bool(active)


def test_a_stop_does_not_fail_where_nobody_tells_the_runs(monkeypatch, capsys):
    monkeypatch.setattr(managing, "stop", lambda _, now: not now)
    managing.stop_cluster(now=False)
    assert Path(capsys.readouterr().out.split()[3]).is_absolute()
