"""The walk of links in memory against the kernel's own, on trees that hypothesis draws."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from wheelfleet_agent.core.archive_limits import ExtractLimits
from wheelfleet_agent.core.archive_names import check_links
from wheelfleet_shared.errors import SourceError

NAMES = st.sampled_from("abc")
PLACES = st.lists(NAMES, min_size=1, max_size=3).map(tuple)
TARGETS = st.lists(st.sampled_from(["a", "b", "c", "..", "..", "."]), min_size=1, max_size=6).map("/".join)


def lay(root, links):
    """The links that find a place in a real tree, folders made as needed, and those folders."""
    laid, folders = {}, {()}
    for place, target in links.items():
        path = root.joinpath(*place)
        above = [root.joinpath(*place[:depth]) for depth in range(1, len(place))]
        if path.is_symlink() or path.exists() or any(folder.is_symlink() for folder in above):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
        laid[place] = target
        folders |= {place[:depth] for depth in range(len(place))}
    return laid, folders


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(PLACES, TARGETS, min_size=1, max_size=8))
@pytest.mark.rule("epoch-6")
def test_no_link_that_is_let_through_leaves_the_tree(links):
    with tempfile.TemporaryDirectory() as above:
        root = Path(above).resolve() / "deep" / "root"
        root.mkdir(parents=True)
        laid, folders = lay(root, links)
        try:
            check_links(laid, folders, ExtractLimits())
        except SourceError:
            event("refused")
            return
        event("let through")
        for place in laid:
            assert Path(os.path.realpath(root.joinpath(*place))).is_relative_to(root)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(PLACES, TARGETS, min_size=1, max_size=8))
def test_a_tree_whose_links_all_lead_to_something_inside_is_let_through(links):
    with tempfile.TemporaryDirectory() as above:
        root = Path(above).resolve() / "root"
        root.mkdir()
        laid, folders = lay(root, links)
        # the parent has no "root" entry to come back by: what exists inside was reached inside
        if all(stays(root, place) for place in laid):
            check_links(laid, folders, ExtractLimits())


def stays(root, place):
    """Whether the kernel finds the link's end while it may not leave the root (no '..' above it)."""
    try:
        with_guard = os.open(root.joinpath(*place), os.O_PATH)
    except OSError:
        return False
    os.close(with_guard)
    return not climbs_above(root, place)


def climbs_above(root, place):
    """A slow walk over real paths, one component after the other."""
    here, todo = root.joinpath(*place).parent, [place[-1]]
    while todo:
        part = todo.pop(0)
        if part == ".." and here == root:
            return True
        if (here / part).is_symlink():
            todo = str((here / part).readlink()).split("/") + todo
        elif part == "..":
            here = here.parent
        elif part != ".":
            here /= part
    return False
