"""What the commands of a fleet's administrator do."""

import asyncio
import os
import time
from pathlib import Path

import typer

from wheelfleet_shared.core.configuration import StoreConfig
from wheelfleet_shared.core.credentials import encode_credential
from wheelfleet_shared.core.permissions import Role
from wheelfleet_shared.errors import InfrastructureError, InputError

from ..adapters.account_updates import bring
from ..app.fleet_folder import FleetFolder, account_tokens, enroll, revoke, system_credential
from ..app.fleet_hosts import Wishes, init_fleet

_STORE_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def make_cluster(
    folder: Path, *, nats_url: str, http_url: str, s3: tuple[str, str, str], replicas: int, places: tuple[str, str]
) -> None:
    """The folder holds a fleet, and it is said what goes where. s3: endpoint, bucket, region."""
    endpoint, bucket, region = s3
    store = StoreConfig(endpoint, bucket, *_store_keys(), region)
    made = FleetFolder(folder.absolute())
    fleet = init_fleet(made, Wishes(nats_url, http_url, store, replicas, *places), time.time())
    configuration = places[0]
    for server in fleet.servers:
        typer.echo(f"{made.server(server)} → {server}:{configuration}/nats")
    typer.echo(f"{made.coordinator} → the coordinator's host:{configuration}/coordinator")
    typer.echo(f"{made.authority}: whoever has it has the fleet; keep a copy where no host of the fleet reads it")
    typer.echo(f"next: wheelfleet enroll operator NAME --fleet {folder} > NAME.json")


def let_in(folder: Path, role: Role, name: str, days: float) -> None:
    """The credential is on standard output."""
    if not days:
        raise InputError("a credential that lasts 0 days lets nobody in", "name more with --days")
    credential = enroll(FleetFolder(folder.absolute()), role, name, days=days, at=time.time())
    typer.echo(encode_credential(credential).decode(), nl=False)
    typer.echo(f"{credential.actor}: {days:g} days; keep it in a file of mode 0600", err=True)


def cut_off(folder: Path, name: str) -> None:
    """The actor is disconnected, and cannot connect again."""
    made = FleetFolder(folder.absolute())
    at = time.time()
    actor = revoke(made, name, at)
    fleet = made.fleet()
    tokens = account_tokens(made.keys(), fleet)
    try:
        taken = asyncio.run(bring(system_credential(made, at), tuple(tokens.values()), len(fleet.servers)))
    except InfrastructureError as error:
        raise InfrastructureError(
            f"{actor} is noted as cut off, but no server knows yet: {error.what}", "run the command again soon"
        ) from None
    told = (
        ""
        if taken == len(fleet.servers)
        else f"; {taken} of {len(fleet.servers)} servers answered, the others hear of it"
    )
    typer.echo(f"{actor} is cut off{told}")


def _store_keys() -> tuple[str, str]:
    found = tuple(os.environ.get(name, "") for name in _STORE_KEYS)
    if not all(found):
        raise InputError("the keys of the object store are not given", f"set {' and '.join(_STORE_KEYS)}")
    return found[0], found[1]
