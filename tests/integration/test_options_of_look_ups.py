"""Every option of the commands that look things up counts: with it something else comes out, or elsewhere."""

import json

import pytest

from loopback_index import Answer, loopback_server
from wheelfleet_coordinator.cli import downloading, folder_server, main, stepping

JSON = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
SDIST = b"an sdist"


LISTED = ("a-1.0.tar.gz", "a-1.1.tar.gz", "a-1.2-py3-none-any.whl", "a-1.1-py3-none-any.whl")


def page(*names: str) -> list[Answer]:
    uploaded = {"hashes": {}, "upload-time": "2020-01-02T03:04:05Z"}
    files = [{"filename": name, "url": f"/files/{name}"} | uploaded for name in names]
    content = {"meta": {"api-version": "1.1"}, "name": "x", "files": files}
    return [Answer(body=json.dumps(content).encode(), headers=JSON)]


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Runs a command where one index is configured and another is ``{other}``; its status and output."""
    for name in ("PIP_CONFIG_FILE", "UV_CONFIG_FILE", "UV_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pins.txt").write_text("a==1.0\n")
    (tmp_path / "requirements.txt").write_text("a>9\n")
    entry = {"dist": "a", "version": "1.1", "source_url_type": "sdist"}
    with loopback_server() as index:
        index.answers["/simple/a/"] = page(*LISTED)
        index.answers["/other/a/"] = page("a-7.0.tar.gz")
        index.answers["/files/a-1.1.tar.gz"] = index.answers["/files/a-1.1-py3-none-any.whl"] = [Answer(body=SDIST)]
        for name, file in (("order.json", "a-1.1.tar.gz"), ("gone.json", "a-1.0.tar.gz")):
            row = entry | {"version": file[2:5], "source_url": f"{index.url}/files/{file}"}
            (tmp_path / name).write_text(json.dumps([row]))
        monkeypatch.setenv("PIP_INDEX_URL", f"{index.url}/simple")

        def command(line: str) -> tuple[int, str]:
            status = main.run(line.format(index=f"{index.url}/simple", other=f"{index.url}/other").split())
            return status, capsys.readouterr().out

        yield command


OPTIONS = [
    ("list-versions a", "--distribution-type wheel", "1.2"),
    ("list-versions a", "--sdist-server-url {other}", "7.0"),
    ("list-versions a>9", "--ignore-no-versions", ""),
    ("list-versions a", "--format-as-requirements", "a==1.0"),
    ("package list-versions a", "--distribution-type wheel", "1.2"),
    ("package list-versions a", "--sdist-server-url {other}", "7.0"),
    ("package list-versions a>9", "--ignore-no-versions", ""),
    ("package list-versions a", "--format requirements", "a==1.0"),
    ("package resolve a", "--distribution-type wheel", "1.2"),
    ("package resolve a", "--sdist-server-url {other}", "7.0"),
    ("find-updates pins.txt", "--distribution-type wheel", "a==1.2"),
    ("find-updates pins.txt", "--sdist-server-url {other}", "a==7.0"),
    ("find-updates pins.txt", "--format csv", "name,version"),
    ("lint-requirements requirements.txt", "--resolve-requirements", ""),
    ("download-sequence gone.json {index}", "--ignore-missing-sdists", ""),
]


@pytest.mark.parametrize(("line", "option", "said"), OPTIONS, ids=[f"{line} {option}" for line, option, _ in OPTIONS])
def test_an_option_changes_the_answer(run, line, option, said):
    plain, changed = run(line), run(f"{line} {option}")
    assert changed != plain
    assert said in changed[1]


@pytest.mark.parametrize("line", ["package list-versions a", "find-updates pins.txt"])
def test_an_answer_goes_to_a_file(run, line, tmp_path):
    told = run(line)[1]
    assert run(f"{line} --output made") == (0, "")
    assert (tmp_path / "made").read_bytes().decode() == told


def test_settings_count_unless_they_shall_not(run, tmp_path):
    (tmp_path / "overrides" / "settings").mkdir(parents=True)
    (tmp_path / "overrides" / "settings" / "a.yaml").write_text("resolver_dist:\n  min_release_age: 30000\n")
    assert run("package list-versions a") == (0, "")
    assert run("package list-versions a --ignore-per-package-overrides") == (0, "1.0\n1.1\n")


def test_wheels_are_brought_where_wanted(run, tmp_path):
    for option, count in (("", 0), ("--include-wheels", 1)):
        assert run(f"download-sequence order.json {{index}} {option}")[0] == 0
        assert len(list((tmp_path / "wheels-repo" / "downloads").glob("*.whl"))) == count


def test_as_many_are_brought_at_a_time_as_was_said(monkeypatch):
    asked = []
    monkeypatch.setattr(downloading, "download_order", lambda *_, at_once, **__: asked.append(at_once) or 0)
    assert main.run(["download-sequence", "--num-threads", "3", "order.json", "http://127.0.0.1/"]) == 0
    assert asked == [3]


def test_a_server_listens_where_it_shall(monkeypatch):
    asked = []
    monkeypatch.setattr(folder_server, "serve_wheels", lambda _, address, port: asked.append((address, port)))
    assert main.run(["wheel-server", "--port", "1234"]) == 0
    assert main.run(["wheel-server", "--ip", "127.0.0.1"]) == 0
    assert asked == [("localhost", 1234), ("127.0.0.1", 8080)]


@pytest.mark.parametrize("step", ["prepare-build", "build-wheel"])
def test_a_step_is_told_of_a_server_of_wheels(monkeypatch, step):
    asked = []
    monkeypatch.setattr(stepping, "run_step", lambda *given: asked.append(given[1:]))
    assert main.run(["step", step, "--wheel-server-url", "http://w.example/", "a", "1.0"]) == 0
    assert asked == [(step, "a", "1.0", "http://w.example/")]
