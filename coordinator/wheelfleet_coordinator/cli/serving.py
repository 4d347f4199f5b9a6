"""``wheelfleet wheel-server``: the wheels of a folder as an index."""

from typing import Annotated

import typer

from .options import environment_of
from .settings import settings_of


def register(app: typer.Typer) -> None:
    """The command is part of the application."""
    app.command()(wheel_server)


def wheel_server(
    invocation: typer.Context,
    port: Annotated[
        int,
        typer.Option(
            "--port",
            "-p",
            min=0,
            max=65535,
            envvar=environment_of("WHEEL_SERVER_PORT"),
            help="Port to listen on; 0: any free one.",
        ),
    ] = 8080,
    address: Annotated[
        str,
        typer.Option(
            "--ip", "-i", "--address", envvar=environment_of("WHEEL_SERVER_ADDRESS"), help="Address to listen on."
        ),
    ] = "localhost",
) -> None:
    """Serve the wheels of wheels-repo as a package index, until it is interrupted."""
    from .folder_server import serve_wheels
    from .places import places_of

    serve_wheels(places_of(settings_of(invocation)).wheels, address, port)
