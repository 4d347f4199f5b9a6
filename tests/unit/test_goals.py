"""What is made of a node: a wheel, or with --sdist-only no more than its metadata."""

import pytest

from story import Story, edge
from wheelfleet_shared.core import events as e


def told(*, sdist_only: bool) -> Story:
    """app is built with tool, which installs leaf; app installs lib."""
    story = Story(options=e.RunOptions(sdist_only=sdist_only))
    story.submit("app")
    story.resolve("", "toplevel", edge("toplevel", "app", "app==1"))
    story.resolve("app==1", "install", edge("install", "lib", "lib==1"))
    story.resolve("app==1", "build-system", edge("build-system", "tool", "tool==1"))
    story.resolve("tool==1", "install", edge("install", "leaf", "leaf==1"))
    return story


@pytest.mark.parametrize(
    ("node", "goal"), [("app==1", "metadata"), ("lib==1", "metadata"), ("tool==1", "wheel"), ("leaf==1", "wheel")]
)
@pytest.mark.rule("hook-13")
def test_without_wheels_only_what_builds_others_is_built(node, goal):
    assert told(sdist_only=True).builds(node).result[1].goal == goal
    assert told(sdist_only=False).builds(node).result[1].goal == "wheel"
