import pytest

from wheelfleet_coordinator.core.purl import read_purl, write_purl

URL = {"repository_url": "https://e.test/simple/?a=1&b"}


# What packageurl-python 0.17 writes for the same parts.
@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (
            ("pypi", "foo_Bar", "1.0+cu!1", "", URL),
            "pkg:pypi/foo-bar@1.0%2Bcu%211?repository_url=https://e.test/simple/%3Fa%3D1%26b",
        ),
        (("generic", "X/y", "1~2:3", "a b/c"), "pkg:generic/a%20b/c/X/y@1~2:3"),
        (("github", "Repo", "v1", "Org"), "pkg:github/org/repo@v1"),
        (("generic", "a", "", "", {"repository_url": ""}), "pkg:generic/a"),
    ],
)
def test_purls_are_written(parts: tuple, text: str):
    assert write_purl(*parts) == text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("pkg:github/org/repo@v1.0.0?x=1#sub", ("github", "repo", "v1.0.0")),
        ("pkg:npm/%40angular/animation@12.3.1", ("npm", "animation", "12.3.1")),
        ("pkg:npm/@angular/a@1", ("npm", "a", "1")),
        ("pkg:PyPI/a", ("pypi", "a", "")),
        ("pkg://pypi/a@1%2Bx", ("pypi", "a", "1+x")),
    ],
)
def test_purls_are_read(text: str, parts: tuple[str, str, str]):
    assert read_purl(text) == parts


@pytest.mark.parametrize("text", ["", "pypi/a@1", "pkg:pypi", "pkg:pypi/", "pkg:/a", "pkg:1a/b", "pkg:pypi/@1"])
def test_other_text_is_no_purl(text: str):
    with pytest.raises(ValueError, match="is no purl"):
        read_purl(text)
