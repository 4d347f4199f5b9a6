"""What commands about files print, against fromager itself."""

import json

import pytest

import loopback_index
from answer_cases import CASES, Answer, lay_out, read_answers, write_answers
from wheelfleet_coordinator.cli import main
from wheelfleet_coordinator.core.candidates import JSON_TYPE


def answers_of(fromager, folder, cases):
    lay_out(folder)
    found = {}
    for case in cases:
        done = fromager.run(*case.split(), cwd=folder)
        found[case] = Answer.of(done.returncode, done.stdout)
    return found


def test_fromager_answers_as_recorded(fromager, tmp_path, say):
    recorded = read_answers()
    cases = CASES[::16]
    assert answers_of(fromager, tmp_path, cases) == {case: recorded[case] for case in cases}
    say(f"{len(cases)} answers about files are as recorded")


@pytest.mark.long
def test_all_answers_are_recorded_anew(fromager, tmp_path, say):
    found = answers_of(fromager, tmp_path, CASES)
    changed = sorted(case for case, answer in found.items() if read_answers().get(case) != answer)
    write_answers(found)
    assert changed == []
    say(f"{len(found)} answers about files are as recorded")


FILES = (
    ("foo-1.0.tar.gz", "2025-01-02T03:04:05Z", {}),
    ("foo-1.0.zip", "2025-03-03T03:04:05Z", {}),
    ("foo-1.1.tar.gz", "2025-04-01T00:00:00Z", {}),
    ("foo-1.2-py3-none-any.whl", "2025-05-01T00:00:00Z", {}),
    ("foo-1.3-cp27-cp27m-win32.whl", "2025-05-01T00:00:00Z", {}),
    ("foo-2.0a1.tar.gz", "2025-06-01T00:00:00Z", {}),
    ("foo-3.0.tar.gz", "2025-06-01T00:00:00Z", {"yanked": "broken"}),
    ("foo-4.0.tar.gz", "2025-06-01T00:00:00Z", {"requires-python": "<3"}),
)
VERSIONS = (
    "package list-versions foo --format csv --distribution-type both",
    "--min-release-age 36500 package list-versions foo --format json",
    "package list-versions foo>=2.0a1 --format requirements",
    "find-updates pins.txt --format json",
)


@pytest.fixture
def index():
    entries = [
        {"filename": name, "url": f"/files/{name}", "hashes": {}, "upload-time": uploaded} | more
        for name, uploaded, more in FILES
    ]
    page = {"meta": {"api-version": "1.1"}, "name": "foo", "files": entries}
    with loopback_index.loopback_server() as server:
        server.answers["/simple/foo/"] = [
            loopback_index.Answer(body=json.dumps(page).encode(), headers={"Content-Type": JSON_TYPE})
        ]
        yield f"{server.url}/simple"


@pytest.mark.parametrize("case", [VERSIONS[0], *(pytest.param(case, marks=pytest.mark.long) for case in VERSIONS[1:])])
def test_both_find_the_same_versions(case, fromager, index, tmp_path, monkeypatch, capsys):
    (tmp_path / "pins.txt").write_text("foo==1.0\n")
    monkeypatch.chdir(tmp_path)
    arguments = [*case.split(), "--sdist-server-url", index]
    theirs = fromager.run(*arguments, cwd=tmp_path)
    assert main.run(arguments) == theirs.returncode == 0
    assert capsys.readouterr().out.splitlines() == theirs.stdout.splitlines()
