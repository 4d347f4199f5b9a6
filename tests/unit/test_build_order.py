"""What build-order.json says where several answers would be right: always the same one."""

import itertools
import json

import pytest

from story import RUN, Story, edge
from wheelfleet_coordinator.core.build_order_file import build_order, build_order_text


def entries(story: Story) -> dict[str, dict[str, str]]:
    graph = story.world.graphs_of(RUN)[0]
    return {f"{item['dist']}=={item['version']}": item for item in json.loads(build_order_text(graph, {}))}


def toplevel(*nodes: str) -> Story:
    story = Story()
    story.submit(*nodes)
    story.resolve("", "toplevel", *(edge("toplevel", node, node) for node in nodes))
    return story


@pytest.mark.rule("order-2")
def test_what_is_left_open_in_the_order_is_by_name_and_then_by_version():
    for nodes in itertools.permutations(("b==1", "a==10", "a==9")):
        graph = toplevel(*nodes).world.graphs_of(RUN)[0]
        assert [str(node) for node in build_order(graph)] == ["a==9", "a==10", "b==1"]


EDGES = {
    "a nearer parent": (("top==1", "install", "z>0"), ("b==1", "install", "z")),
    "an earlier parent": (("a==1", "install", "z>0"), ("b==1", "build-system", "z")),
    "an earlier kind": (("b==1", "build-system", "z>0"), ("b==1", "install", "z")),
    "an earlier text": (("b==1", "install", "z"), ("b==1", "install", "z>0")),
}


@pytest.mark.rule("order-3")
@pytest.mark.parametrize("why", EDGES)
@pytest.mark.parametrize("turned", [False, True])
def test_an_entry_states_the_least_edge_that_leads_to_it(why, turned):
    story = toplevel("top==1")
    found: dict[tuple[str, str], list[str]] = {("top==1", "install"): ["a==1", "b==1"]}
    for parent, kind, text in reversed(EDGES[why]) if turned else EDGES[why]:
        found.setdefault((parent, kind), []).append(text)
    for (parent, kind), texts in reversed(found.items()) if turned else found.items():
        edges = (edge(kind, text, text if "==" in text else "z==1", constraint=f"for {parent}") for text in texts)
        story.resolve(parent, kind, *edges)
    parent, _, text = EDGES[why][0]
    assert (entries(story)["z==1"]["req"], entries(story)["z==1"]["constraint"]) == (text, f"for {parent}")
