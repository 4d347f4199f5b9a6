import pytest

from wheelfleet_agent.core.patch_text import Hunk, read_hunks, why_not
from wheelfleet_agent.core.prepare import Patch
from wheelfleet_shared.errors import SourceError

TWO = b"""\
Explains why.
--- ../this is prose
diff --git a/x b/x
index 1..2 100644
--- a/x\t2020-01-01
+++ b/x
@@ -1,2 +1,2 @@ def f():
--- /etc/passwd
++++ ../y
 same
@@ -9 +9,0 @@
-gone
--- a/y
+++ b/y
@@ -1 +1 @@
-a
\\ No newline at end of file
+b
"""


def hunks(text: bytes) -> tuple[Hunk, ...]:
    return read_hunks(Patch("1.patch", text))


def refused(text: bytes) -> str:
    with pytest.raises(SourceError) as caught:
        hunks(text)
    return caught.value.what


def test_hunks_are_counted_by_file():
    text = TWO.replace(b"--- ../this is prose\n", b"")
    assert hunks(text) == (
        Hunk(("a/x", "b/x"), 1, 6),
        Hunk(("a/x", "b/x"), 2, 10),
        Hunk(("a/y", "b/y"), 1, 14),
    )


def test_content_of_hunks_names_no_files_and_a_line_before_them_may():
    assert (
        refused(TWO) == "patch 1.patch cannot be used: line 2: it names '../this is prose', which is outside the source"
    )


def test_blank_lines_that_lost_their_space_count_as_content():
    assert len(hunks(b"--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n\n\r\n-a\n+b\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n")) == 2


def test_a_hunk_that_ends_early_hides_no_name():
    assert "line 5: it names '/etc/x'" in refused(b"--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\ndiff\n--- /etc/x\n")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"--- a/../x\n+++ b/x\n", "it names 'a/../x'"),
        (b'--- "a/\\056./x"\n', "it names 'a/../x'"),
        (b'+++ "a/\\t/../\\"x"\n', "outside the source"),
        (b"rename from ../x\n", "outside the source"),
        (b"Index: /x\n", "outside the source"),
        (b"+++ /x\r\n", "it names '/x'"),
        (b"new file mode 120000\n", "symbolic link"),
        (b"index 1..2 120000\n", "symbolic link"),
        (b"new mode 160000\n", "submodule"),
        (b"GIT binary patch\nliteral 1\n", "binary data"),
        (b"1c1\n< a\n---\n> b\n", "it is no unified diff"),
        (b"*** a/x\n--- b/x\n***************\n*** 1 ****\n! a\n--- 1 ----\n! b\n", "it is no unified diff"),
    ],
)
def test_what_may_not_be_applied_is_refused(text: bytes, why: str):
    assert why in refused(text)


@pytest.mark.parametrize(
    "text",
    [b"", b"\n \n", b"rename from x\nrename to y\n", b"diff --git a/x b/x\nold mode 100644\nnew mode 100755\n"],
)
def test_patches_may_have_no_hunks(text: bytes):
    assert hunks(text) == ()


ONE = (Hunk(("a/x", "b/x"), 1, 3), Hunk(("/dev/null", "b/y"), 1, 9))


@pytest.mark.parametrize(
    ("output", "why"),
    [
        (
            "patching file x\nHunk #1 FAILED at 7.\n1 out of 1 hunk FAILED",
            "x: hunk #1 failed at line 7 (line 3 of the patch)",
        ),
        ("patching file z (renamed from x)\nHunk #2 FAILED at 7.", "z: hunk #2 failed at line 7"),
        (
            "patching file y\nHunk #1 FAILED at 7 (different line endings).",
            "y: hunk #1 failed at line 7 (line 9 of the patch): its line",
        ),
        (
            "patching file x\nReversed (or previously applied) patch detected!  Skipping patch.",
            "x: the source has this",
        ),
        ("can't find file to patch at input line 3", "a/x is not in the source (line 3 of the patch)"),
        ("can't find file to patch at input line 99", "its file is not in the source (line 99"),
        ("The next patch would create the file y,\nwhich already exists!", "it would create y, which is there already"),
        ("The next patch would delete the file x,\nwhich does not", "it would delete x, which is not in the source"),
        ("patch: **** malformed patch at line 5: x", "it is cut short or broken at its line 5"),
        ("File x is not a regular file -- refusing to patch", "File x is not a regular file -- refusing to patch"),
        ("first\nsomething else", "something else"),
        ("", "patch failed without a word"),
        (
            "patching file x\nHunk #1 FAILED at 1.\npatching file y\nHunk #1 FAILED at 2.",
            "; y: hunk #1 failed at line 2",
        ),
    ],
)
def test_failures_name_hunk_and_line(output: str, why: str):
    error = why_not(Patch("1.patch", b""), ONE, output)
    assert error.what.startswith("patch 1.patch does not apply: ")
    assert why in error.what
