"""The configuration as the real server reads it."""

import json
import subprocess
import sysconfig
from pathlib import Path

import msgspec
import pytest

from wheelfleet_shared.adapters.make_credentials import make_credential, user_of
from wheelfleet_shared.core.nats_config import NatsConfig, render
from wheelfleet_shared.core.permissions import actor_of

NATS = Path(sysconfig.get_path("scripts")) / "nats-server"
USERS = tuple(
    user_of(make_credential("", actor_of(role, "x"))) for role in ("coordinator", "agent", "operator", "viewer")
)


def check(tmp_path, config: NatsConfig) -> subprocess.CompletedProcess[str]:
    (tmp_path / "nats.conf").write_text(render(config))
    return subprocess.run([NATS, "-t", "-c", tmp_path / "nats.conf"], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "config",
    [
        NatsConfig("one", "/store", USERS),
        NatsConfig("two", "/store with space", USERS, port=4222, monitoring=8222, ports_folder="/ports"),
        NatsConfig("none", "/store", ()),
    ],
)
def test_the_server_accepts_it(tmp_path, config):
    done = check(tmp_path, config)
    assert done.returncode == 0, done.stderr
    assert "is valid" in done.stderr


def test_the_check_can_fail(tmp_path):
    damaged = msgspec.structs.replace(USERS[0], public_key="UX")
    assert check(tmp_path, NatsConfig("x", "/store", (damaged,))).returncode != 0


def test_equal_values_give_equal_text_whatever_the_order_of_users():
    assert render(NatsConfig("x", "/s", USERS)) == render(NatsConfig("x", "/s", USERS[::-1]))


def test_every_append_is_synced_and_only_coordinators_share_the_account_of_the_log():
    settings = json.loads(render(NatsConfig("x", "/s", USERS)))
    assert settings["jetstream"]["sync_interval"] == "always"
    [account] = [account for account in settings["accounts"].values() if account.get("jetstream")]
    [coordinator] = account["users"]
    assert coordinator["nkey"] == USERS[0].public_key
