"""Commands that ask package indexes from this machine: versions, updates, downloads of a saved order."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .options import environment_of
from .settings import Format, settings_of


class DistributionType(StrEnum):
    """Which files of a version count; the default is what a bootstrap takes."""

    DEFAULT = "default"
    SDIST = "sdist"
    WHEEL = "wheel"
    BOTH = "both"


class VersionsFormat(StrEnum):
    """How versions are printed: plain lists, a table for people, or all that is known for machines."""

    VERSIONS = "versions"
    REQUIREMENTS = "requirements"
    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class UpdatesFormat(StrEnum):
    """How updates are printed."""

    REQUIREMENTS = "requirements"
    JSON = "json"
    CSV = "csv"


_Type = Annotated[
    DistributionType,
    typer.Option("--distribution-type", case_sensitive=False, help="Which files of a version count."),
]
_Server = Annotated[
    str,
    typer.Option("--sdist-server-url", help="Index to ask; default: that of your pip or uv configuration, else PyPI."),
]
_Requirement = Annotated[str, typer.Argument(metavar="REQUIREMENT_SPEC", help="As in name>=1.0.")]
_NoVersions = Annotated[
    bool, typer.Option("--ignore-no-versions/--no-ignore-no-versions", help="End with 0 where there is none.")
]
_OutputFile = Annotated[Path | None, typer.Option("--output", "-o", help="File to write instead of the terminal.")]


def register(app: typer.Typer) -> None:
    """The commands are part of the application."""
    group = typer.Typer(
        name="package",
        help="Look up versions of a distribution.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    group.command("list-versions")(list_versions)
    group.command("resolve")(resolve)
    app.add_typer(group)
    app.command("list-versions", deprecated=True)(list_versions_before)
    app.command("find-updates")(find_updates)
    app.command("download-sequence")(download_sequence)


def list_versions(
    invocation: typer.Context,
    requirement: _Requirement,
    kind: _Type = DistributionType.DEFAULT,
    server: _Server = "",
    ignore_no_versions: _NoVersions = False,
    output_format: Annotated[
        VersionsFormat | None, typer.Option("--format", case_sensitive=False, help="How to print them.")
    ] = None,
    output: _OutputFile = None,
    ignore_overrides: Annotated[
        bool, typer.Option("--ignore-per-package-overrides", help="Judge ages by the global --min-release-age alone.")
    ] = False,
) -> None:
    """List the versions that a requirement lets in, oldest first; ends with 1 where there is none."""
    from .index_answers import print_versions

    settings = settings_of(invocation)
    fallback = VersionsFormat.JSON if settings.format is Format.JSON else VersionsFormat.VERSIONS
    raise typer.Exit(
        print_versions(
            settings,
            requirement,
            kind.value,
            server,
            (output_format or fallback).value,
            output,
            none_is_fine=ignore_no_versions,
            age_of_all=ignore_overrides,
        )
    )


def list_versions_before(
    invocation: typer.Context,
    requirement: _Requirement,
    kind: _Type = DistributionType.DEFAULT,
    server: _Server = "",
    ignore_no_versions: _NoVersions = False,
    as_requirements: Annotated[
        bool,
        typer.Option("--format-as-requirements/--no-format-as-requirements", help="As name==version, not bare."),
    ] = False,
) -> None:
    """The same as `package list-versions`, under its older name."""
    from .index_answers import print_versions

    chosen = VersionsFormat.REQUIREMENTS if as_requirements else VersionsFormat.VERSIONS
    raise typer.Exit(
        print_versions(
            settings_of(invocation),
            requirement,
            kind.value,
            server,
            chosen.value,
            None,
            none_is_fine=ignore_no_versions,
        )
    )


def resolve(
    invocation: typer.Context,
    requirement: _Requirement,
    kind: _Type = DistributionType.DEFAULT,
    server: _Server = "",
) -> None:
    """Say which version a requirement leads to, what keeps newer ones out, and what the index has; for people."""
    from .resolve_answer import print_resolution

    print_resolution(settings_of(invocation), requirement, kind.value, server)


def find_updates(
    invocation: typer.Context,
    constraints: Annotated[str, typer.Argument(metavar="CONSTRAINTS_FILE", help="Constraints: file or URL.")],
    output_format: Annotated[
        UpdatesFormat | None, typer.Option("--format", case_sensitive=False, help="How to print them.")
    ] = None,
    kind: _Type = DistributionType.DEFAULT,
    server: _Server = "",
    output: _OutputFile = None,
) -> None:
    """List versions that are newer than what a constraints file stops at."""
    from .index_answers import print_updates

    settings = settings_of(invocation)
    fallback = UpdatesFormat.JSON if settings.format is Format.JSON else UpdatesFormat.REQUIREMENTS
    print_updates(settings, constraints, kind.value, server, (output_format or fallback).value, output)


def download_sequence(
    invocation: typer.Context,
    build_order: Annotated[str, typer.Argument(metavar="BUILD_ORDER_FILE", help="build-order.json: file or URL.")],
    server: Annotated[str, typer.Argument(metavar="SDIST_SERVER_URL", help="Index that tells digests and has wheels.")],
    include_wheels: Annotated[
        bool,
        typer.Option(
            "--include-wheels",
            "-w",
            envvar=environment_of("DOWNLOAD_SEQUENCE_INCLUDE_WHEELS"),
            help="Bring wheels too, prebuilt ones and those of the index.",
        ),
    ] = False,
    ignore_missing: Annotated[
        bool,
        typer.Option(
            "--ignore-missing-sdists",
            envvar=environment_of("DOWNLOAD_SEQUENCE_IGNORE_MISSING_SDISTS"),
            help="End with 0 where an sdist cannot be had.",
        ),
    ] = False,
    at_once: Annotated[
        int,
        typer.Option(
            "--num-threads",
            min=0,
            envvar=environment_of("DOWNLOAD_SEQUENCE_NUM_THREADS"),
            help="Downloads at a time; 0: 8.",
        ),
    ] = 0,
) -> None:
    """Bring the sdists of a build order into sdists-repo, each with its digest checked."""
    from .downloading import download_order

    raise typer.Exit(
        download_order(
            settings_of(invocation), build_order, server, wheels=include_wheels, lenient=ignore_missing, at_once=at_once
        )
    )
