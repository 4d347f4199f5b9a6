"""The ``wheelfleet`` command."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from wheelfleet_shared.errors import InfrastructureError, WheelfleetError

from . import bootstrap, cluster, inspection, log, runs
from .interruption import WatchingStopped
from .settings import Format, Settings, environment_of, set_verbosity

logger = logging.getLogger(__name__)

app = typer.Typer(
    name="wheelfleet",
    help="Build collections of Python wheels from source, on one machine or a fleet.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """The process ends with the status of what its arguments ask for."""
    sys.exit(run())


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 done, 1 builds failed, 2 usage, 3 infrastructure, 4 cancelled, 130 interrupted."""
    try:
        app(args=arguments, prog_name="wheelfleet")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except WatchingStopped as stopped:
        return _tell(f"watching stopped; the run goes on: wheelfleet wait {stopped.run}", 130)
    except KeyboardInterrupt:
        return _tell("interrupted", 130)
    except WheelfleetError as error:
        logger.debug("where it happened", exc_info=True)
        return _tell(f"wheelfleet: {error.party}: {error}", error.exit_code)
    except Exception as error:
        broken = _broken(error)
        if broken is None:
            raise
        logger.debug("where it happened", exc_info=True)
        return _tell(f"wheelfleet: {broken.party}: {broken}", broken.exit_code)
    return 0


def _broken(error: Exception) -> InfrastructureError | None:
    """What a connection or a disk that failed outside of all expectation is told as; None for other errors."""
    from nats.errors import Error as NatsError

    if not isinstance(error, OSError | NatsError):
        return None
    return InfrastructureError(str(error) or type(error).__name__, "`wheelfleet doctor`; with --debug it says where")


def _tell(line: str, status: int) -> int:
    sys.stderr.write(f"{line}\n")
    return status


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"wheelfleet {version('wheelfleet')}")
        raise typer.Exit


@app.callback()
def _everywhere(
    invocation: typer.Context,
    constraints_file: Annotated[
        list[str] | None,
        typer.Option(
            "--constraints-file",
            "-c",
            envvar=environment_of("CONSTRAINTS_FILE"),
            help="Constraints that every version must meet: file or URL; may be repeated.",
        ),
    ] = None,
    output_dir: Annotated[
        Path | None,
        typer.Option("--output-dir", "-O", envvar=environment_of("OUTPUT_DIR"), help="Folder for all outputs."),
    ] = None,
    sdists_repo: Annotated[
        Path | None, typer.Option("--sdists-repo", "-o", envvar=environment_of("SDISTS_REPO"), hidden=True)
    ] = None,
    wheels_repo: Annotated[
        Path | None, typer.Option("--wheels-repo", "-w", envvar=environment_of("WHEELS_REPO"), hidden=True)
    ] = None,
    work_dir: Annotated[
        Path | None, typer.Option("--work-dir", "-t", envvar=environment_of("WORK_DIR"), hidden=True)
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, envvar=environment_of("JOBS"), help="Cores inside one build."),
    ] = None,
    slots: Annotated[
        int | None,
        typer.Option("--slots", min=1, envvar="WHEELFLEET_SLOTS", help="Builds at a time of the embedded cluster."),
    ] = None,
    sandbox: Annotated[
        str | None, typer.Option("--sandbox", envvar="WHEELFLEET_SANDBOX", help="auto or none, embedded cluster only.")
    ] = None,
    variant: Annotated[str, typer.Option(envvar=environment_of("VARIANT"), help="Variant of the index.")] = "cpu",
    config: Annotated[
        Path | None,
        typer.Option("--config", envvar="WHEELFLEET_CREDENTIAL", help="Credential file of a cluster to use."),
    ] = None,
    output_format: Annotated[
        Format, typer.Option("--format", envvar="WHEELFLEET_FORMAT", help="text, or json for machines.")
    ] = Format.TEXT,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", envvar=environment_of("VERBOSE"), help="Say more.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar=environment_of("DEBUG"), help="Say everything, with tracebacks.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress; results and errors only.")] = False,
    color: Annotated[bool, typer.Option("--color/--no-color", help="Colours on a terminal.")] = True,
    version: Annotated[  # noqa: ARG001 - its callback does it all
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    set_verbosity(verbose=verbose, debug=debug)
    invocation.obj = Settings(
        constraints=tuple(constraints_file or ()),
        output_dir=output_dir,
        sdists_repo=sdists_repo,
        wheels_repo=wheels_repo,
        work_dir=work_dir,
        jobs=jobs,
        slots=slots,
        sandbox=sandbox,
        variant=variant,
        config=config,
        format=output_format,
        quiet=quiet,
        color=color,
    )


for _group in (bootstrap, runs, inspection, log, cluster):
    _group.register(app)
