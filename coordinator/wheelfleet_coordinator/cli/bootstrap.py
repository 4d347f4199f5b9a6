"""``wheelfleet bootstrap`` and ``bootstrap-parallel``: their options, in fromager's letters at fromager's places."""

import typer

from . import options as o
from . import parallel_options as p
from .common_options import takes_settings
from .settings import Settings
from .without_effect import tell_without_effect


def register(app: typer.Typer) -> None:
    """The commands are part of the application."""
    app.command("bootstrap")(bootstrap)
    app.command("bootstrap-parallel")(bootstrap_parallel)


@takes_settings
def bootstrap(
    requirements: o.Requirements = None,
    requirement_files: o.RequirementFiles = None,
    previous: o.PreviousGraphOption = "",
    cache_servers: o.CacheServers = None,
    index_urls: o.IndexUrls = None,
    sdist_only: o.SdistOnly = False,
    skip_constraints: o.SkipConstraints = False,
    multiple_versions: p.MultipleVersions = False,
    test_mode: p.TestMode = False,
    as_of: o.AsOf = "",
    max_release_age: o.GreatestAge = 0,
    bg_threads: p.BackgroundThreads = None,
    replace: o.Replace = False,
    index_only: o.IndexOnly = False,
    collection: o.CollectionOption = "main",
    targets: o.TargetsOption = None,
    fail_fast: o.FailFast = False,
    dry_run: o.DryRun = False,
    detach: o.Detach = False,
    *,
    settings: Settings,
) -> None:
    """Build the requirements and all they need, from source, in the right order.

    Ctrl-C stops watching; the run goes on.
    """
    from .bootstrapping import Manner, run_bootstrap
    from .inputs import Asked, check

    tell_without_effect({"--bg-threads": bg_threads})
    asked = Asked(
        requirements=tuple(requirements or ()),
        requirement_files=tuple(requirement_files or ()),
        previous=previous,
        cache_servers=tuple(cache_servers or ()),
        index_urls=tuple(index_urls or ()),
        as_of=as_of,
        max_release_age=max_release_age,
        replace=replace,
        index_only=index_only,
        collection=collection,
        sdist_only=sdist_only,
        skip_constraints=skip_constraints,
        multiple_versions=multiple_versions,
        test_mode=test_mode,
        fail_fast=fail_fast,
    )
    manner = Manner(tuple(targets or ()), dry_run=dry_run, detach=detach)
    raise typer.Exit(run_bootstrap(check(asked, settings), manner, settings))


@takes_settings
def bootstrap_parallel(
    requirements: o.Requirements = None,
    requirement_files: p.RequirementFiles = None,
    previous: p.PreviousGraphOption = "",
    cache_servers: p.CacheServers = None,
    index_urls: o.IndexUrls = None,
    skip_constraints: p.SkipConstraints = False,
    multiple_versions: p.MultipleVersionsParallel = False,
    force: p.Force = False,
    max_workers: p.MaxWorkers = None,
    as_of: o.AsOf = "",
    max_release_age: p.GreatestAge = 0,
    bg_threads: p.BackgroundThreadsParallel = None,
    replace: o.Replace = False,
    collection: o.CollectionOption = "main",
    targets: o.TargetsOption = None,
    fail_fast: o.FailFast = False,
    dry_run: o.DryRun = False,
    detach: o.Detach = False,
    *,
    settings: Settings,
) -> None:
    """Build the requirements and all they need, as `bootstrap` does: it builds side by side anyway.

    Ctrl-C stops watching; the run goes on.
    """
    from .bootstrapping import Manner, run_bootstrap
    from .inputs import Asked, check

    tell_without_effect({"--bg-threads": bg_threads})
    asked = Asked(
        requirements=tuple(requirements or ()),
        requirement_files=tuple(requirement_files or ()),
        previous=previous,
        cache_servers=tuple(cache_servers or ()),
        index_urls=tuple(index_urls or ()),
        as_of=as_of,
        max_release_age=max_release_age,
        force=force,
        replace=replace,
        collection=collection,
        skip_constraints=skip_constraints,
        multiple_versions=multiple_versions,
        fail_fast=fail_fast,
    )
    settings = settings.overridden(slots=max_workers)
    manner = Manner(tuple(targets or ()), dry_run=dry_run, detach=detach)
    raise typer.Exit(run_bootstrap(check(asked, settings), manner, settings))
