"""``wheelfleet bootstrap``: its options, in fromager's letters at fromager's places."""

import typer

from . import options as o
from .common_options import takes_settings
from .settings import Settings


def register(app: typer.Typer) -> None:
    """The command is part of the application."""
    app.command("bootstrap")(bootstrap)


@takes_settings
def bootstrap(
    requirements: o.Requirements = None,
    requirement_files: o.RequirementFiles = None,
    previous: o.PreviousGraphOption = "",
    cache_servers: o.CacheServers = None,
    index_urls: o.IndexUrls = None,
    sdist_only: o.SdistOnly = False,
    skip_constraints: o.SkipConstraints = False,
    as_of: o.AsOf = "",
    max_release_age: o.GreatestAge = 0,
    replace: o.Replace = False,
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

    asked = Asked(
        requirements=tuple(requirements or ()),
        requirement_files=tuple(requirement_files or ()),
        previous=previous,
        cache_servers=tuple(cache_servers or ()),
        index_urls=tuple(index_urls or ()),
        as_of=as_of,
        max_release_age=max_release_age,
        replace=replace,
        collection=collection,
        sdist_only=sdist_only,
        skip_constraints=skip_constraints,
        fail_fast=fail_fast,
    )
    manner = Manner(tuple(targets or ()), dry_run=dry_run, detach=detach)
    raise typer.Exit(run_bootstrap(check(asked, settings), manner, settings))
