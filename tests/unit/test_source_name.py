"""Names of sources: file names in legacy forms, and PKG-INFO that lies."""

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from wheelfleet_agent.core.source_name import Claim, check_claim, read_claim, stub_pkg_info, version_of
from wheelfleet_shared.errors import SourceError


@pytest.mark.parametrize(
    ("file_name", "distribution", "version"),
    [
        ("zope.interface-5.0.tar.gz", "zope.interface", "5.0"),
        ("zope_interface-7.2.tar.gz", "zope.interface", "7.2"),
        ("zope.interface-5.0.zip", "zope.interface", "5.0"),
        ("PyYAML-6.0.2.tar.gz", "pyyaml", "6.0.2"),
        ("python-dateutil-2.8.2.tar.gz", "python-dateutil", "2.8.2"),
        ("foo-1.0-1.tar.gz", "foo", "1.0.post1"),
        ("foo-2-1.0.tgz", "foo-2", "1.0"),
        ("foo-1.0-beta.tar.bz2", "foo", "1.0b0"),
        ("foo-1!2.0+local.1.tar.xz", "foo", "1!2.0+local.1"),
        ("Foo.Bar-1.TAR.GZ", "foo-bar", "1"),
    ],
)
@pytest.mark.rule("source-6")
def test_legacy_file_names_are_read(file_name, distribution, version):
    assert version_of(file_name, canonicalize_name(distribution)) == Version(version)


@pytest.mark.parametrize(
    "file_name", ["bar-1.0.tar.gz", "foo-1.0.whl", "foo.tar.gz", "foo-x.tar.gz", "foo-bar-1.0.zip", ""]
)
def test_other_file_names_are_refused(file_name):
    with pytest.raises(SourceError, match="no source archive of foo"):
        version_of(file_name, canonicalize_name("foo"))


def claim(tmp_path, text):
    (tmp_path / "PKG-INFO").write_bytes(text)
    return read_claim(tmp_path)


def test_a_true_claim_holds_in_any_spelling(tmp_path):
    true = claim(tmp_path, b"Metadata-Version: 2.1\nName: Zope.Interface\nVersion: 5.0.0\nLicense: x\n\nbody")
    check_claim(true, canonicalize_name("zope-interface"), Version("5"))
    check_claim(None, canonicalize_name("anything"), Version("1"))


@pytest.mark.parametrize(
    "text",
    [
        b"Metadata-Version: 2.1\nName: requests\nVersion: 1.0\n",
        b"Metadata-Version: 2.1\nName: foo\nVersion: 99.0\n",
        b"Metadata-Version: 2.1\nName: foo\nVersion: what\n",
        b"Metadata-Version: 2.1\nName: foo\n",
        b"",
    ],
)
def test_a_source_that_lies_is_refused(tmp_path, text):
    with pytest.raises(SourceError, match=r"lies about its name: wanted foo==1\.0"):
        check_claim(claim(tmp_path, text), canonicalize_name("foo"), Version("1.0"))


@pytest.mark.parametrize(
    ("text", "static"),
    [
        (b"Metadata-Version: 2.2\nName: a\nVersion: 1\n", True),
        (b"Metadata-Version: 2.4\nName: a\nVersion: 1\nDynamic: Requires-Python\n", True),
        (b"Metadata-Version: 2.2\nName: a\nVersion: 1\nDynamic: Requires-Dist\n", False),
        (b"Metadata-Version: 2.1\nName: a\nVersion: 1\n", False),
        (b"Name: a\nVersion: 1\n", False),
    ],
)
@pytest.mark.rule("pure-8")
def test_requirements_are_static_only_where_the_sdist_promises_it(tmp_path, text, static):
    found = claim(tmp_path, text)
    assert found is not None
    assert found.requires_dist_static is static


@pytest.mark.rule("source-4")
def test_the_stub_is_a_true_claim(tmp_path):
    stub = stub_pkg_info(canonicalize_name("Foo.Bar"), Version("1!2+l"))
    assert claim(tmp_path, stub) == Claim("foo-bar", "1!2+l", requires_dist_static=False)
