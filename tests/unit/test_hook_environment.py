import os
import subprocess
from pathlib import Path

import pytest

from wheelfleet_agent.core.hook_environment import HookSettings, Places, hook_environment
from wheelfleet_shared.errors import InputError

PLACES = Places((Path("/environment/bin"), Path("/toolchain")), Path("/build"), Path("/build/home"), Path("/tmp"))


def variables(**settings):
    return hook_environment(HookSettings(epoch=1_000, **settings), PLACES)


@pytest.mark.rule("epoch-10", "hook-8")
def test_everything_a_hook_sees_is_said_here():
    assert variables(cores=3) == {
        "PATH": "/environment/bin:/toolchain",
        "HOME": "/build/home",
        "TMPDIR": "/tmp",
        "GIT_CEILING_DIRECTORIES": "/build",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "MAKEFLAGS": "-j3",
        "MAX_JOBS": "3",
        "CMAKE_BUILD_PARALLEL_LEVEL": "3",
        "CARGO_BUILD_JOBS": "3",
        "NPY_NUM_BUILD_JOBS": "3",
        "SOURCE_DATE_EPOCH": "1000",
        "PYTHONHASHSEED": "0",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "TERM": "dumb",
        "PYTHONUNBUFFERED": "1",
        "CARGO_NET_OFFLINE": "true",
        "PIP_NO_INDEX": "1",
        "PIP_CONFIG_FILE": "/dev/null",
        "UV_OFFLINE": "1",
        "UV_NO_CONFIG": "1",
    }


def test_an_interpreter_without_bytecode_compiles_once_an_attempt_and_not_into_the_source():
    seen = hook_environment(HookSettings(epoch=1_000), PLACES._replace(compiled=False))
    assert seen["PYTHONPYCACHEPREFIX"] == "/build/bytecode"
    assert "PYTHONDONTWRITEBYTECODE" not in seen


def test_a_granted_network_is_not_talked_out_of():
    assert {"CARGO_NET_OFFLINE", "PIP_NO_INDEX", "UV_OFFLINE"}.isdisjoint(variables(network=True))


def test_settings_win_and_may_build_on_what_is_there():
    seen = variables(variables={"PATH": "/opt/x:${PATH}", "CFLAGS": "-O2", "PRICE": "$$5"})
    assert seen["PATH"] == "/opt/x:/environment/bin:/toolchain"
    assert (seen["CFLAGS"], seen["PRICE"]) == ("-O2", "$5")


@pytest.mark.parametrize("text", ["${AWS_SECRET}", "$"])
def test_settings_that_read_what_is_not_there_are_refused(text):
    with pytest.raises(InputError, match="TOKEN"):
        variables(variables={"TOKEN": text})


@pytest.mark.rule("source-5")
def test_a_checkout_around_the_build_folder_is_not_seen(tmp_path):
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    source = tmp_path / "build" / "source"
    source.mkdir(parents=True)
    seen = hook_environment(HookSettings(epoch=1_000), PLACES._replace(build=tmp_path / "build"))
    asked = ["git", "rev-parse", "--show-toplevel"]
    there = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    ceiling = {"GIT_CEILING_DIRECTORIES": seen["GIT_CEILING_DIRECTORIES"]}
    assert subprocess.run(asked, cwd=source, env=there, check=False, capture_output=True).returncode == 0
    assert subprocess.run(asked, cwd=source, env=there | ceiling, check=False, capture_output=True).returncode != 0
