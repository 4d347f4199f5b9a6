import pytest

from wheelfleet_shared.adapters.make_credentials import (
    load_credential,
    make_credential,
    make_seed,
    public_key,
    save_credential,
)
from wheelfleet_shared.core.configuration import (
    AgentConfig,
    CoordinatorConfig,
    HttpConfig,
    StoreConfig,
    decode_config,
    encode_config,
)
from wheelfleet_shared.core.credentials import Credential, decode_credential, encode_credential
from wheelfleet_shared.core.permissions import actor_of
from wheelfleet_shared.errors import InputError

ACTOR = actor_of("agent", "a1")


def test_a_saved_credential_is_private_and_comes_back(tmp_path):
    made = make_credential("nats://127.0.0.1:4222", ACTOR)
    save_credential(tmp_path / "a1.json", made)
    assert (tmp_path / "a1.json").stat().st_mode & 0o777 == 0o600
    assert load_credential(tmp_path / "a1.json") == made
    assert [file.name for file in tmp_path.iterdir()] == ["a1.json"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_credential_that_others_can_use_is_refused(tmp_path, mode):
    save_credential(tmp_path / "a1.json", make_credential("nats://127.0.0.1:4222", ACTOR))
    (tmp_path / "a1.json").chmod(mode)
    with pytest.raises(InputError, match=f"mode {mode:04o}") as caught:
        load_credential(tmp_path / "a1.json")
    assert "chmod 600" in caught.value.next_step


def test_a_missing_credential_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*gone\.json"):
        load_credential(tmp_path / "gone.json")


def test_toml_will_do(tmp_path):
    file = tmp_path / "a1.toml"
    file.write_text('nats_url = "nats://h:1"\nactor = "agent-a1"\nnkey_seed = "SUX"\n')
    file.chmod(0o600)
    assert load_credential(file) == Credential("nats://h:1", ACTOR, "SUX")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"nats_url": "n"}', '{"nats_url": 1, "actor": "a", "nkey_seed": "s"}']
)
def test_what_is_no_credential_is_refused_by_the_name_of_its_file(text):
    with pytest.raises(InputError, match=r"my\.json holds no credential"):
        decode_credential(text.encode(), origin="my.json")


def test_an_actor_without_a_role_is_refused():
    with pytest.raises(InputError, match="'root' is no actor"):
        decode_credential(b'{"nats_url": "n", "actor": "root", "nkey_seed": "s"}')


def test_keys_are_random_and_their_public_half_is_not_secret():
    seed, other = make_seed(), make_seed()
    assert seed != other
    assert seed.startswith("SU")
    assert public_key(seed).startswith("U")
    assert public_key(seed) == public_key(seed) != public_key(other)
    with pytest.raises(InputError, match="damaged") as caught:
        public_key(seed[:-4] + "!")
    assert seed[:-4] not in str(caught.value)


def test_no_secret_is_printed():
    store = StoreConfig("http://s", "b", "ACCESS", "HUSH")
    values = [
        Credential("nats://h", ACTOR, "SUSECRET", "http://h", "TOKEN"),
        CoordinatorConfig("/c.json", "/data", store),
    ]
    for value in values:
        shown = f"{value!r} {value} {[value]}"
        assert not [secret for secret in ("SUSECRET", "TOKEN", "ACCESS", "HUSH") if secret in shown]
    assert "nkey_seed=***" in repr(values[0])
    assert "HUSH" in encode_config(values[1]).decode()
    assert "SUSECRET" in encode_credential(values[0]).decode()


@pytest.mark.parametrize(
    "config",
    [
        CoordinatorConfig("/c", "/d", StoreConfig("http://s", "b", "k", "s"), HttpConfig("127.0.0.1", 80, ("/t",))),
        AgentConfig("/c", "/d", 4, ("/usr/bin/python3",), "none", ("gpu",)),
    ],
)
def test_configurations_come_back(config):
    assert decode_config(encode_config(config), type(config)) == config


def test_a_configuration_can_be_toml():
    text = 'credential = "/c"\ndata = "/d"\nslots = 4\ninterpreters = ["/usr/bin/python3"]\n'
    assert decode_config(text.encode(), AgentConfig, toml=True) == AgentConfig("/c", "/d", 4, ("/usr/bin/python3",))


def test_a_wrong_field_is_named_without_its_value():
    with pytest.raises(InputError, match=r"agent\.toml is no AgentConfig.*slots") as caught:
        decode_config(b'credential = "c"\ndata = "d"\nslots = "four"\n', AgentConfig, toml=True, origin="agent.toml")
    assert "four" not in str(caught.value)
