import json
import stat

import pytest

from wheelfleet_coordinator.app.fleet_folder import FleetFolder, account_tokens, enroll, identity_of, revoke, trust_of
from wheelfleet_coordinator.app.fleet_hosts import Wishes, init_fleet
from wheelfleet_coordinator.core.fleet import Fleet, named_actor, reissued, revoked_keys, with_enrolled, without
from wheelfleet_shared.adapters.signing import new_seed, public_half, signer, verifier
from wheelfleet_shared.core.configuration import CoordinatorConfig, StoreConfig, decode_config
from wheelfleet_shared.core.fleet_accounts import FOR_EVER, template_of
from wheelfleet_shared.core.fleet_server import ServerPlace, render_server
from wheelfleet_shared.core.nats_jwt import Scope, encode_jwt, is_signed, read_user, user_claims
from wheelfleet_shared.core.permissions import actor_of
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import Actor

STORE = StoreConfig("http://s3", "b", "AK", "SK")
ONE = Wishes("tls://nats.example", "https://wheels.example/", STORE)
THREE = Wishes("tls://a,tls://b:4333,tls://c", "http://wheels.example:8181", STORE)
AGENT, OPERATOR = Actor("agent-ann"), Actor("operator-ann")


def private(path):
    return stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_a_token_says_who_signed_it_and_for_how_long():
    seed = new_seed("account")
    scope = Scope("a1", "UX", public_half(seed), "AX", 10, 20)
    token = encode_jwt(user_claims(scope), signer(seed))
    assert read_user(token) == scope
    assert is_signed(token, verifier(seed))
    assert not is_signed(token, verifier(new_seed("account")))
    assert not is_signed(token[:-3] + "AAA", verifier(seed))
    assert not is_signed("é.é", verifier(seed))
    assert not is_signed("a.b.c", verifier(seed))
    endless = Scope("a1", "UX", public_half(seed), "AX", 10, 0)
    assert read_user(encode_jwt(user_claims(endless), signer(seed))) == endless


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "a.e30.c"])
def test_what_is_no_token_of_a_user_is_refused(token):
    with pytest.raises(InputError, match="damaged"):
        read_user(token)


def test_a_damaged_seed_is_refused():
    with pytest.raises(InputError, match="damaged"):
        public_half("SAX")


@pytest.mark.parametrize("role", ["coordinator", "agent", "operator", "viewer"])
def test_a_template_speaks_of_its_role_and_leaves_the_name_to_the_server(role):
    template = template_of(role)
    spoken = [s for s in (*template.publish, *template.subscribe) if "name()" in s]
    assert spoken
    assert all(f"{role}-{{{{name()}}}}" in subject for subject in spoken)


def test_a_fleet_of_one_server_has_what_each_host_needs_and_keeps_its_keys(tmp_path):
    folder = FleetFolder(tmp_path / "f")
    fleet = init_fleet(folder, ONE, 1000.0)
    assert fleet.nats_url == "tls://nats.example:4222"
    assert [entry.actor for entry in fleet.enrolled] == ["coordinator-main"]
    written = [path for path in folder.root.rglob("*") if path.is_file()]
    assert all(private(path) for path in written if path.name != "lock")
    told = json.loads((folder.server("nats.example") / "nats.conf").read_bytes())
    assert told["tls"]["handshake_first"] is True
    assert told["jetstream"]["sync_interval"] == "always"
    assert "cluster" not in told
    config = decode_config((folder.coordinator / "coordinator.json").read_bytes(), CoordinatorConfig)
    assert (config.replicas, config.http.host, config.http.public) == (1, "127.0.0.1", False)
    assert config.signing == "/etc/wheelfleet/coordinator/signing.json"
    keys, certificate = folder.keys(), (folder.server("nats.example") / "server.pem").read_bytes()
    again = init_fleet(folder, ONE, 1000.0)
    assert folder.keys() == keys
    assert again.enrolled == fleet.enrolled
    assert again.tokens_at == fleet.tokens_at + 1
    assert (folder.server("nats.example") / "server.pem").read_bytes() != certificate


def test_three_servers_know_each_other_and_keep_each_event_three_times(tmp_path):
    folder = FleetFolder(tmp_path)
    fleet = init_fleet(folder, THREE, 1.0)
    assert fleet.nats_url == "tls://a:4222,tls://b:4333,tls://c:4222"
    told = json.loads((folder.server("b") / "nats.conf").read_bytes())
    assert told["cluster"]["routes"] == ["nats-route://a:6222", "nats-route://b:6222", "nats-route://c:6222"]
    assert told["cluster"]["tls"]["verify"] is True
    assert told["port"] == 4333
    config = decode_config((folder.coordinator / "coordinator.json").read_bytes(), CoordinatorConfig)
    assert (config.replicas, config.http.host, config.http.port) == (3, "0.0.0.0", 8181)


def test_a_server_may_be_told_of_no_monitoring_and_where_to_write_its_ports():
    keys_less = {"operator": "o", "system": "s", "accounts": {}}
    from wheelfleet_shared.core.fleet_server import Trust

    told = json.loads(render_server(ServerPlace("n", "/c", "/d", monitoring=0, ports_folder="/p"), Trust(**keys_less)))
    assert "http" not in told
    assert told["ports_file_dir"] == "/p"


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (ONE._replace(nats_url=""), "no address"),
        (ONE._replace(nats_url="http://x"), "no address of a NATS server"),
        (ONE._replace(nats_url="tls://a,tls://a:1"), "one host name"),
        (ONE._replace(nats_url="tls://a,tls://b"), "cannot keep 2 copies"),
        (ONE._replace(replicas=3), "cannot keep 3 copies"),
        (ONE._replace(http_url="wheels"), "no HTTP address"),
    ],
)
def test_addresses_that_cannot_be_used_are_refused_before_anything_is_made(tmp_path, wishes, words):
    with pytest.raises(InputError, match=words):
        init_fleet(FleetFolder(tmp_path / "f"), wishes, 1.0)
    assert not (tmp_path / "f").exists()


def test_each_role_gets_what_it_needs_and_no_more(tmp_path):
    init_fleet(folder := FleetFolder(tmp_path), ONE, 1.0)
    agent, operator, viewer = (enroll(folder, role, "x", days=2, at=1000.0) for role in ("agent", "operator", "viewer"))
    assert (agent.http_url, agent.http_token) == ("", "")
    assert operator.http_token != viewer.http_token
    assert operator.http_url == viewer.http_url == "https://wheels.example"
    assert read_user(agent.jwt).expires == 1000 + 2 * 86_400
    assert read_user(agent.jwt).account != identity_of(folder.keys()).coordinators
    assert "PRIVATE" not in agent.ca
    with pytest.raises(InputError, match="cannot name an actor"):
        enroll(folder, "agent", "x.y", days=1, at=1.0)


def test_who_is_cut_off_is_in_the_token_of_the_account(tmp_path):
    init_fleet(folder := FleetFolder(tmp_path), ONE, 1.0)
    first, second = (enroll(folder, "agent", "b1", days=1, at=1.0) for _ in range(2))
    assert revoke(folder, "b1", 5.0) == "agent-b1"
    assert revoke(folder, "coordinator-main", 5.0) == "coordinator-main"
    claims = [payload(token) for token in account_tokens(folder.keys(), folder.fleet()).values()]
    revoked = {claim["name"]: claim["nats"].get("revocations") for claim in claims}
    assert revoked["FLEET"] == {read_user(made.jwt).subject: FOR_EVER for made in (first, second)}
    assert len(revoked["COORDINATORS"]) == 1
    assert set(trust_of(folder.keys(), folder.fleet()).accounts) == {claim["sub"] for claim in claims}


def payload(token):
    import base64

    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def test_a_folder_without_a_fleet_says_so(tmp_path):
    with pytest.raises(InputError, match="holds no fleet"):
        FleetFolder(tmp_path).fleet()


def test_names_are_found_with_and_without_their_role():
    fleet = with_enrolled(with_enrolled(Fleet("", "", ()), AGENT, "U1", 1.0), OPERATOR, "U2", 1.0)
    assert named_actor(fleet, "agent-ann") == AGENT
    with pytest.raises(InputError, match="may be agent-ann or operator-ann"):
        named_actor(fleet, "ann")
    with pytest.raises(InputError, match="nobody named bob was ever let in"):
        named_actor(fleet, "bob")
    with pytest.raises(InputError, match="was ever let in") as caught:
        named_actor(Fleet("", "", ()), "bob")
    assert "nobody" in caught.value.next_step


def test_what_was_taken_away_stays_away_and_later_keys_count():
    fleet = without(with_enrolled(Fleet("", "", ()), AGENT, "U1", 1.0), AGENT, 7.0)
    fleet = with_enrolled(fleet, AGENT, "U2", 8.0)
    assert revoked_keys(fleet, coordinators=False) == ("U1",)
    assert revoked_keys(fleet, coordinators=True) == ()
    again = without(fleet, actor_of("agent", "ann"), 9.0)
    assert [entry.revoked_at for entry in again.enrolled] == [7.0, 9.0]
    assert again.tokens_at > fleet.tokens_at
    assert reissued(again, 1.0).tokens_at == again.tokens_at + 1
