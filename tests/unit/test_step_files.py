"""Names and notes of steps, and locks as uv writes them."""

from pathlib import Path

import pytest
from msgspec import json
from msgspec.structs import replace

from event_samples import BY_KIND
from wheelfleet_agent.core.lock_file import read_lock
from wheelfleet_agent.core.step_files import SourceState, StepPlaces, find_archive, read_state
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.step import StepRecipe, decode_step, encode_step
from wheelfleet_shared.errors import InfrastructureError, InputError
from wheelfleet_shared.names import NodeKey, Sha256

NODE = NodeKey("zope-interface", "5.0")
PLACES = StepPlaces(Path("/o/sdists-repo"), Path("/o/wheels-repo"), Path("/o/work-dir"))
DEFINITION = BY_KIND[e.TargetDefined].definition  # type: ignore[attr-defined]


def test_folders_are_fromagers():
    python = replace(DEFINITION, marker_environment={"python_full_version": "3.13.1"}, abi="cp313")
    assert PLACES.tree(NODE) == Path("/o/work-dir/zope_interface-5.0/zope_interface-5.0")
    assert PLACES.environment(NODE, python) == Path("/o/work-dir/zope_interface-5.0/build-3.13.1")
    assert PLACES.environment(NODE, replace(python, abi="cp313t")).name == "build-3.13.1t"
    assert (PLACES.downloads, PLACES.patched) == (Path("/o/sdists-repo/downloads"), Path("/o/sdists-repo/builds"))
    assert PLACES.wheel_folders == tuple(Path("/o/wheels-repo", name) for name in ("downloads", "prebuilt", "build"))


@pytest.mark.parametrize(
    "name",
    ["zope.interface-5.0.tar.gz", "zope_interface-5.0.zip", "Zope-Interface-5.0.TAR.GZ", "zope_interface-5.tar.gz"],
)
def test_archives_are_found_in_each_spelling(name):
    assert find_archive(["other-5.0.tar.gz", name, "zope_interface-6.0.tar.gz"], NODE) == name


@pytest.mark.parametrize(
    "name", ["zope_interface-5.0.whl", "zope_interface.tar.gz", "zope_interface-x.tar.gz", "README"]
)
def test_other_files_are_none_of_its_archives(name):
    assert find_archive([name], NODE) is None
    assert find_archive([name], NODE, "v5.tar.gz") is None
    assert find_archive([name, "v5.tar.gz"], NODE, "v5.tar.gz") == "v5.tar.gz"


def test_what_one_step_left_another_reads():
    state = SourceState("a-1.tar.gz", Sha256("a" * 64), 7, ("x",), {"x": "y"})
    assert read_state(json.encode(state), SourceState, "prepare-source") == state
    with pytest.raises(InputError, match="what prepare-source left cannot be read"):
        read_state(b"{", SourceState, "prepare-source")
    recipe = StepRecipe(archive="v5.tar.gz", constraints=("a<2",))
    assert decode_step(encode_step(recipe)) == recipe
    with pytest.raises(InputError, match="no recipe of a step"):
        decode_step(b"\xff")


def lock(*wheels):
    files = ", ".join(f'{{ url = "{url}", hashes = {{ sha256 = "{"a" * 64}" }} }}' for url in wheels)
    return f'[[packages]]\nname = "tool"\nversion = "1.0"\nwheels = [{files}]\n'


def test_of_several_wheels_the_best_fitting_is_taken():
    pure, native, other = (f"http://h/tool-1.0-{tag}.whl" for tag in ("py3-none-any", "cp311-cp311-x", "cp311-cp311-y"))
    (wheel,) = read_lock(lock(pure, other, native, "http://h/odd.whl"), ("cp311-cp311-x", "py3-none-any"))
    assert (wheel.name, wheel.version, wheel.url, wheel.sha256) == ("tool", "1.0", native, "a" * 64)
    (named,) = read_lock(lock("file:///a%2Bb/tool-1.0%2Bx-py3-none-any.whl"), ("py3-none-any",))
    assert named.file_name == "tool-1.0+x-py3-none-any.whl"
    assert read_lock("", ()) == ()


@pytest.mark.parametrize(
    "text", ["[", "packages = 1", '[[packages]]\nname = "x"', lock("http://h/tool-1.0-py2-none-any.whl")]
)
def test_a_lock_that_is_none(text):
    with pytest.raises(InfrastructureError, match="a lock that cannot be read"):
        read_lock(text, ("py3-none-any",))
