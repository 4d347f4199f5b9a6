"""``wheelfleet bootstrap``: its options, in fromager's letters at fromager's places."""

import typer

from . import options as o
from .settings import format_of, set_verbosity, settings_of


def register(app: typer.Typer) -> None:
    """The command is part of the application."""
    app.command("bootstrap")(bootstrap)


def bootstrap(
    invocation: typer.Context,
    requirements: o.Requirements = None,
    requirement_files: o.RequirementFiles = None,
    previous: o.PreviousGraphOption = "",
    cache_servers: o.CacheServers = None,
    index_urls: o.IndexUrls = None,
    sdist_only: o.SdistOnly = False,
    skip_constraints: o.SkipConstraints = False,
    as_of: o.AsOf = "",
    collection: o.CollectionOption = "main",
    targets: o.TargetsOption = None,
    fail_fast: o.FailFast = False,
    dry_run: o.DryRun = False,
    detach: o.Detach = False,
    constraints: o.ConstraintsOption = None,
    output_dir: o.OutputOption = None,
    sdists_repo: o.SdistsOption = None,
    wheels_repo: o.WheelsOption = None,
    work_dir: o.WorkOption = None,
    jobs: o.JobsOption = None,
    slots: o.SlotsOption = None,
    sandbox: o.SandboxOption = None,
    verbose: o.VerboseOption = False,
    debug: o.DebugOption = False,
    quiet: o.QuietOption = False,
    output_format: o.FormatOption = None,
) -> None:
    """Build the requirements and all they need, from source, in the right order.

    Ctrl-C stops watching; the run goes on.
    """
    from .bootstrapping import Manner, run_bootstrap
    from .inputs import Asked, check

    set_verbosity(verbose=verbose, debug=debug)
    before = settings_of(invocation).changed(output_dir, quiet, format_of(invocation, output_format))
    settings = before.overridden(
        sdists_repo=sdists_repo, wheels_repo=wheels_repo, work_dir=work_dir, jobs=jobs, slots=slots, sandbox=sandbox
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
