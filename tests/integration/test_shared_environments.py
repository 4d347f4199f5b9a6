"""Environments that builds share: made once for a lock, kept while somebody uses them, given up when too many wait."""

import asyncio
import hashlib
import subprocess

import pytest

from build_equipment import INTERPRETER
from test_make_environment import make_wheel
from wheelfleet_agent.adapters import shared_environments
from wheelfleet_agent.adapters.environment import Uv, find_uv
from wheelfleet_agent.adapters.shared_environments import Locked, SharedEnvironments
from wheelfleet_shared.errors import InfrastructureError


@pytest.fixture
def uv(tmp_path):
    return Uv(find_uv(), tmp_path / "cache", "hardlink")


def locked(*wheels):
    return Locked(INTERPRETER, [(hashlib.sha256(path.read_bytes()).hexdigest(), path) for path in wheels])


def test_builds_with_one_lock_get_one_environment_which_works_where_it_lies(tmp_path, uv):
    lock = locked(make_wheel(tmp_path, "alpha"), make_wheel(tmp_path, "beta"))
    shared = SharedEnvironments(tmp_path / "environments", uv)

    async def build():
        async with shared.lease(lock) as environment:
            return environment

    async def body():
        return await asyncio.gather(*(build() for _ in range(4)))

    environments = asyncio.run(body())
    assert len(set(environments)) == 1
    assert [path.name for path in (tmp_path / "environments").iterdir()] == [lock.key]
    subprocess.run([environments[0].python, "-I", "-c", "import alpha, beta"], check=True)


def test_other_wheels_or_another_interpreter_are_another_environment(tmp_path):
    alpha, beta = make_wheel(tmp_path, "alpha"), make_wheel(tmp_path, "beta")
    keys = {locked(alpha).key, locked(alpha, beta).key, locked(alpha)._replace(interpreter=tmp_path).key}
    assert len(keys) == 3
    assert locked(alpha, beta).key == locked(beta, alpha).key


def test_what_is_in_use_stays_and_the_longest_idle_goes(tmp_path, uv, monkeypatch):
    monkeypatch.setattr(shared_environments, "MOST_IDLE", 1)
    locks = [locked(make_wheel(tmp_path, name)) for name in ("alpha", "beta", "gamma")]
    shared = SharedEnvironments(tmp_path / "environments", uv)

    async def body():
        async with shared.lease(locks[0]) as used:
            for lock in locks[1:]:
                async with shared.lease(lock):
                    pass
            assert used.python.exists()

    asyncio.run(body())
    left = {path.name for path in (tmp_path / "environments").iterdir()}
    assert left == {locks[0].key}


def test_one_that_cannot_be_made_leaves_nothing_and_is_tried_again(tmp_path, uv):
    wheel = make_wheel(tmp_path, "alpha", says_version="2.0")
    lock = locked(wheel)
    shared = SharedEnvironments(tmp_path / "environments", uv)

    async def body():
        for _ in range(2):
            with pytest.raises(InfrastructureError, match=r"not what was locked|could not make"):
                async with shared.lease(lock):
                    pass

    asyncio.run(body())
    assert list((tmp_path / "environments").iterdir()) == []


def test_what_an_earlier_process_left_is_not_used(tmp_path, uv):
    old = tmp_path / "environments" / "old"
    old.mkdir(parents=True)
    SharedEnvironments(tmp_path / "environments", uv)
    assert not old.exists()
