import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from build_equipment import Lines
from wheelfleet_agent.adapters.disk_watch import exceeded, measure
from wheelfleet_agent.adapters.run_process import run
from wheelfleet_agent.core.processes import Command, Limits

LIMITS = Limits(timeout_total=30.0, timeout_silent=30.0, grace=0.2)


def shell(script, tmp_path, log=None, **limits):
    import msgspec

    command = Command(
        ("/bin/sh", "-c", script), {"PATH": "/usr/bin:/bin"}, tmp_path, msgspec.structs.replace(LIMITS, **limits)
    )
    return asyncio.run(run(command, log or Lines()))


def test_output_of_both_kinds_and_the_status_come_back(tmp_path):
    log = Lines()
    finished = shell("echo out; echo err >&2; exit 3", tmp_path, log)
    assert (finished.returncode, finished.reason, finished.tail) == (3, "exited", ("out", "err"))
    assert log.text == "out\nerr\n"
    assert finished.usage.wall > 0
    assert finished.usage.memory > 0


def test_nothing_is_inherited(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "x")
    os.umask(0o077)
    try:
        finished = shell("env | sort; umask; cat; ulimit -c", tmp_path)
    finally:
        os.umask(0o022)
    variables = [line for line in finished.tail[:-2] if not line.startswith(("PWD=", "SHLVL=", "_=", "OLDPWD="))]
    assert variables == ["PATH=/usr/bin:/bin"]
    assert finished.tail[-2:] == ("0022", "0")


def test_a_program_that_is_not_there_is_told(tmp_path):
    finished = asyncio.run(run(Command(("no-such-program",), {"PATH": "/bin"}, tmp_path, LIMITS), Lines()))
    assert finished.returncode == 127
    assert "no-such-program cannot be started" in finished.tail[-1]


def test_death_by_a_signal_is_told(tmp_path):
    assert shell("kill -SEGV $$", tmp_path).returncode == -signal.SIGSEGV


def test_limits_hold_for_the_program(tmp_path):
    finished = shell("ulimit -n; head -c 100000 /dev/zero > big", tmp_path, open_files=64, file_size=4096)
    assert finished.tail[0] == "64"
    assert finished.returncode != 0
    assert (tmp_path / "big").stat().st_size == 4096


@pytest.mark.parametrize("limit", ["timeout_total", "timeout_silent"])
def test_a_program_that_ignores_term_is_stopped_all_the_same(tmp_path, limit):
    finished = shell("trap '' TERM; while :; do /bin/sleep 30; done", tmp_path, **{limit: 0.3})
    assert finished.reason == limit
    assert finished.returncode == -signal.SIGKILL


def test_output_puts_the_silent_timeout_off(tmp_path):
    finished = shell("for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done", tmp_path, timeout_silent=0.9)
    assert finished.reason == "exited"


def test_when_the_agent_is_killed_its_programs_die():
    """The agent here is a process of its own, killed without a chance to tidy up."""
    agent = (
        "import asyncio, sys; from pathlib import Path; from wheelfleet_agent.adapters.run_process import run;"
        "from wheelfleet_agent.core.processes import Command\n"
        "class Log:\n"
        "    def write(self, data): sys.stdout.write(data.decode()); sys.stdout.flush()\n"
        "script = 'echo $$; (setsid sleep 600 & echo $!); wait; sleep 600'\n"
        "asyncio.run(run(Command(('/bin/sh', '-c', script), {'PATH': '/usr/bin:/bin'}, Path('/')), Log()))\n"
    )
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", agent], stdout=subprocess.PIPE, env=variables) as process:
        pids = [int(process.stdout.readline()) for _ in range(2)]
        descriptors = [os.pidfd_open(pid) for pid in pids]
        process.kill()
    import select

    for descriptor in descriptors:
        assert select.select([descriptor], [], [], 30)[0]
        os.close(descriptor)


def test_folders_are_measured_without_following_links(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(b"x" * 8192)
    (tmp_path / "a" / "link").symlink_to("/usr")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    taken = measure([tmp_path])
    assert taken.files == 5
    assert 8192 <= taken.disk < 100_000
    assert exceeded([tmp_path], Limits(files=4))
    assert exceeded([tmp_path], Limits(disk=8191))
    assert not exceeded([tmp_path], Limits(disk=10**9, files=5))
    assert exceeded([Path("/")], Limits(free_disk=2**62))
