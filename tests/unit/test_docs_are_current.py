import re
import runpy
from pathlib import Path
from typing import get_args

import pytest

from wheelfleet_shared import errors
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import keys
from wheelfleet_shared.core.build import Status
from wheelfleet_shared.core.file import FileStatus
from wheelfleet_shared.core.permissions import Role
from wheelfleet_shared.names import BuildId, IndexName, Sha256

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])
SCRIPTS = sorted(DOCS.glob("*.py"))
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
TERM = re.compile(r"^\*\*([^*]+)\*\*", re.MULTILINE)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_rendered_pages_are_what_their_scripts_make(script):
    made = runpy.run_path(str(script))
    committed = made["PAGE"].read_text(encoding="utf-8")
    assert committed == made["page"](), f"the code has moved on: python docs/{script.name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page):
    links = LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    broken = [link for link in links if "://" not in link and not leads_somewhere(page, link)]
    assert broken == []


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not anchor or anchor in anchors(target)


def anchors(page: Path) -> set[str]:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_page_is_reached_from_the_index():
    seen, open_pages = set(), [DOCS / "index.md"]
    while open_pages:
        page = open_pages.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        links = [link.partition("#")[0] for link in LINK.findall(page.read_text(encoding="utf-8"))]
        open_pages += [(page.parent / path).resolve() for path in links if path and "://" not in path]
    assert set(DOCS.rglob("*.md")) - seen == set()


def test_the_glossary_has_every_word_that_the_log_uses():
    glossary = (DOCS / "glossary.md").read_text(encoding="utf-8")
    words = {
        *get_args(Role),
        *get_args(e.Goal),
        *get_args(e.EdgeKind),
        *get_args(e.Stage),
        *get_args(e.Expectation),
        *get_args(e.FailureKind),
        *(str(status) for kind in (Status, FileStatus) for status in kind),
        *("run", "graph", "source", "build", "file", "page", "agent", "target"),
    }
    assert {word for word in words if not re.search(rf"\b{re.escape(word)}\b", glossary)} == set()


def test_every_term_of_the_glossary_is_used_in_the_code():
    source = " ".join(
        path.read_text(encoding="utf-8").lower().replace("_", " ")
        for part in ("shared", "coordinator", "agent")
        for path in (ROOT / part).rglob("*.py")
    )
    terms = TERM.findall((DOCS / "glossary.md").read_text(encoding="utf-8"))
    assert len(terms) > 40
    assert [term for term in terms if term.lower() not in source] == []


def test_terms_of_the_glossary_are_sorted_and_stand_there_once():
    terms = [term.lower() for term in TERM.findall((DOCS / "glossary.md").read_text(encoding="utf-8"))]
    assert terms == sorted(set(terms))


def test_decisions_are_numbered_without_gaps_and_listed():
    names = sorted(path.name for path in (DOCS / "decisions").glob("[0-9]*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    listed = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")
    assert [name for name in names if f"({name})" not in listed] == []


def test_the_page_of_keys_shows_every_key_as_the_code_makes_it():
    sha256 = Sha256("5f" + "0" * 62)
    made = {
        keys.source_key(sha256, "FILE"),
        keys.blob_key(sha256, "FILE"),
        keys.metadata_key(keys.blob_key(sha256, "FILE")),
        keys.provenance_key(keys.blob_key(sha256, "FILE")),
        keys.bundle_key(sha256),
        keys.pinned_page_key(sha256),
        keys.log_key(BuildId("BUILD"), 7).replace("7", "FENCE"),
        keys.root_page_key(IndexName(), "html").replace("html", "FORM"),
        keys.project_page_key(IndexName(), "PROJECT", "html").replace("html", "FORM"),  # type: ignore[arg-type]
        keys.staging_key("INCARNATION", 7, "FILE").replace("7", "FENCE"),
    }
    page = (DOCS / "reference" / "object-store.md").read_text(encoding="utf-8")
    shown = {key.replace(sha256, "SHA256").replace("/5f/", "/SH/") for key in made}
    assert {key for key in shown if f"`{key}`" not in page} == set()
    public = {name for name in vars(keys) if name.endswith("_key") and not name.startswith("_")}
    assert len(public) == len(made)


def test_every_variable_that_is_read_is_documented():
    pages = "".join((DOCS / "reference" / name).read_text() for name in ("commands.md", "configuration.md"))
    read = {
        variable
        for part in ("shared", "coordinator", "agent")
        for path in (ROOT / part).rglob("*.py")
        for variable in re.findall(r"\bWHEELFLEET_[A-Z]+(?:_[A-Z]+)*\b", path.read_text(encoding="utf-8"))
    }
    assert "WHEELFLEET_DATA" in read
    assert {variable for variable in read if f"`{variable}`" not in pages} == set()


def test_the_page_of_exit_codes_has_every_code_and_party():
    page = (DOCS / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    rows = {f"| `{kind.__name__}` | {kind.party} | {kind.exit_code} |" for kind in kinds}
    assert {row for row in rows if row not in page} == set()
