"""Nothing in the tree that leads elsewhere: no registry's host name, no path of one machine, no secret."""

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pypi_simple import PYPI_SIMPLE_ENDPOINT

ROOT = Path(__file__).parents[2]
EXAMPLES = ("EXAMPLE",)
"""What the documentation of the stores uses where a key stands; the vectors of signatures are such."""


def host(*labels: str) -> str:
    """A host name in pieces, so that this file holds none."""
    return re.escape(".".join(labels))


REGISTRIES = re.compile(
    "|".join(
        [
            re.escape(urlsplit(PYPI_SIMPLE_ENDPOINT).hostname or "?"),
            host("pythonhosted", "org"),
            host("npmjs", "org"),
            host("crates", "io"),
            host("golang", "org"),
            host("rubygems", "org"),
            host("docker", "io"),
            host("quay", "io"),
            host("ghcr", "io"),
            host("anaconda", "org"),
        ]
    ),
    re.IGNORECASE,
)
MACHINE_PATHS = re.compile(r"(?<![\w.}])/(?:home/[a-z]+|root/|Users/|work/|tmp/[a-z_]+jobs)")
_SECRET_FORMS = (
    r"\bA(?:KIA|SIA)[0-9A-Z]{16}\b",
    r"-{5}BEGIN [A-Z ]*PRIVATE KEY",
    r"\bS[UAONC][A-Z2-7]{56}\b",
    r"\bgh[pousr]_[A-Za-z0-9]{30,}",
    r"\bgithub_pat_\w{20,}",
    r"\bxox[abprs]-[\w-]{10,}",
    r"\bpypi-A[\w-]{50,}",
    r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.",
)
SECRETS = re.compile("|".join(_SECRET_FORMS))


def tracked() -> dict[str, str]:
    """Path → text of every text file that is committed or about to be."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("no git checkout: what belongs to the tree is unknown")
    found = {}
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if not path.is_file():
            continue
        data = path.read_bytes()
        if b"\0" not in data:
            found[name] = data.decode()
    return found


def hits(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {match.group()}"
        for name, text in tracked().items()
        for number, line in enumerate(text.splitlines(), 1)
        for match in pattern.finditer(line)
        if not any(word in match.group() for word in EXAMPLES)
    ]


def test_no_registry_is_named_by_its_host():
    assert hits(REGISTRIES) == []


def test_no_path_of_one_machine_is_in_the_tree():
    assert hits(MACHINE_PATHS) == []


def test_nothing_looks_like_a_secret():
    assert hits(SECRETS) == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (REGISTRIES, f"index-url = {PYPI_SIMPLE_ENDPOINT}"),
        (MACHINE_PATHS, "cd /" + "home/ann/project"),
        (SECRETS, "AKIA" + "Z" * 16),
        (SECRETS, "seed: S" + "U" + "A" * 56),
        (SECRETS, "-" * 5 + "BEGIN RSA PRIVATE KEY"),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern, text):
    assert pattern.search(text)
