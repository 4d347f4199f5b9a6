"""Commands that build what is named already: one version, a saved order, a saved graph."""

import typer

from . import options as o
from .common_options import takes_settings
from .settings import Settings


def register(app: typer.Typer) -> None:
    """The commands are part of the application."""
    app.command("build")(build)
    app.command("build-sequence")(build_sequence)
    app.command("build-parallel")(build_parallel)


@takes_settings
def build(
    distribution: o.DistributionArgument,
    version: o.ExactVersionArgument,
    sdist_server_url: o.SdistServerArgument,
    wheel_server_url: o.WheelServerOption = "",
    collection: o.CollectionOption = "main",
    targets: o.TargetsOption = None,
    replace: o.Replace = False,
    *,
    settings: Settings,
) -> None:
    """Build one version of a distribution from its source, although its wheel may be there.

    Its build requirements come from the collection. The last line on standard output is the path of the wheel.
    """
    from .building import OrderAsked, build_one

    servers = (wheel_server_url,) if wheel_server_url else ()
    asked = OrderAsked(servers, collection, tuple(targets or ()), force=True, replace=replace)
    raise typer.Exit(build_one(distribution, version, sdist_server_url, asked, settings))


@takes_settings
def build_sequence(
    order: o.OrderArgument,
    force: o.ForceSequence = False,
    cache_servers: o.SequenceCacheServers = None,
    collection: o.CollectionOption = "main",
    targets: o.TargetsOption = None,
    replace: o.Replace = False,
    detach: o.Detach = False,
    *,
    settings: Settings,
) -> None:
    """Build the entries of a build-order.json, each as soon as those that it needs are there.

    Skips what the index or a cache server has. Environments hold the versions of the file.
    """
    from .building import OrderAsked, build_order

    servers = tuple(cache_servers or ())
    asked = OrderAsked(servers, collection, tuple(targets or ()), force=force, replace=replace, detach=detach)
    raise typer.Exit(build_order(order, asked, settings))


@takes_settings
def build_parallel(
    graph: o.GraphArgument,
    force: o.ForceParallel = False,
    cache_servers: o.ParallelCacheServers = None,
    max_workers: o.MaxWorkers = None,
    collection: o.CollectionOption = "main",
    targets: o.TargetsOption = None,
    replace: o.Replace = False,
    detach: o.Detach = False,
    *,
    settings: Settings,
) -> None:
    """Build the nodes of a graph.json: as a saved order, with the graph's nodes as its entries."""
    from .building import OrderAsked, build_graph

    servers = tuple(cache_servers or ())
    asked = OrderAsked(servers, collection, tuple(targets or ()), force=force, replace=replace, detach=detach)
    raise typer.Exit(build_graph(graph, asked, settings.overridden(slots=max_workers)))
