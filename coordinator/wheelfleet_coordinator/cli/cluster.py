"""Commands about the cluster as a whole: its start and end, its agents, its size, its health, its garbage."""

from pathlib import Path
from typing import Annotated

import typer

from .logging_setup import show_more
from .options import FormatOption, SandboxOption, SlotsOption
from .settings import format_of, settings_of

PatternArgument = Annotated[str, typer.Argument(metavar="PATTERN", help="Name of an agent; * and ? stand for any.")]


def register(app: typer.Typer) -> None:
    """The commands are part of the application."""
    group = typer.Typer(name="agents", invoke_without_command=True, rich_markup_mode=None)
    group.callback()(agents)
    group.command()(remove)
    app.add_typer(group)
    for command in (up, down, status, drain, undrain, lift, simulate, doctor, gc, coordinator):
        app.command()(command)


def up(invocation: typer.Context, slots: SlotsOption = None, sandbox: SandboxOption = None) -> None:
    """Start the embedded cluster, or do nothing where it runs."""
    from .managing import start_cluster

    settings = settings_of(invocation)
    start_cluster(slots or settings.slots, sandbox or settings.sandbox)


def down(
    now: Annotated[bool, typer.Option("--now", help="Give running builds two seconds, not thirty.")] = False,
) -> None:
    """Stop the embedded cluster; what is stored stays."""
    from .managing import stop_cluster

    stop_cluster(now=now)


def status(invocation: typer.Context, output_format: FormatOption = None) -> None:
    """Show the embedded cluster: place and size of its data, and its processes. Starts nothing."""
    from .managing import print_status

    print_status(format_of(invocation, output_format))


def agents(invocation: typer.Context, output_format: FormatOption = None) -> None:
    """List the agents, what they offer and do, and why slots are free."""
    from .managing import print_agents

    if invocation.invoked_subcommand is None:
        print_agents(settings_of(invocation), format_of(invocation, output_format))


def remove(
    invocation: typer.Context, agent: Annotated[str, typer.Argument(metavar="AGENT", help="Name of the agent.")]
) -> None:
    """Take an agent that has left, or is silent, out of the list, with its drain and what spoke against it."""
    from .draining import remove_agent

    remove_agent(settings_of(invocation), agent)


def drain(invocation: typer.Context, pattern: PatternArgument) -> None:
    """Give agents no more builds; what they are at goes on. It holds until `undrain`, over restarts too."""
    from .draining import set_draining

    set_draining(settings_of(invocation), pattern, drain=True)


def undrain(invocation: typer.Context, pattern: PatternArgument) -> None:
    """Give agents builds again that were drained."""
    from .draining import set_draining

    set_draining(settings_of(invocation), pattern, drain=False)


def lift(
    invocation: typer.Context, agent: Annotated[str, typer.Argument(metavar="AGENT", help="Name of the agent.")]
) -> None:
    """Let an agent that was set aside get builds again, after a look at why."""
    from .managing import lift_quarantine

    lift_quarantine(settings_of(invocation), agent)


def simulate(
    invocation: typer.Context,
    graph: Annotated[Path, typer.Argument(metavar="GRAPH", help="graph.json of a run.")],
    fleet: Annotated[Path, typer.Option("--fleet", metavar="FLEET.toml", help="The agents, see the documentation.")],
    durations: Annotated[
        list[Path] | None,
        typer.Option("--durations", metavar="FILE", help="bootstrap-summary.json with seconds; may be repeated."),
    ] = None,
    targets: Annotated[
        list[str] | None, typer.Option("--target", metavar="ID", help="Instead of all that the fleet offers.")
    ] = None,
    output_format: FormatOption = None,
) -> None:
    """Let a fleet build a graph in virtual time: makespan, what limits it, and what one more agent is worth."""
    from .simulating import print_simulation

    chosen = format_of(invocation, output_format)
    print_simulation(settings_of(invocation), graph, fleet, durations or (), targets or (), chosen)


def doctor(invocation: typer.Context, output_format: FormatOption = None) -> None:
    """Check servers, store, sandbox, uv and toolchain, and say what is degraded and why."""
    from .examining import examine

    raise typer.Exit(examine(settings_of(invocation), format_of(invocation, output_format)))


def gc(
    invocation: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    older_than: Annotated[
        float, typer.Option(metavar="DAYS", min=0, help="Forget runs that ended more days ago than this.")
    ] = 30.0,
    keep: Annotated[
        int, typer.Option(metavar="N", min=0, help="The newest N ended runs stay whatever their age.")
    ] = 10,
    output_format: FormatOption = None,
) -> None:
    """Forget old runs, and remove blobs that nothing refers to any more; published wheels stay."""
    from .managing import collect_garbage

    settings, chosen = settings_of(invocation), format_of(invocation, output_format)
    collect_garbage(settings, chosen, dry_run=dry_run, older_than=older_than, keep=keep)


def coordinator(
    config: Annotated[Path, typer.Option("--config", help="Configuration file of this coordinator.")],
) -> None:
    """Run a coordinator until it is told to stop."""
    import logging

    from ..app.daemon import run

    show_more(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    run(config)
