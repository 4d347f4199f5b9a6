"""``wheelfleet bootstrap``: its options, in fromager's letters at fromager's places."""

from typing import Annotated

import msgspec
import typer

from .settings import (
    ConstraintsOption,
    DebugOption,
    FormatOption,
    JobsOption,
    OutputOption,
    QuietOption,
    SandboxOption,
    SdistsOption,
    SlotsOption,
    VerboseOption,
    WheelsOption,
    WorkOption,
    environment_of,
    format_of,
    set_verbosity,
    settings_of,
)


def register(app: typer.Typer) -> None:
    """The command is part of the application."""
    app.command("bootstrap")(bootstrap)


def bootstrap(
    invocation: typer.Context,
    requirements: Annotated[list[str] | None, typer.Argument(metavar="REQUIREMENT", show_default=False)] = None,
    requirement_files: Annotated[
        list[str] | None,
        typer.Option(
            "--requirements-file",
            "-r",
            envvar=environment_of("BOOTSTRAP_REQUIREMENTS_FILES"),
            help="Requirements, one a line: file or URL; may be repeated.",
        ),
    ] = None,
    previous: Annotated[
        str,
        typer.Option(
            "--previous-bootstrap-file",
            "-p",
            envvar=environment_of("BOOTSTRAP_PREVIOUS_BOOTSTRAP_FILE"),
            help="graph.json of an earlier run, whose versions are preferred: file or URL.",
        ),
    ] = "",
    cache_servers: Annotated[
        list[str] | None,
        typer.Option(
            "--cache-wheel-server-url",
            "-c",
            envvar=environment_of("BOOTSTRAP_CACHE_WHEEL_SERVER_URL"),
            help="Index whose wheels are taken over; may be repeated.",
        ),
    ] = None,
    index_urls: Annotated[
        list[str] | None,
        typer.Option(
            "--index-url",
            help="Index that sources come from; default: that of your pip or uv configuration, else PyPI.",
        ),
    ] = None,
    sdist_only: Annotated[
        bool,
        typer.Option(
            "--sdist-only/--full-build",
            envvar=environment_of("BOOTSTRAP_SDIST_ONLY"),
            help="Build wheels of build requirements only.",
        ),
    ] = False,
    skip_constraints: Annotated[
        bool,
        typer.Option(
            "--skip-constraints",
            envvar=environment_of("BOOTSTRAP_SKIP_CONSTRAINTS"),
            help="Write no constraints.txt; several versions of a distribution are fine.",
        ),
    ] = False,
    as_of: Annotated[str, typer.Option(metavar="TIME", help="See nothing that was uploaded later.")] = "",
    collection: Annotated[
        str, typer.Option(envvar="WHEELFLEET_COLLECTION", help="Collection that the wheels go to.")
    ] = "main",
    targets: Annotated[
        list[str] | None,
        typer.Option("--target", help="Target to build for; default: this machine's. May be repeated."),
    ] = None,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first failure.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all inputs and say what would be queued.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Queue the run, print its id, and end.")] = False,
    constraints: ConstraintsOption = None,
    output_dir: OutputOption = None,
    sdists_repo: SdistsOption = None,
    wheels_repo: WheelsOption = None,
    work_dir: WorkOption = None,
    jobs: JobsOption = None,
    slots: SlotsOption = None,
    sandbox: SandboxOption = None,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
    quiet: QuietOption = False,
    output_format: FormatOption = None,
) -> None:
    """Build the requirements and all they need, from source, in the right order.

    Ctrl-C stops watching; the run goes on.
    """
    from .bootstrapping import Manner, run_bootstrap
    from .inputs import Asked, check

    set_verbosity(verbose=verbose, debug=debug)
    before = settings_of(invocation)
    settings = msgspec.structs.replace(
        before.changed(output_dir, quiet, format_of(invocation, output_format)),
        sdists_repo=sdists_repo or before.sdists_repo,
        wheels_repo=wheels_repo or before.wheels_repo,
        work_dir=work_dir or before.work_dir,
        jobs=jobs or before.jobs,
        slots=slots or before.slots,
        sandbox=sandbox or before.sandbox,
    )
    asked = Asked(
        requirements=tuple(requirements or ()),
        requirement_files=tuple(requirement_files or ()),
        constraints=tuple(constraints or ()),
        previous=previous,
        cache_servers=tuple(cache_servers or ()),
        index_urls=tuple(index_urls or ()),
        as_of=as_of,
        collection=collection,
        sdist_only=sdist_only,
        skip_constraints=skip_constraints,
        fail_fast=fail_fast,
    )
    manner = Manner(tuple(targets or ()), dry_run=dry_run, detach=detach)
    raise typer.Exit(run_bootstrap(check(asked, settings), manner, settings))
