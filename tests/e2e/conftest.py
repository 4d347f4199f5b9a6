"""One index of sources and one embedded cluster for all tests that do not break it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from local_cluster import LocalCluster, Said, local_cluster, sandbox_here
from local_index import LocalIndex, local_index
from local_runs import Run, hook_calls_of_all_attempts, result_of

TREES = (
    "asked-for",
    "asks-hooks",
    "compiled",
    "counted-backend",
    "extra-leaf",
    "extra-user",
    "leaf",
    "middle",
    "tool",
    "top",
)


@pytest.fixture(scope="session")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file to which the backend appends a line a call, where no sandbox hinders it."""
    return tmp_path_factory.mktemp("calls") / "calls"


@pytest.fixture(scope="session")
def sources(calls: Path) -> Iterator[LocalIndex]:
    """An index with all that ``top`` needs."""
    with local_index() as index:
        for tree in TREES:
            index.add_tree(tree, {"CALLS": str(calls)})
        yield index


@pytest.fixture(scope="session")
def cluster(sources: LocalIndex, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A cluster with the sandbox of this machine, in which nobody kills anything."""
    settings = {"WHEELFLEET_SANDBOX": sandbox_here(), "PYTHONHASHSEED": "1", "TZ": "UTC"}
    with local_cluster(tmp_path_factory.mktemp("user"), sources.url, **settings) as made:
        yield made


class First(NamedTuple):
    """The first bootstrap: what it said, and which hooks it called how often."""

    said: Said
    calls: Counter[str]


@pytest.fixture(scope="session")
def first(cluster: LocalCluster) -> First:
    """The bootstrap of ``top`` from nothing, into ``out``."""
    said = cluster.bootstrap("-O", "out", "top")
    assert said.status == 0, said.out + said.err
    return First(said, hook_calls_of_all_attempts(cluster.data))


@pytest.fixture(scope="session")
def undisturbed(cluster: LocalCluster, first: First) -> Run:
    """The results of the bootstrap of ``top``."""
    return result_of(cluster.folder / "out")
