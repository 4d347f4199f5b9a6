"""The ``wheelfleet`` command."""

import logging
import sys
from collections.abc import Sequence

import typer

from wheelfleet_shared.errors import InfrastructureError, WheelfleetError

from ..adapters.customisation_files import Overrides
from ..core.printable import printable
from . import (
    bootstrap,
    build_commands,
    cluster,
    file_commands,
    fleet,
    graph_commands,
    index_commands,
    inspection,
    log,
    migrating,
    order_commands,
    override_commands,
    overrides_listing,
    publishing,
    runs,
    serving,
    source_commands,
    step_commands,
)
from . import options as o
from .interruption import WatchingStopped
from .logging_setup import TOLD, set_up_logging
from .settings import Format, Settings, sandbox_for, set_verbosity
from .variables import WithVariables
from .without_effect import flag_name, tell_without_effect

logger = logging.getLogger(__name__)
INTERRUPTED = 130

app = typer.Typer(
    name="wheelfleet",
    cls=WithVariables,
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
        if end.code == INTERRUPTED:  # typer ends a command that Ctrl-C came to, and says nothing of it
            return _tell("interrupted", INTERRUPTED)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except WatchingStopped as stopped:
        return _tell(f"watching stopped; the run goes on: wheelfleet wait {stopped.run}", INTERRUPTED)
    except KeyboardInterrupt:
        return _tell("interrupted", INTERRUPTED)
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
    TOLD.error(line)
    sys.stderr.write(f"{printable(line)}\n")
    return status


@app.callback()
def _everywhere(
    invocation: typer.Context,
    constraints_file: o.ConstraintsBefore = None,
    output_dir: o.OutputBefore = None,
    sdists_repo: o.SdistsBefore = None,
    wheels_repo: o.WheelsBefore = None,
    work_dir: o.WorkBefore = None,
    jobs: o.JobsBefore = None,
    slots: o.SlotsBefore = None,
    sandbox: o.SandboxBefore = None,
    variant: o.VariantBefore = "cpu",
    settings_file: o.SettingsFileBefore = None,
    settings_dir: o.SettingsDirBefore = None,
    patches_dir: o.PatchesBefore = None,
    min_release_age: o.LeastAgeBefore = 0,
    config: o.ConfigBefore = None,
    output_format: o.FormatBefore = Format.TEXT,
    verbose: o.VerboseBefore = False,
    debug: o.DebugBefore = False,
    quiet: o.QuietOption = False,
    color: o.ColorBefore = True,
    log_file: o.LogFileBefore = None,
    error_log_file: o.ErrorLogBefore = None,
    log_format: o.LogFormatBefore = "",
    cleanup: o.CleanupBefore = None,
    network_isolation: o.IsolationBefore = None,
    build_wheel_server_url: o.BuildServerBefore = None,
    envs_dir: o.EnvsBefore = None,
    version: o.VersionBefore = False,  # noqa: ARG001 - its callback does it all
) -> None:
    set_up_logging(log_file, error_log_file, log_format)
    tell_without_effect(
        {
            flag_name("cleanup", cleanup): cleanup,
            "--build-wheel-server-url": build_wheel_server_url,
            "--envs-dir": envs_dir,
            flag_name("network-isolation", network_isolation): network_isolation if config is not None else None,
        }
    )
    set_verbosity(verbose=verbose, debug=debug)
    invocation.obj = Settings(
        constraints=tuple(constraints_file or ()),
        output_dir=output_dir,
        sdists_repo=sdists_repo,
        wheels_repo=wheels_repo,
        work_dir=work_dir,
        jobs=jobs,
        slots=slots,
        sandbox=sandbox or sandbox_for(network_isolation, embedded=config is None),
        variant=variant,
        overrides=Overrides(settings_file, settings_dir, patches_dir),
        min_release_age=min_release_age,
        config=config,
        format=output_format,
        quiet=quiet,
        color=color,
    )


for _group in (
    bootstrap,
    build_commands,
    runs,
    inspection,
    log,
    publishing,
    graph_commands,
    order_commands,
    overrides_listing,
    override_commands,
    file_commands,
    migrating,
    index_commands,
    serving,
    source_commands,
    step_commands,
    cluster,
    fleet,
):
    _group.register(app)
