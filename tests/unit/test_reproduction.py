"""The command to reproduce a failure has all that the run was given."""

import pytest

from story import RUN, Story
from wheelfleet_coordinator.core.reproduction import reproduce
from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import IndexName, Sha256, graph_id

INDEX = "https://index.example/simple"
OWN_INPUTS = [
    {"bundle": Sha256("0" * 64)},
    {"options": e.RunOptions(hashes={"a==1": ("0" * 64,)})},
    {"options": e.RunOptions(mode="entries")},
    {"options": e.RunOptions(force=True)},
    {"options": e.RunOptions(replace=True)},
]


def told(index: IndexName = IndexName(), **submitted) -> str:
    story = Story()
    story.append("run", RUN, e.RunSubmitted(RUN, index, story.targets, ("a",), **submitted), "operator-me")
    event = e.RequirementUnresolvable(RUN, story.targets[0], None, "toplevel", "a[x]>9", "there is none")
    story.append("graph", graph_id(RUN, story.targets[0]), event)
    return reproduce(story.world, story.world.graphs_of(RUN)[0], "a[x]>9")


def test_every_option_of_the_run_is_named():
    options = e.RunOptions(
        sdist_only=True,
        skip_constraints=True,
        as_of=1_700_000_000.5,
        index_url=INDEX,
        index_origin="the default",
        cache_servers=("https://cache.example/simple", "file:///wheels/simple"),
        cores_per_build=3,
    )
    assert told(IndexName("ours", "rocm"), options=options) == (
        f"wheelfleet --variant rocm --jobs 3 bootstrap 'a[x]>9' --index-url {INDEX} --as-of @1700000000.5"
        " --cache-wheel-server-url https://cache.example/simple --cache-wheel-server-url file:///wheels/simple"
        f" --sdist-only --skip-constraints --collection ours --target {Story().targets[0]}"
    )


@pytest.mark.parametrize("submitted", OWN_INPUTS)
def test_inputs_that_no_command_line_holds_are_taken_from_the_run(submitted):
    assert told(**submitted) == f"wheelfleet retry {RUN} a"
