import asyncio
import os
import socket
import zipfile
from pathlib import Path

import pytest

from build_equipment import Lines, equip, open_backend, with_limits
from wheelfleet_agent.adapters.build_folder import remove_build_folder
from wheelfleet_agent.adapters.hooks import ask_build_requirements, build_wheel, prepare_metadata
from wheelfleet_agent.core.hook_answers import HookFailed, HookStopped
from wheelfleet_agent.core.hook_environment import BuildSystem
from wheelfleet_agent.core.sandbox_plan import Level
from wheelfleet_shared.errors import SourceError


@pytest.fixture(scope="session", params=list(Level))
def equipment(request, tmp_path_factory):
    return equip(tmp_path_factory.mktemp("agent"), request.param)


def is_shut_in(equipment):
    return equipment.sandbox.level is not Level.NONE


def ask(backend, log=None):
    return asyncio.run(ask_build_requirements(backend, log or Lines()))[0]


def build(backend, log=None):
    return asyncio.run(build_wheel(backend, log or Lines()))[0]


@pytest.mark.rule("hook-3", "hook-4")
def test_each_hook_is_called_once_with_the_same_settings(tmp_path, equipment):
    backend = open_backend(tmp_path, equipment, "inhouse-backend", variables={"HOOK_CALLS": "${TMPDIR}/calls"})
    log = Lines()
    assert ask(backend) == ()
    metadata, _ = asyncio.run(prepare_metadata(backend, Lines()))
    wheel = build(backend, log)
    assert (backend.folder.temporary / "calls").read_text().splitlines() == [
        f"{hook} [('level', 'high')]"
        for hook in ("get_requires_for_build_wheel", "prepare_metadata_for_build_wheel", "build_wheel")
    ]
    assert "Name: inhouse-backend" in (metadata / "METADATA").read_text()
    assert wheel.name == "inhouse_backend-1.0-py3-none-any.whl"
    assert "inhouse.py" in zipfile.ZipFile(wheel).namelist()
    assert log.text == f"built {wheel.name}\n"
    assert not list(backend.tree.rglob("__pycache__"))


def test_a_backend_that_wants_more_says_so_and_finds_it_later(tmp_path, equipment):
    wanting = open_backend(tmp_path, equipment, "needs-more")
    assert ask(wanting) == ("inhouse-backend>=1.0", 'never-here; python_version < "3"')
    with pytest.raises(HookFailed, match="No module named 'inhouse'"):
        build(wanting)
    wheel = build(open_backend(tmp_path, equipment, "inhouse-backend"))
    with pytest.raises(HookFailed, match="found 42"):
        build(open_backend(tmp_path, equipment, "needs-more", [wheel]))


@pytest.mark.rule("hook-14")
def test_metadata_comes_from_a_wheel_where_the_backend_has_no_hook_for_it(tmp_path, equipment):
    backend = open_backend(tmp_path, equipment, "inhouse-backend")
    code = backend.tree / "backend" / "inhouse_backend.py"
    code.write_text(code.read_text().replace("def prepare_metadata_for_build_wheel", "def not_a_hook"))
    assert "Version: 1.0" in (asyncio.run(prepare_metadata(backend, Lines()))[0] / "METADATA").read_text()


def test_the_network_is_out_of_reach_of_a_sandbox(tmp_path, equipment):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        backend = open_backend(
            tmp_path, equipment, "talks-to-network", variables={"PORT": str(listener.getsockname()[1])}
        )
        assert ask(backend) == (("refused",) if is_shut_in(equipment) else ("connected",))
        granted = backend._replace(settings=_granted(backend.settings))
        assert ask(granted) == ("connected",)


def _granted(settings):
    import msgspec

    return msgspec.structs.replace(settings, network=True)


def test_the_host_is_out_of_reach_of_a_sandbox(tmp_path, equipment, monkeypatch):
    monkeypatch.setenv("WHEELFLEET_CANARY", "secret")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "canary").write_text("secret")
    variables = {"OUTSIDE": str(outside), "CANARY": str(outside / "canary")}
    if not is_shut_in(equipment):
        # Without a sandbox root could write to /usr, and shall not in a test: only the variable is looked for.
        backend = open_backend(tmp_path, equipment, "writes-outside", variables=variables)
        code = backend.tree / "backend.py"
        code.write_text(code.read_text().replace(', "/usr", "/environment", "/toolchain", "/"', ","))
        assert ask(backend) == ("wrote-0", "read-file")
        return
    assert ask(open_backend(tmp_path, equipment, "writes-outside", variables=variables)) == ()
    assert sorted(outside.iterdir()) == [outside / "canary"]


def test_a_daemon_dies_with_its_hook(tmp_path, equipment):
    backend = open_backend(tmp_path, equipment, "forks-daemon", variables={"PIDS": "${TMPDIR}/daemon"})
    assert ask(backend) == ()
    assert not _alive_daemons(backend)


def test_cancelling_a_build_ends_it_and_its_daemon(tmp_path, equipment):
    backend = open_backend(tmp_path, equipment, "forks-daemon", variables={"PIDS": "${TMPDIR}/daemon"})

    class Waiting(Lines):
        def write(self, data):
            super().write(data)
            if b"waiting for ever" in self.data:
                waiting.set()

    async def build_and_cancel():
        task = asyncio.create_task(build_wheel(backend, Waiting()))
        await asyncio.wait_for(waiting.wait(), 30)
        assert _alive_daemons(backend)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    waiting = asyncio.Event()
    asyncio.run(build_and_cancel())
    assert not _alive_daemons(backend)


def _alive_daemons(backend):
    """Processes of this host that have the attempt's folder as their own, whatever their number inside."""
    name = b"PIDS=" + os.fsencode(_seen_temporary(backend))
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if name in (process / "environ").read_bytes() and _tree_of(process) == backend.tree.name:
                found.append(process.name)
        except OSError:
            continue
    return found


def _tree_of(process):
    return (process / "cwd").readlink().name


def _seen_temporary(backend):
    return "/tmp/daemon" if is_shut_in(backend.equipment) else str(backend.folder.temporary / "daemon")


def test_a_failing_hook_is_the_backends_fault_and_shows_why(tmp_path, equipment):
    backend = open_backend(tmp_path, equipment, "fails")
    with pytest.raises(HookFailed, match=r"(?s)exit status 1.*no compiler found") as failed:
        ask(backend)
    assert (failed.value.phase, failed.value.party) == ("get_requires_for_build_wheel", "backend")
    assert failed.value.tail[0] == "looking for a compiler"
    with pytest.raises(HookFailed) as failed:
        build(backend)
    assert (failed.value.returncode, failed.value.tail) == (7, ("about to exit",))


def test_a_backend_that_cannot_be_imported_is_named(tmp_path, equipment):
    backend = open_backend(tmp_path, equipment, "fails", system=BuildSystem("missing.backend", ()))
    with pytest.raises(HookFailed, match=r"could not import the backend missing\.backend"):
        ask(backend)


@pytest.mark.rule("source-3")
def test_a_backend_path_outside_the_source_is_refused(tmp_path, equipment):
    backend = open_backend(tmp_path, equipment, "fails", system=BuildSystem("backend", ("../elsewhere",)))
    with pytest.raises(SourceError, match="backend-path"):
        ask(backend)


@pytest.mark.parametrize("trap", ["number", "invalid", "list"])
def test_requirements_that_are_none_are_the_backends_fault(tmp_path, equipment, trap):
    with pytest.raises(HookFailed, match="gave an answer that is none"):
        ask(open_backend(tmp_path, equipment, "answers-nonsense", variables={"TRAP": trap}))


@pytest.mark.parametrize("trap", ["link", "pipe", "linked folder", "escape", "no answer", "nothing made"])
def test_a_wheel_that_is_none_is_the_backends_fault(tmp_path, equipment, trap):
    with pytest.raises(HookFailed, match="gave an answer that is none"):
        build(open_backend(tmp_path, equipment, "answers-nonsense", variables={"TRAP": trap}))


def test_limits_stop_a_hook(tmp_path, equipment):
    backend = open_backend(tmp_path, equipment, "fills-disk")
    with pytest.raises(HookStopped) as stopped:
        ask(with_limits(backend, disk=8 * 1024 * 1024))
    assert stopped.value.kind == "disk_full"
    with pytest.raises(HookStopped) as stopped:
        ask(with_limits(backend, timeout_silent=0.5))
    assert stopped.value.kind == "timeout_silent"
    with pytest.raises(HookStopped) as stopped:
        ask(with_limits(backend, timeout_total=0.5))
    assert stopped.value.kind == "timeout_total"


def test_a_build_folder_of_hostile_depth_and_modes_can_be_removed(tmp_path, equipment):
    backend = open_backend(tmp_path, equipment, "fails")
    deep = os.open(backend.folder.build, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("a-rather-long-name", dir_fd=deep)
        deeper = os.open("a-rather-long-name", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = deeper
    os.fchmod(deep, 0)
    os.close(deep)
    asyncio.run(remove_build_folder(backend.folder))
    assert not backend.folder.root.exists()
