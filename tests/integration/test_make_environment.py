import asyncio
import http.server
import os
import subprocess
import threading
import zipfile

import pytest

from build_equipment import INTERPRETER
from wheelfleet_agent.adapters.environment import Uv, find_uv, make_environment
from wheelfleet_shared.errors import InfrastructureError, InputError


def make_wheel(folder, name, version="1.0", requires="", says_version=None):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    members = {
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {says_version or version}\n{requires}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name}-tool = {name}:main\n",
    }
    record = "".join(f"{member},,\n" for member in (*members, f"{info}/RECORD"))
    with zipfile.ZipFile(path, "w") as wheel:
        for member, text in {**members, f"{info}/RECORD": record}.items():
            wheel.writestr(member, text)
    return path


@pytest.fixture
def uv(tmp_path):
    return Uv(find_uv(), tmp_path / "cache", "hardlink")


@pytest.fixture
def index():
    """The URL of a package index on loopback, and the paths asked for there."""
    asked = []

    class Index(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{server.server_port}/simple", asked
        server.shutdown()


def make(uv, wheels, folder):
    return asyncio.run(make_environment(uv, INTERPRETER, wheels, folder))


def test_holds_exactly_the_wheels_whatever_they_require(tmp_path, uv):
    wheels = [make_wheel(tmp_path / "w", "one", requires="Requires-Dist: nowhere\n"), make_wheel(tmp_path / "w", "two")]
    environment = make(uv, wheels, tmp_path / "env")
    code = "import one, two, sys; print(sys.prefix)"
    said = subprocess.run([environment.python, "-I", "-B", "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == str(environment.folder)
    assert {path.name for path in environment.site.iterdir() if path.name.endswith("dist-info")} == {
        "one-1.0.dist-info",
        "two-1.0.dist-info",
    }
    assert not list(environment.site.rglob("*.pyc"))


def test_can_be_empty(tmp_path, uv):
    assert make(uv, [], tmp_path / "env").python.exists()


def test_can_be_moved(tmp_path, uv):
    environment = make(uv, [make_wheel(tmp_path / "w", "one")], tmp_path / "env")
    tool = environment.bin / "one-tool"
    assert str(tmp_path) not in tool.read_text()
    assert os.access(tool, os.X_OK)


def test_a_wheel_that_is_not_what_its_name_says_is_refused(tmp_path, uv):
    wheel = make_wheel(tmp_path / "w", "one", version="1.0", says_version="2.0")
    with pytest.raises(InfrastructureError):
        make(uv, [wheel], tmp_path / "env")


def test_what_uv_says_is_told(tmp_path, uv):
    (tmp_path / "broken-1.0-py3-none-any.whl").write_bytes(b"no zip")
    with pytest.raises(InfrastructureError, match="broken"):
        make(uv, [tmp_path / "broken-1.0-py3-none-any.whl"], tmp_path / "env")


def test_copies_cannot_be_written_through_to_the_cache(tmp_path, uv):
    wheel = make_wheel(tmp_path / "w", "one")
    first = make(uv._replace(link_mode="copy"), [wheel], tmp_path / "first")
    (first.site / "one.py").write_text("poison = True")
    second = make(uv._replace(link_mode="copy"), [wheel], tmp_path / "second")
    assert (second.site / "one.py").read_text() == ""


def test_without_uv_the_next_step_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"wheelfleet\[agent\]"):
        find_uv()


def _by_variable(name):
    def leak(url, _home, monkeypatch):
        monkeypatch.setenv(name, url)

    return leak


def _by_pip_configuration(url, home, _monkeypatch):
    for folder in (home / ".pip", home / ".config" / "pip"):
        folder.mkdir(parents=True)
        (folder / "pip.conf").write_text(f"[global]\nextra-index-url = {url}\n")


def _by_uv_configuration(url, home, _monkeypatch):
    (home / ".config" / "uv").mkdir(parents=True)
    (home / ".config" / "uv" / "uv.toml").write_text(f'[[index]]\nurl = "{url}"\ndefault = true\n')


def _by_project(url, home, monkeypatch):
    project = '[project]\nname = "trap"\nversion = "1"\n'
    (home / "pyproject.toml").write_text(f'{project}[[tool.uv.index]]\nurl = "{url}"\ndefault = true\n')
    monkeypatch.chdir(home)


LEAKS = {
    "PIP_EXTRA_INDEX_URL": _by_variable("PIP_EXTRA_INDEX_URL"),
    "PIP_INDEX_URL": _by_variable("PIP_INDEX_URL"),
    "UV_INDEX": _by_variable("UV_INDEX"),
    "UV_EXTRA_INDEX_URL": _by_variable("UV_EXTRA_INDEX_URL"),
    "UV_DEFAULT_INDEX": _by_variable("UV_DEFAULT_INDEX"),
    "UV_FIND_LINKS": _by_variable("UV_FIND_LINKS"),
    "pip.conf": _by_pip_configuration,
    "uv.toml": _by_uv_configuration,
    "pyproject.toml": _by_project,
}
CAUGHT_BY_UV = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "uv.toml", "pyproject.toml")


def _lay(leak, url, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    LEAKS[leak](url, home, monkeypatch)


@pytest.mark.parametrize("leak", LEAKS)
def test_no_index_is_ever_asked(tmp_path, uv, index, monkeypatch, leak):
    url, asked = index
    _lay(leak, url, tmp_path, monkeypatch)
    wheel = make_wheel(tmp_path / "w", "one", requires="Requires-Dist: nowhere\n")
    make(uv, [wheel], tmp_path / "home" / "env")
    assert asked == []


@pytest.mark.parametrize("leak", CAUGHT_BY_UV)
def test_the_traps_do_catch_a_plain_uv(tmp_path, uv, index, monkeypatch, leak):
    url, asked = index
    _lay(leak, url, tmp_path, monkeypatch)
    environment = make(uv, [], tmp_path / "env")
    argv = [uv.program, "pip", "install", "--cache-dir", tmp_path / "other", "--python", environment.python, "nowhere"]
    # The default index is refused by a proxy that nobody serves: only the trap can answer.
    proxied = {**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1", "UV_HTTP_RETRIES": "0"}
    subprocess.run(argv, check=False, capture_output=True, env=proxied)
    assert asked == ["/simple/nowhere/"]
