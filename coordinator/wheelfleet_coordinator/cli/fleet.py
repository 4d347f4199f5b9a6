"""Commands of a fleet's administrator: make its keys, let somebody in, cut somebody off."""

from pathlib import Path
from typing import Annotated

import typer

from wheelfleet_shared.core.permissions import Role

FleetOption = Annotated[
    Path,
    typer.Option("--fleet", envvar="WHEELFLEET_FLEET", metavar="DIR", help="The folder that init-cluster made."),
]


def register(app: typer.Typer) -> None:
    """The commands are part of the application."""
    app.command("init-cluster")(init_cluster)
    app.command()(enroll)
    app.command()(revoke)


def init_cluster(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder for the keys of the fleet; keep it to yourself.")
    ],
    nats_url: Annotated[
        str, typer.Option(metavar="URL", help="tls://host of the NATS server; three with commas between for a cluster.")
    ],
    http_url: Annotated[
        str, typer.Option(metavar="URL", help="Where others reach the coordinator; https where a proxy is before it.")
    ],
    s3_endpoint: Annotated[
        str, typer.Option(metavar="URL", help="The object store; its keys: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.")
    ],
    s3_bucket: Annotated[
        str, typer.Option(metavar="NAME", help="The bucket for all that the fleet stores.")
    ] = "wheelfleet",
    s3_region: Annotated[str, typer.Option(metavar="NAME", help="The region that signatures name.")] = "us-east-1",
    replicas: Annotated[
        int, typer.Option(metavar="1|3", help="Servers that keep each event; default: all that are named.", min=0)
    ] = 0,
    configuration: Annotated[
        str, typer.Option(metavar="DIR", help="Where hosts keep configuration.")
    ] = "/etc/wheelfleet",
    data: Annotated[str, typer.Option(metavar="DIR", help="Where hosts keep data.")] = "/var/lib/wheelfleet",
) -> None:
    """Make keys, certificates and the configuration of servers and coordinator; again: the same keys, the rest anew."""
    from .administering import make_cluster

    make_cluster(
        folder,
        nats_url=nats_url,
        http_url=http_url,
        s3=(s3_endpoint, s3_bucket, s3_region),
        replicas=replicas,
        places=(configuration, data),
    )


def enroll(
    role: Annotated[Role, typer.Argument(help="What the credential is for.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="a-z, 0-9, _ and -; unique in its role.")],
    fleet: FleetOption = Path(),
    days: Annotated[
        float, typer.Option(metavar="N", min=0, help="How long it lasts; those who use it get it renewed in time.")
    ] = 30.0,
) -> None:
    """Print a credential; no server has to be asked or restarted."""
    from .administering import let_in

    let_in(fleet, role, name, days)


def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help="With its role (agent-b1) or without.")],
    fleet: FleetOption = Path(),
) -> None:
    """Cut somebody off at once: every credential of that name, and the connections made with them."""
    from .administering import cut_off

    cut_off(fleet, name)
