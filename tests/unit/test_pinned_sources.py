"""Sources that may change, pinned in the edges that lead to them."""

from packaging.utils import canonicalize_name

from wheelfleet_coordinator.core.candidates import candidate_at
from wheelfleet_coordinator.core.customised_choice import source_of
from wheelfleet_coordinator.core.customising import Customised
from wheelfleet_coordinator.core.graph import Graph
from wheelfleet_coordinator.core.instructions import Resolve
from wheelfleet_coordinator.core.pinned_sources import Pin, changes, changing_edges, known_pins, with_pins
from wheelfleet_coordinator.core.resolve_stage import Resolved, stage_events
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.bundle import Customisation
from wheelfleet_shared.core.envelope import Aggregate, Envelope, Recorded
from wheelfleet_shared.errors import SourceError
from wheelfleet_shared.names import Actor, GraphId, NodeKey, RunId, TargetId

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LEAF, TOP = NodeKey("leaf", "1.0"), NodeKey("top", "2.0")
STAGE = Resolve(GraphId("g"), None, "toplevel", (), ("leaf", "top"))


def edge(url: str, node: NodeKey = LEAF, sha256: str = "", kind: str = "override") -> e.Edge:
    return e.Edge("toplevel", node.name, node, url, f"{node.name}.tar.gz", sha256, kind)  # type: ignore[arg-type]


def graph() -> Graph:
    return Graph(GraphId("g"), RunId("r"), TargetId("t"))


def resolved(*edges: e.Edge) -> Resolved:
    return Resolved(stage_events(graph(), STAGE, edges), (), (("digest", b"recipe"),))  # type: ignore[arg-type]


def test_branches_and_tags_and_what_lies_on_a_disk_may_change():
    assert changes(edge("git+https://h.test/a@v1"))
    assert not changes(edge(f"git+https://h.test/a@{COMMIT}"))
    assert changes(edge("file:///srv/a"))
    assert not changes(edge("file:///srv/a", sha256="ab"))
    assert not changes(edge("file:///index/a.tar.gz", kind="sdist"))
    assert not changes(edge("https://h.test/a.tar.gz"))


def test_a_pin_stands_in_each_edge_to_the_node_and_other_edges_stay():
    branch, plain = edge("git+https://h.test/a@main"), edge("https://h.test/top.tar.gz", TOP)
    outcome = resolved(branch, plain)
    assert changing_edges(outcome) == {LEAF: branch}
    pinned = with_pins(graph(), STAGE, outcome, {LEAF: Pin("git+https://h.test/a@c", "")})
    assert [item.source_url for item in pinned.events[0].edges] == ["git+https://h.test/a@c", plain.source_url]
    assert pinned.recipes == outcome.recipes
    assert with_pins(graph(), STAGE, outcome, {}) is outcome


def test_what_lies_on_a_disk_is_promised_by_its_digest():
    pinned = with_pins(graph(), STAGE, resolved(edge("file:///a")), {LEAF: Pin("file:///a", "ab")})
    assert pinned.events[0].edges[0].source_sha256 == "ab"


def test_a_source_that_cannot_be_had_makes_its_requirement_unresolvable():
    outcome = resolved(edge("git+https://h.test/a@gone"), edge("https://h.test/t", TOP))
    failed = with_pins(graph(), STAGE, outcome, {LEAF: SourceError("no tag gone", "correct it")})
    assert [item.node for item in failed.events[0].edges] == [TOP]
    (failure,) = failed.failures
    assert (failure.requirement, failure.hint) == ("leaf", "correct it")
    assert "leaf==1.0" in failure.reason
    assert "no tag gone" in failure.reason


def test_a_run_builds_from_the_source_that_it_named_first():
    known = graph()
    first = edge(f"git+https://h.test/a@{COMMIT}", sha256="")
    event = e.RequirementsResolved(RunId("r"), TargetId("t"), None, "toplevel", (first,))
    known.apply(Recorded(1, Aggregate("graph", "g"), Actor("coordinator-c"), Envelope("i", 0.0, event)))
    assert known_pins([graph(), known], [LEAF, TOP]) == {LEAF: Pin(first.source_url, "")}


def test_submodules_of_settings_are_part_of_the_source():
    text = b"download_source: {url: 'git+https://h.test/a@v${version}'}\ngit_options: {submodules: true}"
    customised = Customised.parse(Customisation("cpu", {"settings/leaf.yaml": text}))
    found = source_of(
        candidate_at("https://h.test/x.tar.gz", canonicalize_name("leaf"), "1.0", "sdist"),
        LEAF,
        customised,
        stated=False,
    )
    assert found.url == "git+https://h.test/a@v1.0?submodules=all"
    assert (found.name, found.type) == ("leaf-1.0.tar.gz", "override")


def test_an_order_says_the_commit_again():
    url = f"git+https://h.test/a@{COMMIT}?ref=v1"
    stated = candidate_at(url, canonicalize_name("leaf"), "1.0", "sdist")
    found = source_of(stated, LEAF, Customised.parse(Customisation()), stated=True)
    assert (found.url, found.name, found.type) == (url, "leaf-1.0.tar.gz", "override")
