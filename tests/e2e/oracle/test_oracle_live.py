"""wheelfleet against fromager itself: both bootstrap the same requirements from the package index."""

import json
from pathlib import Path

import pytest

from agreement import Results, require_agreement, require_same_requirement_files, require_same_words
from conformance_sets import FAILING, JOINT, LIVE, SETS, ConformanceSet
from fromager_program import Fromager
from records import write_record
from wheelfleet_program import Wheelfleet


def bootstrap_both(
    fromager: Fromager, wheelfleet: Wheelfleet, conformance_set: ConformanceSet, folder: Path
) -> tuple[Results, Results]:
    """wheelfleet's results, whose run is pinned by fromager's graph, and fromager's."""
    theirs, ours = folder / "fromager", folder / "wheelfleet"
    theirs.mkdir()
    done = fromager.run("bootstrap", *conformance_set.requirements, cwd=theirs)
    assert done.returncode == 0, done.stderr[-5000:]
    pins = str(theirs / "work-dir" / "graph.json")
    done = wheelfleet.bootstrap(ours, "-p", pins, *conformance_set.requirements)
    assert done.returncode == 0, done.stdout + done.stderr
    return Results(ours / "work-dir"), Results(theirs / "work-dir")


@pytest.mark.rule("set-1")
def test_both_make_the_same_of_stevedore(fromager, wheelfleet, say, tmp_path):
    ours, theirs = bootstrap_both(fromager, wheelfleet, LIVE, tmp_path)
    compared = require_agreement(ours, theirs.graph, theirs.constraints)
    files = require_same_requirement_files(ours, theirs)
    paths = ours.folder / "graph.json", theirs.folder / "graph.json"
    answers = require_same_words(fromager, *paths, ["pbr", "setuptools"], tmp_path)
    say(
        f"{LIVE.name} (live): {compared.nodes} nodes, {compared.edges} edges, {files} files, {answers} answers the same"
    )


@pytest.mark.long
@pytest.mark.parametrize("conformance_set", [pytest.param(item, id=item.name) for item in SETS])
def test_both_make_the_same_of_each_set(conformance_set, fromager, wheelfleet, say, tmp_path):
    ours, theirs = bootstrap_both(fromager, wheelfleet, conformance_set, tmp_path)
    write_record(conformance_set.name, theirs.graph, theirs.constraints)
    compared = require_agreement(ours, theirs.graph, theirs.constraints)
    files = require_same_requirement_files(ours, theirs)
    say(f"{conformance_set.name} (live, now recorded): {compared.nodes} nodes, {compared.edges} edges, {files} files")


@pytest.mark.long
def test_both_make_the_same_of_all_sets_together(fromager, wheelfleet, say, tmp_path):
    ours, theirs = bootstrap_both(fromager, wheelfleet, JOINT, tmp_path)
    compared = require_agreement(ours, theirs.graph, theirs.constraints)
    assert compared.nodes >= 45
    assert compared.edges >= 120
    files = require_same_requirement_files(ours, theirs)
    names = sorted({node["canonicalized_name"] for node in json.loads(theirs.graph).values()} - {""})
    paths = ours.folder / "graph.json", theirs.folder / "graph.json"
    answers = require_same_words(fromager, *paths, names, tmp_path)
    say(f"joint (live): {compared.nodes} nodes, {compared.edges} edges, {files} files, {answers} answers")
    require_same_wheels_in_sequence(fromager, ours, tmp_path / "sequence", say)


def require_same_wheels_in_sequence(fromager, ours: Results, folder: Path, say) -> None:
    """fromager builds our order, one after the other in an empty folder, to wheels of the same names."""
    folder.mkdir()
    done = fromager.run("build-sequence", str(ours.folder / "build-order.json"), cwd=folder)
    assert done.returncode == 0, done.stderr[-5000:]
    names = wheel_names(folder)
    assert names == wheel_names(ours.folder.parent)
    say(f"build-sequence of our order: {len(names)} wheels of the same names")


def wheel_names(output: Path) -> list[str]:
    return sorted(path.name for path in (output / "wheels-repo" / "downloads").glob("*.whl"))


@pytest.mark.long
def test_both_fail_where_crates_are_needed(fromager, wheelfleet, tmp_path):
    (tmp_path / "fromager").mkdir()
    theirs = fromager.run("bootstrap", *FAILING.requirements, cwd=tmp_path / "fromager")
    ours = wheelfleet.bootstrap(tmp_path / "wheelfleet", *FAILING.requirements)
    assert (theirs.returncode, ours.returncode) == (1, 1), (theirs.stderr[-3000:], ours.stdout + ours.stderr)
    assert "cargo" in ours.stdout + ours.stderr
