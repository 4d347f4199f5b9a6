"""Requirement files on disk and by URL, with the files they name."""

import pytest

from loopback_index import Answer, loopback_server
from wheelfleet_coordinator.adapters.requirement_files import fetch_content, read_requirement_files
from wheelfleet_coordinator.adapters.user_configuration import IndexChoice
from wheelfleet_coordinator.core.requirement_lines import RequirementLine
from wheelfleet_shared.errors import InputError

HASH = "ab" * 32


def no_network(url):
    raise AssertionError(url)


def read(*requirements, constraints=(), fetch=no_network, variables=None):
    names = [str(name) for name in constraints]
    return read_requirement_files([str(name) for name in requirements], names, fetch=fetch, variables=variables or {})


@pytest.fixture
def files(tmp_path):
    def write(**contents):
        for name, content in contents.items():
            path = tmp_path / f"{name.replace('__', '/')}.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)
        return tmp_path

    return write


def test_nested_files_are_relative_to_the_file_that_names_them(files):
    base = files(
        main="first\n-r sub/more.txt\nlast # it\n",
        sub__more=f"-c ../limits.txt\n-r other.txt\nfoo==1 \\\n  --hash=sha256:{HASH}\n",
        sub__other="inner\n",
        limits="foo<2\n-r sub/wide.txt\n",
        sub__wide="bar<3\n",
    )
    found = read(base / "main.txt", constraints=[base / "limits.txt"])
    assert [line.text for line in found.requirements] == ["first", "inner", "foo==1", "last"]
    assert found.requirements[2] == RequirementLine("foo==1", f"{base}/sub/more.txt:3", (HASH,))
    assert [line.text for line in found.constraints] == ["foo<2", "bar<3"] * 2
    assert found.constraints[0].origin.endswith("limits.txt:1")


def test_files_that_name_each_other_are_refused(files):
    base = files(a="-r b.txt", b="-r a.txt")
    with pytest.raises(InputError, match=r"a\.txt → .*b\.txt → .*a\.txt"):
        read(base / "a.txt")


def test_a_file_may_be_named_twice(files):
    base = files(a="-r c.txt\n-r c.txt", c="foo")
    assert len(read(base / "a.txt").requirements) == 2


def test_a_missing_file_is_named_with_the_line_that_wants_it(files):
    base = files(a="\n-r nowhere.txt")
    with pytest.raises(InputError, match=r"a\.txt:2: cannot read .*nowhere\.txt"):
        read(base / "a.txt")
    with pytest.raises(InputError, match="cannot read"):
        read(base)


def test_what_is_not_supported_is_named_with_file_and_line(files):
    base = files(a="foo\n-e .")
    with pytest.raises(InputError, match=r"a\.txt:2: -e is not supported"):
        read(base / "a.txt")


def test_text_is_utf8_with_or_without_a_mark(tmp_path):
    (tmp_path / "marked.txt").write_bytes("\ufefffoo # ünï\n".encode())
    assert read(tmp_path / "marked.txt").requirements[0].text == "foo"
    (tmp_path / "latin.txt").write_bytes("foo # ü".encode("latin-1"))
    with pytest.raises(InputError, match="UTF-8"):
        read(tmp_path / "latin.txt")


def test_variables_and_file_urls(files):
    base = files(a="-r ${SOMEWHERE}/b.txt", b="foo")
    assert read((base / "a.txt").as_uri(), variables={"SOMEWHERE": base.as_uri()}).requirements[0].text == "foo"


def test_files_by_url_are_relative_to_their_url_and_no_secret_is_told(tmp_path, monkeypatch):
    monkeypatch.delenv("HTTP_PROXY", raising=False)
    monkeypatch.delenv("http_proxy", raising=False)
    with loopback_server() as server:
        server.answers["/r/main.txt"] = [Answer(200, b"-r more.txt\n-c /c.txt\n")]
        server.answers["/r/more.txt"] = [Answer(200, b"foo\n")]
        server.answers["/c.txt"] = [Answer(200, b"foo<2\nbar[x]<1 --nope\n")]
        fetch = fetch_content(IndexChoice("http://127.0.0.1/simple", "a test"), {"HOME": str(tmp_path)})
        url = f"http://ann:s3cret@127.0.0.1:{server.port}/r/main.txt"
        with pytest.raises(InputError, match=f"127.0.0.1:{server.port}/c.txt:2: --nope") as caught:
            read(url, fetch=fetch)
        assert "s3cret" not in str(caught.value)
        assert server.paths() == ["/r/main.txt", "/r/more.txt", "/c.txt"]
        assert server.requests[0][1]["authorization"].startswith("Basic ")
        with pytest.raises(InputError, match="404"):
            read(f"{server.url}/nowhere.txt", fetch=fetch)
    with pytest.raises(InputError, match="cannot be read"):
        read(f"{server.url}/r/main.txt", fetch=fetch)


def test_files_that_name_each_other_without_end_are_refused(tmp_path):
    (tmp_path / "0.txt").write_text("leaf\n")
    for number in range(1, 1200):
        (tmp_path / f"{number}.txt").write_text(f"-r {number - 1}.txt\n")
    with pytest.raises(InputError, match="named by 101 files in turn"):
        read(tmp_path / "1199.txt")
    assert [line.text for line in read(tmp_path / "99.txt").requirements] == ["leaf"]
