"""A wheel's parts must agree: every lie is refused, and all of them at once."""

import pytest

from wheelfleet_shared.core.wheel_check import (
    Member,
    build_tag_text,
    check_wheel,
    dist_info_folder,
    is_planned_tag,
    read_wheel_name,
)
from wheelfleet_shared.core.wheel_record import RecordEntry, read_record, record_digest, write_record
from wheelfleet_shared.errors import PolicyError
from wheelfleet_shared.names import NodeKey

NAME = "Foo_Bar-1.0-0-py3-none-any.whl"
INFO = "Foo_Bar-1.0.dist-info"
METADATA = b"Metadata-Version: 2.1\nName: Foo.Bar\nVersion: 1.0\nRequires-Python: >=3.9\n"
METADATA += b'Requires-Dist: baz>=1; extra == "x"\nProvides-Extra: x\n\nbody\n'
WHEEL = b"Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\nBuild: 0\n"
CONTENTS = {"foo.py": 1, f"{INFO}/METADATA": 2, f"{INFO}/WHEEL": 3, f"{INFO}/RECORD": 4}


def record(names=CONTENTS, **changes):
    digest = record_digest(b"x" * 32)
    entries = [RecordEntry(name, "" if "RECORD" in name else digest, CONTENTS.get(name)) for name in names]
    return write_record([RecordEntry(e.name, changes.get("digest", e.digest), e.size) for e in entries])


def check(name=NAME, members=CONTENTS, metadata=METADATA, wheel=WHEEL, listed=None, wanted=None):
    found = [Member(member, size, 0) for member, size in dict(members).items()]
    return check_wheel(name, found, metadata, wheel, record() if listed is None else listed, wanted)


def test_a_true_wheel_tells_its_facts():
    facts = check(wanted=NodeKey("foo-bar", "1.0"))
    assert (facts.name, facts.version, facts.build_tag, facts.tags) == ("foo-bar", "1.0", "0", ("py3-none-any",))
    assert facts.requires_dist == ('baz>=1; extra == "x"',)
    assert (facts.requires_python, facts.provides_extra, facts.warnings) == (">=3.9", ("x",), ())
    assert len(facts.metadata_sha256) == 64


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (b"Name: Foo.Bar", b"Name: requests", "METADATA names 'requests'"),
        (b"Version: 1.0\nR", b"Version: 99.0\nR", "METADATA has version '99.0'"),
        (b"Name: Foo.Bar\n", b"", "Name '' cannot be read"),
        (b"Version: 1.0\nR", b"R", "Version '' cannot be read"),
        (b"Version: 1.0\nR", b"Version: one\nR", "Version 'one' cannot be read"),
        (b"baz>=1;", b"baz >= 1 or;", "Requires-Dist 'baz >= 1 or"),
        (b">=3.9", b">=3.9.*", "Requires-Python '>=3.9.*' cannot"),
        (b"Provides-Extra: x", b"Provides-Extra: x y", "Provides-Extra 'x y' cannot"),
        (b"Name: Foo.Bar", b"Name: Foo.Bar\nName: requests", "Name cannot be read"),
    ],
)
@pytest.mark.rule("wheel-1")
def test_lies_of_metadata_are_refused(before, after, message):
    assert before in METADATA
    with pytest.raises(PolicyError) as caught:
        check(metadata=METADATA.replace(before, after))
    assert message in caught.value.what


@pytest.mark.parametrize(
    "metadata",
    [
        METADATA.replace(b"\n\nbody", b"\nLicense-File: LICENSE\n\nbody"),
        METADATA.replace(b"Metadata-Version: 2.1\n", b""),
        METADATA.replace(b"\n\nbody", b"\nKeywords: a\nKeywords: b\n\nbody"),
        METADATA.replace(b"\n\nbody", b"\nX-Own: 1\n\nbody"),
    ],
    ids=["license-file in 2.1", "no metadata version", "twice", "unknown"],
)
@pytest.mark.rule("wheel-2")
def test_the_rest_of_metadata_is_a_warning(metadata):
    assert check(metadata=metadata).warnings


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (b"Tag: py3-none-any", b"Tag: cp311-cp311-linux_x86_64", "tags cp311-cp311-linux_x86_64 are not"),
        (b"Tag: py3-none-any\n", b"", "tags none are not"),
        (b"Tag: py3-none-any", b"Tag: nonsense", "Tag cannot be read"),
        (b"Tag: py3-none-any", b"Tag: py2.py3-none-any", "tags py2-none-any, py3-none-any are not"),
        (b"Build: 0\n", b"", "build tag '' is not the file name's '0'"),
        (b"Build: 0", b"Build: 7x", "build tag '7x' is not"),
        (b"Wheel-Version: 1.0", b"Wheel-Version: 2.0", "Wheel-Version '2.0'"),
        (b"Root-Is-Purelib: true", b"Root-Is-Purelib: maybe", "neither true nor false"),
    ],
)
@pytest.mark.rule("pure-7")
def test_lies_of_the_wheel_file_are_refused(before, after, message):
    with pytest.raises(PolicyError) as caught:
        check(wheel=WHEEL.replace(before, after))
    assert message in caught.value.what


def native(tags, purelib):
    lines = b"".join(b"Tag: %s\n" % tag.encode() for tag in tags)
    text = b"Wheel-Version: 1.0\nRoot-Is-Purelib: %s\n" % purelib + lines
    return check(name=f"foo_bar-1.0-{tags[0]}.whl", wheel=text)


def test_purelib_must_fit_the_abi_and_is_else_only_unusual():
    assert native(["cp311-cp311-linux_x86_64"], b"false").warnings == ()
    assert "unusual" in native(["py3-none-linux_x86_64"], b"true").warnings[0]
    assert "unusual" in native(["py3-none-any"], b"false").warnings[0]
    with pytest.raises(PolicyError, match="its tags have an ABI"):
        native(["cp39-abi3-linux_x86_64"], b"true")


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        (record([name for name in CONTENTS if name != "foo.py"]), "does not list 'foo.py'"),
        (record([*CONTENTS, "ghost.py"]), "lists 'ghost.py', which is not there"),
        (record([*CONTENTS, "foo.py"]), "lists 'foo.py' 2 times"),
        (record(digest=""), "no digest of sha256"),
        (record(digest="md5=abcd"), "no digest of sha256"),
        (record(digest="sha256=a"), "no base64"),
        (record().replace(b",1\n", b",17\n"), "17 bytes for 'foo.py' of 1"),
        (b"foo.py,sha256=x\n", "line 1 is not path"),
        (b"foo.py,sha256=x,many\n", "line 1 is not path"),
        (b"\xff", "RECORD"),
    ],
)
@pytest.mark.rule("wheel-3", "wheel-4")
def test_lies_of_record_are_refused(listed, message):
    with pytest.raises(PolicyError) as caught:
        check(listed=listed)
    assert message in caught.value.what


@pytest.mark.rule("wheel-4", "wheel-5")
def test_record_may_leave_sizes_and_signatures_out():
    listed = b"".join(line.rpartition(b",")[0] + b",\n" for line in record().splitlines())
    assert check(listed=listed, members={**CONTENTS, f"{INFO}/RECORD.jws": 9, "folder/": 0})


@pytest.mark.parametrize("name", ["/etc/x", "../x", "a/../x", "a\\b", "C:/x", "a//b", "./a"])
def test_members_that_could_leave_are_refused(name):
    with pytest.raises(PolicyError, match="could leave"):
        check(members={**CONTENTS, name: 1}, listed=record([*CONTENTS, name]))


def test_duplicate_members_are_refused():
    found = [Member(name, size, 0) for name, size in [*CONTENTS.items(), ("foo.py", 1)]]
    with pytest.raises(PolicyError, match=r"'foo\.py' stands 2 times"):
        check_wheel(NAME, found, METADATA, WHEEL, record())


@pytest.mark.parametrize("wanted", [NodeKey("requests", "1.0"), NodeKey("foo-bar", "1.1"), NodeKey("foo-bar", "x")])
@pytest.mark.rule("wheel-1")
def test_another_distribution_than_wanted_is_refused(wanted):
    with pytest.raises(PolicyError, match=f"it is not {wanted}"):
        check(wanted=wanted)


def test_all_faults_are_told_at_once():
    with pytest.raises(PolicyError) as caught:
        check(metadata=b"Name: x\nVersion: 2\n", wheel=b"", listed=b"", wanted=NodeKey("y", "3"))
    for part in (
        "it is not y==3",
        "METADATA names",
        "METADATA has version",
        "Wheel-Version",
        "build tag",
        "RECORD does",
    ):
        assert part in caught.value.what


@pytest.mark.parametrize(
    ("file_name", "names", "message"),
    [
        ("foo.whl", [], "Invalid wheel filename|foo"),
        (NAME, ["foo.py"], "not one .dist-info folder"),
        (NAME, [f"{INFO}/WHEEL", "evil-1.dist-info/WHEEL"], "not one .dist-info folder"),
        (NAME, ["requests-99.0.dist-info/WHEEL"], "its metadata folder is requests-99.0"),
        (NAME, ["foo_bar-1.1.dist-info/WHEEL"], "its metadata folder is foo_bar-1.1"),
        (NAME, [f"{INFO}/WHEEL"], "has no METADATA, RECORD"),
    ],
)
@pytest.mark.rule("wheel-1")
def test_a_wheel_has_one_metadata_folder_of_its_own(file_name, names, message):
    with pytest.raises(PolicyError, match=message):
        dist_info_folder(file_name, names)


@pytest.mark.rule("wheel-7")
def test_local_versions_epochs_and_build_suffixes_are_read():
    named = read_wheel_name("a-1!2.0+cu118.1-3abc-py2.py3-none-any.whl")
    assert (str(named.version), build_tag_text(named.build_tag), len(named.tags)) == ("1!2.0+cu118.1", "3abc", 2)
    assert build_tag_text(()) == ""


def test_record_survives_names_that_need_quotes():
    entries = (RecordEntry('a, "b"\nc.py', "sha256=x", 3), RecordEntry("é", "", None))
    assert read_record(write_record(list(entries))) == entries


@pytest.mark.parametrize(
    ("text", "planned", "fits"),
    [
        ("2", "2", True),
        ("", "", True),
        ("2_el9_cuda13.0", "2", True),
        ("2_", "2", False),
        ("2x", "2", False),
        ("20_a", "2", False),
        ("3", "2", False),
        ("2_a", "", False),
        ("2", "2_a", False),
    ],
)
def test_a_hook_may_add_segments_to_the_planned_build_tag(text, planned, fits):
    assert is_planned_tag(text, planned) is fits
