"""wheelfleet against what fromager made of the same requirements when the records were last renewed."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import pytest

from agreement import Results, require_agreement
from conformance_sets import LIVE, SETS, ConformanceSet
from records import PLACEHOLDER, RECORDS, read_record
from wheelfleet_program import Wheelfleet


class Run(NamedTuple):
    """A bootstrap that ended."""

    exit_status: int
    words: str
    results: Results


RECORDED = [
    pytest.param(item, id=item.name, marks=() if item.quick else pytest.mark.long) for item in SETS if item is not LIVE
]


AT_ONCE = 4
"""Runs that share the cluster: builds of one fill the slots while another waits."""


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, wheelfleet: Wheelfleet, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Run]]]:
    """By the name of their set the runs of all sets that were selected, under way."""

    def bootstrap(conformance_set: ConformanceSet) -> Run:
        output = tmp_path_factory.mktemp(conformance_set.name)
        pins = read_record(conformance_set.name).path
        done = wheelfleet.bootstrap(output, "-p", str(pins), *conformance_set.requirements)
        return Run(done.returncode, done.stdout + done.stderr, Results(output / "work-dir"))

    here = [item for item in request.session.items if item.path == request.path and hasattr(item, "callspec")]
    chosen: list[ConformanceSet] = [item.callspec.params["conformance_set"] for item in here]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {item.name: pool.submit(bootstrap, item) for item in chosen}


@pytest.mark.parametrize("conformance_set", RECORDED)
@pytest.mark.rule("set-1")
def test_a_run_pinned_by_the_record_makes_the_same(conformance_set: ConformanceSet, runs, say):
    record, run = read_record(conformance_set.name), runs[conformance_set.name].result()
    assert run.exit_status == 0, run.words
    compared = require_agreement(run.results, record.graph, record.constraints)
    say(f"{conformance_set.name} (recorded): {compared.nodes} nodes, {compared.edges} edges the same")


def test_records_name_no_host():
    for path in RECORDS.rglob("*.json"):
        assert path.read_text().replace(f'"download_url": "{PLACEHOLDER}/', "").count("://") == 0, path
