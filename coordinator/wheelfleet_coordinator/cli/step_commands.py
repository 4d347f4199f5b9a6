"""``wheelfleet step``: one distribution on this machine, step by step, as with fromager."""

from typing import Annotated

import typer

from . import options as o
from .common_options import takes_settings
from .settings import Settings

_WheelServer = Annotated[
    str,
    typer.Option(
        "--wheel-server-url",
        help="Index that build requirements come from, and nothing else; default: the wheels-repo.",
    ),
]


def register(app: typer.Typer) -> None:
    """The commands are part of the application, as a group."""
    group = typer.Typer(
        name="step",
        help="Make one distribution step by step on this machine, without any cluster.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for command in (download_source_archive, prepare_source, prepare_build, build_sdist, build_wheel):
        group.command()(command)
    app.add_typer(group)


@takes_settings
def download_source_archive(
    distribution: o.DistributionArgument,
    version: o.ExactVersionArgument,
    sdist_server_url: o.SdistServerArgument,
    *,
    settings: Settings,
) -> None:
    """Bring the upstream archive into sdists-repo/downloads; print its path."""
    from .archive_download import download_archive

    typer.echo(download_archive(settings, distribution, version, sdist_server_url))


@takes_settings
def prepare_source(
    distribution: o.DistributionArgument, version: o.ExactVersionArgument, *, settings: Settings
) -> None:
    """Unpack and patch the downloaded archive below work-dir; print the source's folder."""
    from .stepping import run_step

    run_step(settings, "prepare-source", distribution, version)


@takes_settings
def prepare_build(
    distribution: o.DistributionArgument,
    version: o.ExactVersionArgument,
    wheel_server_url: _WheelServer = "",
    *,
    settings: Settings,
) -> None:
    """Make the build environment of a prepared source; prints nothing."""
    from .stepping import run_step

    run_step(settings, "prepare-build", distribution, version, wheel_server_url)


@takes_settings
def build_sdist(distribution: o.DistributionArgument, version: o.ExactVersionArgument, *, settings: Settings) -> None:
    """Pack the prepared source into sdists-repo/builds; print the sdist's path."""
    from .stepping import run_step

    run_step(settings, "build-sdist", distribution, version)


@takes_settings
def build_wheel(
    distribution: o.DistributionArgument,
    version: o.ExactVersionArgument,
    wheel_server_url: _WheelServer = "",
    *,
    settings: Settings,
) -> None:
    """Build the wheel into wheels-repo/build without any network; print its path."""
    from .stepping import run_step

    run_step(settings, "build-wheel", distribution, version, wheel_server_url)
