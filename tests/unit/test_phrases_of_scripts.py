"""Phrases of fromager's that scripts look for in its output; ours has them, behind the same prefix."""

import re

from story import RUN, Story, edge, stevedore
from wheelfleet_agent.app.preparing import tell_patches
from wheelfleet_agent.core.prepare import Patch
from wheelfleet_coordinator.core.milestones import milestones
from wheelfleet_coordinator.core.walk import Walk
from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import NodeKey, RunId, source_id

TOOL = "setuptools==84.2.1"
PREFIXED = re.compile(r"[a-z-]+-\d+[\d.]*: ")
"""``name-version: ``, as fromager begins each message about a distribution."""
PHRASES = ("resolves to", "using existing wheel", "applying patch file", "built", "failed")


class Lines:
    def __init__(self) -> None:
        self.text = b""

    def write(self, data: bytes) -> None:
        self.text += data


def told(story: Story, run: RunId = RUN) -> list[str]:
    walk = Walk(story.world)
    walk.start()
    walk.instructions()
    return [found.text for found in milestones(story.world, walk, story.world.graphs_of(run), 0)]


def test_every_phrase_is_said_behind_the_name_and_version():
    story = stevedore()
    story.build(TOOL)
    lines = told(story)
    story.finish()
    story.submit(TOOL, run=RunId("r2"))
    story.resolve("", "toplevel", edge("toplevel", TOOL, TOOL), run=RunId("r2"))
    lines += told(story, RunId("r2"))
    log = Lines()
    tell_patches(NodeKey("tool", "1.0"), [Patch("001-fix.patch", b"")], log)  # type: ignore[arg-type]
    lines += log.text.decode().splitlines()
    failing = stevedore()
    gone = edge("build-system", "pbr", "pbr==7.1.3")
    failing.append("source", source_id(gone.source_url, gone.source_sha256), e.FetchFailed(gone.source_url, "gone"))
    lines += told(failing)
    assert [line for line in lines if not PREFIXED.match(line)] == []
    assert [phrase for phrase in PHRASES if not any(phrase in PREFIXED.sub("", line) for line in lines)] == []
