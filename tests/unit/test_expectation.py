"""What upstream lists against what came out."""

import pytest
from packaging.tags import parse_tag

from wheelfleet_shared.core.expectation import check_expected, expectation_of, fits, is_pure

ANY, LINUX = "a-1-py3-none-any.whl", "a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
PURE, NATIVE = parse_tag("py2.py3-none-any"), parse_tag("cp311-cp311-linux_x86_64")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], "open"),
        (["a-1.tar.gz"], "open"),
        (["a-1.tar.gz", ANY], "pure"),
        (["a-1-py2.py3-none-any.whl", ANY], "pure"),
        (["a-1.tar.gz", LINUX], "native"),
        (["a-1-py3-none-manylinux_2_17_x86_64.whl", "a-1-cp39-abi3-win_amd64.whl"], "native"),
        ([*[LINUX] * 90, ANY], "open"),
        (["a-1.whl", "a-1.win32-py2.7.exe", "a-1-py2.7.egg"], "open"),
        (["a-1.whl", LINUX], "native"),
    ],
)
@pytest.mark.rule("pure-1")
def test_the_file_names_of_a_version_tell_what_to_expect(names, expected):
    assert expectation_of(names) == expected


@pytest.mark.rule("pure-5")
def test_a_wheel_serves_a_target_that_supports_one_of_its_tags():
    supported = parse_tag("cp311.cp310-abi3.cp311-linux_x86_64") | parse_tag("py3-none-any.linux_x86_64")
    assert fits(parse_tag("py2.py3-none-any"), supported)
    assert fits(parse_tag("cp310-abi3-linux_x86_64"), supported)
    assert fits(parse_tag("py3-none-linux_x86_64"), supported)
    assert not fits(parse_tag("cp312-cp312-linux_x86_64"), supported)
    assert (is_pure(PURE), is_pure(NATIVE), is_pure(PURE | NATIVE)) == (True, False, False)


@pytest.mark.parametrize(
    ("expectation", "tags"), [("pure", PURE), ("open", PURE), ("pure", NATIVE), ("native", NATIVE)]
)
@pytest.mark.rule("pure-3")
def test_only_a_native_one_that_came_out_pure_is_a_fault(expectation, tags):
    assert check_expected(expectation, tags, ["gcc: not found"]) is None


@pytest.mark.rule("pure-4")
def test_the_fault_names_the_header_or_compiler_that_was_missing():
    log = ["ext/_yaml.c:1234:10: fatal error: yaml.h: No such file or directory", "compilation terminated.", "done"]
    error = check_expected("native", PURE, log)
    assert error is not None
    assert "came out pure" in error.what
    assert "yaml.h: No such file" in error.what
    assert "install the library that has the header yaml.h" in error.next_step
    assert "expect: pure" in error.next_step


def test_without_a_trace_in_the_log_the_fault_still_says_what_to_do():
    error = check_expected("native", PURE, [])
    assert error is not None
    assert "compiler" in error.what
    assert "expect: pure" in error.next_step
