import pytest

from story import RUN, TARGET, edge, sha256_of, stevedore
from wheelfleet_coordinator.core.garbage import YOUNGEST, is_garbage, referenced
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import plan_build
from wheelfleet_shared.core.keys import blob_key, bundle_key, log_key, metadata_key, pinned_page_key, source_key
from wheelfleet_shared.core.recipe import NodeRecipe
from wheelfleet_shared.names import BuildId, IndexName, NodeKey, file_id

OLD = YOUNGEST + 1


@pytest.mark.rule("daily-13")
def test_what_an_event_leads_to_is_kept():
    story = stevedore()
    wheel = story.build("setuptools==84.2.1")
    page = sha256_of("page")
    story.append("run", RUN, e.ProjectListed("pbr", page, "text/html", "https://x/"))
    kept = referenced(story.world)
    upstream = edge("install", "x", "setuptools==84.2.1")
    blob = blob_key(wheel.sha256, wheel.file_name)
    keys = [blob, metadata_key(blob), pinned_page_key(page), source_key(upstream.source_sha256, upstream.source_name)]
    assert not any(is_garbage(story.world, kept, key, OLD) for key in keys)


def test_what_settings_and_plugins_come_to_is_kept_while_a_build_names_it():
    story = stevedore()
    source = e.FileRef("x-1.tar.gz", sha256_of("x"), 1)
    recipe = NodeRecipe(sha256_of("preparation"), sha256_of("build"), hooks=sha256_of("hooks"))
    build, plan = plan_build(
        "wheel", IndexName(), NodeKey("x", "1"), target=TARGET, host=TARGET, source=source, source_url="", recipe=recipe
    )
    keys = [bundle_key(sha256_of(name)) for name in ("preparation", "build", "hooks")]
    assert all(is_garbage(story.world, referenced(story.world), key, OLD) for key in keys)
    story.append("build", build, plan)
    assert not any(is_garbage(story.world, referenced(story.world), key, OLD) for key in keys)


def test_a_withdrawn_wheel_stays_only_while_its_build_names_it():
    story = stevedore()
    wheel = e.FileRef("x-1-0-py3-none-any.whl", sha256_of("x"), 1)
    story.publish("x==1", wheel)
    key = blob_key(wheel.sha256, wheel.file_name)
    assert not is_garbage(story.world, referenced(story.world), key, OLD)
    story.append("file", file_id(IndexName(), wheel.file_name), e.WheelWithdrawn("wrong"), "operator-me")
    assert is_garbage(story.world, referenced(story.world), key, OLD)


def test_what_is_young_is_left_alone():
    story = stevedore()
    key = blob_key(sha256_of("unknown"), "x.whl")
    assert is_garbage(story.world, set(), key, OLD)
    assert not is_garbage(story.world, set(), key, YOUNGEST - 1)


def test_logs_stay_as_long_as_their_builds_are_known():
    story = stevedore()
    story.prepare("setuptools==84.2.1")
    build = story.builds("setuptools==84.2.1").source[0]
    assert not is_garbage(story.world, set(), log_key(build, 3), OLD)
    assert is_garbage(story.world, set(), log_key(BuildId("unknown"), 3), OLD)
