"""Commands that ask package indexes: versions, updates, downloads of a saved order, and an index of one's own."""

import functools
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import zipfile

import httpx
import pytest

from loopback_index import Answer, loopback_server
from wheelfleet_coordinator.cli import main

JSON = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
SDIST = b"the bytes of an sdist"
WHEEL = b"the bytes of a wheel"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def page(*names, uploaded="2020-01-02T03:04:05Z", **digests):
    files = [
        {
            "filename": name,
            "url": f"/files/{name}",
            "hashes": {"sha256": digests.get(name.partition("-")[0], sha256(WHEEL if "whl" in name else SDIST))},
            "upload-time": uploaded,
        }
        for name in names
    ]
    content = {"meta": {"api-version": "1.1"}, "name": "x", "files": files}
    return [Answer(body=json.dumps(content).encode(), headers=JSON)]


@pytest.fixture
def index():
    with loopback_server() as server:
        server.answers["/simple/a/"] = page(
            "a-1.0.tar.gz", "a-1.1.tar.gz", "a-1.1-py3-none-any.whl", "a-1.2-py3-none-any.whl", "a-2.0a1.tar.gz"
        )
        server.answers["/simple/b/"] = page("b-1.tar.gz", "b-2.tar.gz", uploaded="")
        for name in ("a-1.0.tar.gz", "a-1.1.tar.gz", "b-1.tar.gz"):
            server.answers[f"/files/{name}"] = [Answer(body=SDIST)]
        for name in ("a-1.1-py3-none-any.whl", "a-1.2-py3-none-any.whl"):
            server.answers[f"/files/{name}"] = [Answer(body=WHEEL)]
        yield server


@pytest.fixture
def run(index, capsys, tmp_path, monkeypatch):
    """Runs a command in an empty folder, with this index as the configured one; status, output, errors."""
    for name in ("PIP_CONFIG_FILE", "UV_CONFIG_FILE", "UV_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PIP_INDEX_URL", f"{index.url}/simple")
    monkeypatch.chdir(tmp_path)

    def command(line):
        status = main.run(line.split())
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return command


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("package list-versions a", "1.0\n1.1\n"),
        ("package list-versions a>1.0 --format requirements --distribution-type both", "a==1.1\na==1.2\n"),
        ("package list-versions a --distribution-type wheel", "1.1\n1.2\n"),
        ("list-versions a --format-as-requirements", "a==1.0\na==1.1\n"),
        ("package list-versions a>9 --ignore-no-versions", ""),
        ("--min-release-age 1 package list-versions b", ""),
    ],
)
def test_versions_are_listed(run, line, told):
    status, out, _ = run(line)
    assert (status, out) == (0, told)


def test_versions_as_a_table_and_for_machines(run, tmp_path):
    _, out, _ = run("--min-release-age 1 package list-versions a --format json")
    assert json.loads(out)[0]["cooldown"] == "available"
    assert "2020-01-02 03:04" in run("package list-versions a --format table")[1]
    run("--min-release-age 1 package list-versions a --format table -o table.txt")
    assert "available" in (tmp_path / "table.txt").read_text()


def test_no_version_is_an_error(run):
    status, _, err = run("package list-versions a>9")
    assert (status, "no version of a serves a>9" in err) == (1, True)


def test_settings_of_a_distribution_count(run, tmp_path):
    (tmp_path / "overrides" / "settings").mkdir(parents=True)
    (tmp_path / "overrides" / "settings" / "a.yaml").write_text(
        "resolver_dist:\n  include_wheels: true\n  include_sdists: false\n  min_release_age: 30000\n"
    )
    status, out, _ = run("package list-versions a --format csv")
    assert [line.split(",")[4] for line in out.splitlines()[1:]] == ['"blocked"', '"blocked"']
    status, out, _ = run("package list-versions a --ignore-per-package-overrides")
    assert (status, out) == (0, "1.1\n1.2\n")


def test_a_resolution_is_explained(run, index):
    status, out, _ = run("package resolve a")
    assert status == 0
    assert out.startswith(f"package index: {index.url}/simple (")
    assert "a resolves to 1.1: " in out
    status, out, err = run("package resolve a>9")
    assert (status, "a>9 resolves to nothing" in out, "no version of a serves a>9" in err) == (2, True, True)


def test_updates_are_found_and_gaps_are_said(run, index, tmp_path):
    (tmp_path / "pins.txt").write_text("b<2\na==1.0\ngone==1\nfree>=1\n")
    assert run("find-updates pins.txt") == (0, "b==2\na==1.1\n", "")
    assert json.loads(run("find-updates pins.txt --format json")[1])[1] == {"name": "a", "version": "1.1"}
    index.answers["/simple/b/"] = [Answer(403)]
    status, out, err = run("find-updates pins.txt --format csv")
    assert (status, out) == (3, "name,version\na,1.1\n".replace("\n", "\r\n"))
    assert "no answer about b" in err


def test_requirements_are_resolved_where_wanted(run, tmp_path):
    (tmp_path / "r.txt").write_text("a\nb>9\n")
    (tmp_path / "constraints.txt").write_text("gone<1\n")
    status, _, err = run("lint-requirements --resolve-requirements r.txt constraints.txt")
    assert status == 1
    assert "a resolves to 1.1" in err
    assert "r.txt:2: no version of b" in err


def order(index, *entries):
    rows = [
        {"dist": name, "version": version, "source_url": url and f"{index.url}{url}", "source_url_type": kind} | more
        for name, version, url, kind, more in entries
    ]
    return json.dumps(rows)


def test_the_files_of_an_order_are_brought_and_checked(run, index, tmp_path):
    (tmp_path / "order.json").write_text(
        order(
            index,
            ("a", "1.1", "/files/a-1.1.tar.gz", "sdist", {}),
            ("b", "1", "", "sdist", {"sha256": sha256(SDIST)}),
            ("a", "1.2", "/files/a-1.2-py3-none-any.whl", "prebuilt", {"prebuilt": True}),
            ("c", "1", "/files/c-1.zip", "override", {}),
        )
    )
    status, out, err = run(f"download-sequence order.json {index.url}/simple -w")
    assert (status, out) == (0, "")
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*-repo/*/*")} == {
        "sdists-repo/downloads/a-1.1.tar.gz",
        "sdists-repo/downloads/b-1.tar.gz",
        "wheels-repo/prebuilt/a-1.2-py3-none-any.whl",
        "wheels-repo/downloads/a-1.1-py3-none-any.whl",
    }
    assert "c==1: its source is from a override, skipped" in err
    asked = len(index.requests)
    assert run(f"download-sequence order.json {index.url}/simple -w")[0] == 0
    assert not [path for path in index.paths()[asked:] if path.startswith("/files/")]


def test_what_is_missing_or_other_is_told_and_leaves_no_file(run, index, tmp_path):
    index.answers["/simple/b/"] = page("b-1.tar.gz", b=sha256(b"other"))
    (tmp_path / "order.json").write_text(
        order(
            index,
            ("b", "1", "/files/b-1.tar.gz", "sdist", {}),
            ("a", "1.0", "/files/gone-1.0.tar.gz", "sdist", {}),
            ("d", "1", "", "sdist", {}),
            ("a", "1.2", "/files/a-1.2-py3-none-any.whl", "prebuilt", {"prebuilt": True}),
        )
    )
    status, _, err = run(f"download-sequence order.json {index.url}/simple")
    assert status == 1
    assert err.count("missing: ") == 3
    assert "was promised" in err
    assert "a==1.2: it is a prebuilt wheel, skipped" in err
    assert not list(tmp_path.rglob("*-repo/*/*"))
    assert run(f"download-sequence order.json {index.url}/simple --ignore-missing-sdists")[0] == 0


@pytest.mark.parametrize(
    "content", ["{}", '[{"dist": "a", "version": "x"}]', '[{"dist":"a","version":"1","sha256":"0"}]']
)
def test_what_is_no_order_is_refused(run, index, tmp_path, content):
    (tmp_path / "order.json").write_text(content)
    status, _, err = run(f"download-sequence order.json {index.url}/simple")
    assert (status, "order.json" in err) == (2, True)


def wheel(folder, name):
    folder.mkdir(parents=True, exist_ok=True)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        info = "-".join(name.split("-")[:2]) + ".dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name.split('-')[0]}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    (folder / name).write_bytes(stream.getvalue())


@pytest.fixture
def served(tmp_path):
    """The URL of a wheel-server of its own process, and its wheels-repo."""
    repo = tmp_path / "wheels-repo"
    wheel(repo / "downloads", "My_Own-1.0-0-py3-none-any.whl")
    wheel(repo / "prebuilt", "other-2-py3-none-any.whl")
    (repo / "downloads" / "notes.whl").touch()
    program = [sys.executable, "-m", "wheelfleet_coordinator", "-O", str(tmp_path)]
    argv = [*program, "wheel-server", "-p", "0", "-i", "127.0.0.1"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    # A test run in the background ignores Ctrl-C, and its children would too.
    heeds = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment, preexec_fn=heeds) as process:  # noqa: PLW1509
        try:
            told = process.stdout.readline()
            assert told.startswith("Listening on http://127.0.0.1:"), told
            yield told.split()[-1], repo
        finally:
            process.send_signal(signal.SIGINT)
    assert process.returncode == 130


def test_a_folder_of_wheels_is_an_index(served):
    url, repo = served
    with httpx.Client(trust_env=False, follow_redirects=True) as client:
        assert client.get(url.removesuffix("simple/")).text.count("<a ") == 2
        found = client.get(f"{url}My.Own", headers={"Accept": JSON["Content-Type"]}).json()
        (file,) = found["files"]
        assert (found["versions"], file["filename"]) == (["1.0"], "My_Own-1.0-0-py3-none-any.whl")
        content = client.get(f"{url}my-own/{file['url']}")
        assert (sha256(content.content), len(content.content)) == (file["hashes"]["sha256"], file["size"])
        assert client.get(content.url, headers={"Range": "bytes=0-3"}).content == content.content[:4]
        assert f"#sha256={file['hashes']['sha256']}" in client.get(f"{url}my-own/").text
        assert client.get(f"{url}nothing/").status_code == 404
        assert client.get(f"{url}my-own/../other/x.whl").status_code == 404
        for path in ("", "my-own/"):
            assert client.get(f"{url}{path}", headers={"Accept": "image/png"}).status_code == 406
        wheel(repo / "build", "new-1-py3-none-any.whl")
        assert "new-1-py3-none-any.whl" in client.get(f"{url}new/").text


def test_pip_takes_wheels_from_it(served, tmp_path):
    url, _ = served
    pip = [sys.executable, "-m", "pip", "download", "--isolated", "--no-cache-dir", "-q", "--no-deps"]
    subprocess.run([*pip, "--index-url", url, "-d", tmp_path / "got", "my-own"], check=True)
    assert [path.name for path in (tmp_path / "got").iterdir()] == ["My_Own-1.0-0-py3-none-any.whl"]
