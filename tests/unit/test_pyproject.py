"""[build-system] as it stands in real and in broken pyproject.toml files."""

import pytest

from wheelfleet_agent.core.pyproject import BuildSystem, parse_build_system, read_build_system
from wheelfleet_agent.core.pyproject_fix import fix_build_requires
from wheelfleet_shared.errors import SourceError

DEFAULTS = BuildSystem(("setuptools>=40.8.0",), "setuptools.build_meta:__legacy__", ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", DEFAULTS),
        ("[tool.black]\nline-length = 80", DEFAULTS),
        ("[build-system]", DEFAULTS),
        ('[build-system]\nrequires = ["wheel"]', BuildSystem(("wheel",), DEFAULTS.backend)),
        ('[build-system]\nbuild-backend = "flit_core.buildapi"', BuildSystem(DEFAULTS.requires, "flit_core.buildapi")),
        (
            '[build-system]\nrequires = []\nbuild-backend = "a.b:c.d"\nbackend-path = ["."]',
            BuildSystem((), "a.b:c.d", (".",)),
        ),
        (
            "[build-system]\nrequires = [\"a<2; python_version < '3'\", \"a>=2; python_version >= '3'\"]",
            BuildSystem(("a<2; python_version < '3'", "a>=2; python_version >= '3'"), DEFAULTS.backend),
        ),
    ],
    ids=["empty", "no table", "empty table", "only requires", "only backend", "self-hosting", "opposite markers"],
)
@pytest.mark.rule("source-1", "source-10")
def test_missing_keys_are_defaulted_one_by_one(text, expected):
    assert parse_build_system(text.encode()) == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[build-system]\nrequires = [", "at (line 2|end of document)"),
        (b"a = 1\nb = = 2", "at line 2"),
        (b'[build-system]\nrequires = [\n  "good",\n  "not a requirement!",\n]', "line 4: bad requirement 'not a req"),
        (b'[build-system]\n\nrequires = "setuptools"', "line 3: requires is no list of strings"),
        (b"[build-system]\nrequires = [1]", "line 2: requires is no list of strings"),
        (b"build-system = 1", "line 1: build-system is no table"),
        (b'[build-system]\nbuild-backend = "os; evil()"', "line 2: build-backend"),
        (b"[build-system]\nbuild-backend = 1", "line 2: build-backend"),
        (b"# fine\n# caf\xe9\n", "line 2: not UTF-8"),
    ],
)
@pytest.mark.rule("source-2")
def test_a_broken_file_is_a_source_error_with_its_line(data, message):
    with pytest.raises(SourceError, match=f"pyproject.toml.*{message}"):
        parse_build_system(data)


@pytest.mark.rule("source-3")
def test_a_backend_path_must_lie_inside(tmp_path):
    source = tmp_path / "source"
    (source / "backend").mkdir(parents=True)
    (source / "out").symlink_to(tmp_path)
    text = '[build-system]\nrequires = []\nbuild-backend = "b"\nbackend-path = ["{}"]'
    (source / "pyproject.toml").write_text(text.format("backend"))
    assert read_build_system(source).backend_path == ("backend",)
    for path in ("..", "/tmp", "out", "missing", "backend/../.."):  # a literal, not a file that is used
        (source / "pyproject.toml").write_text(text.format(path))
        with pytest.raises(SourceError, match="no folder inside the source"):
            read_build_system(source)


@pytest.mark.rule("source-1")
def test_without_the_file_the_defaults_hold(tmp_path):
    assert read_build_system(tmp_path) == DEFAULTS


FIXED = """\
# kept
[build-system]
requires = ["old<2", "setuptools"]  # kept too
build-backend = "x"
"""


@pytest.mark.parametrize(
    ("update", "remove", "requires"),
    [
        (["old>=3"], [], ["old>=3", "setuptools"]),
        (["new"], [], ["new", "old<2", "setuptools"]),
        (["SetupTools<81"], ["Old"], ["SetupTools<81"]),
        ([], ["setuptools", "old"], []),
        (
            ["a; python_version<'3'", "a>1; python_version>='3'"],
            ["old"],
            ['a; python_version < "3"', 'a>1; python_version >= "3"', "setuptools"],
        ),
    ],
)
def test_an_override_updates_and_removes_requirements_and_keeps_the_rest(update, remove, requires):
    fixed = fix_build_requires(FIXED.encode(), update, remove)
    system = parse_build_system(fixed)
    assert system.backend == "x"
    assert b"# kept\n" in fixed
    assert list(system.requires) == requires


def test_an_override_makes_the_missing_file_with_setuptools():
    assert parse_build_system(fix_build_requires(b"", ["wheel"], [])).requires == ("setuptools", "wheel")


def test_where_nothing_changes_no_byte_does():
    odd = b'[build-system]\r\nrequires=[ "wheel","setuptools" ]\r\n'
    assert fix_build_requires(odd, ["wheel"], ["absent"]) == odd
    assert fix_build_requires(b"broken [", [], []) == b"broken ["


def test_an_override_of_a_broken_file_is_a_source_error():
    with pytest.raises(SourceError, match="line 1"):
        fix_build_requires(b"broken [", ["a"], [])
