"""The ``wheelfleet-agent`` command: build wheels on this machine for a coordinator."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from wheelfleet_shared.errors import WheelfleetError

from .cli_steps import app as steps

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def serve(
    invocation: typer.Context,
    config: Annotated[Path | None, typer.Option(help="The agent's configuration file (mode 0600).")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", help="A label that settings may require, beside those of the file; may be repeated."),
    ] = None,
    probe_sandbox: Annotated[
        bool, typer.Option("--probe-sandbox", help="Only try the sandbox here, and say what it holds back.")
    ] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Say more.")] = False,
) -> None:
    """Join a cluster and build until SIGTERM."""
    if invocation.invoked_subcommand is not None:
        return
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    from .app.daemon import probe, run  # noqa: PLC0415 - --help and mistakes answer at once

    if probe_sandbox:
        raise typer.Exit(probe())
    if config is None:
        raise typer.BadParameter("name the configuration file", param_hint="--config")
    run(config, tuple(label or ()))


app.add_typer(steps, name="step")


def main() -> None:
    """Run the command; errors become a line for people and an exit code."""
    try:
        app()
    except WheelfleetError as error:
        typer.echo(f"wheelfleet-agent: {error}", err=True)
        sys.exit(error.exit_code)
