"""The options and arguments of the commands, one type each: what a command takes shows in its signature.

Those that are accepted before a command and after it have two types, since only the place before is
read from the environment; ``…Before`` names the former.
"""

from pathlib import Path
from typing import Annotated

import typer

from .settings import Format


def environment_of(*names: str) -> list[str]:
    """Variables that an option is read from: ours, then fromager's."""
    return [f"{prefix}_{name}" for prefix in ("WHEELFLEET", "FROMAGER") for name in names]


def _not_empty(invocation: typer.Context, parameter: typer.CallbackParam, value: str) -> str:
    """The value; what is given on purpose is not nothing, as ``--as-of "$UNSET"`` would be."""
    given = invocation.get_parameter_source(parameter.name or "")
    if not value and given is not None and given.name == "COMMANDLINE":
        raise typer.BadParameter("it is empty")
    return value


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"wheelfleet {version('wheelfleet')}")
        raise typer.Exit


# Before the command.

ConstraintsBefore = Annotated[
    list[str] | None,
    typer.Option(
        "--constraints-file",
        "-c",
        envvar=environment_of("CONSTRAINTS_FILES"),
        help="Constraints that every version must meet: file or URL; may be repeated.",
    ),
]
OutputBefore = Annotated[
    Path | None,
    typer.Option("--output-dir", "-O", envvar=environment_of("OUTPUT_DIR"), help="Folder for all outputs."),
]
SdistsBefore = Annotated[
    Path | None, typer.Option("--sdists-repo", "-o", envvar=environment_of("SDISTS_REPO"), hidden=True)
]
WheelsBefore = Annotated[
    Path | None, typer.Option("--wheels-repo", "-w", envvar=environment_of("WHEELS_REPO"), hidden=True)
]
WorkBefore = Annotated[Path | None, typer.Option("--work-dir", "-t", envvar=environment_of("WORK_DIR"), hidden=True)]
JobsBefore = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, envvar=environment_of("JOBS"), help="Cores inside one build.")
]
SlotsBefore = Annotated[
    int | None,
    typer.Option("--slots", min=1, envvar="WHEELFLEET_SLOTS", help="Builds at a time of the embedded cluster."),
]
SandboxBefore = Annotated[
    str | None, typer.Option("--sandbox", envvar="WHEELFLEET_SANDBOX", help="auto or none, embedded cluster only.")
]
VariantBefore = Annotated[str, typer.Option(envvar=environment_of("VARIANT"), help="Variant of the index.")]
SettingsFileBefore = Annotated[
    Path | None,
    typer.Option(
        "--settings-file",
        envvar=environment_of("SETTINGS_FILE"),
        help="Settings for all distributions; default: overrides/settings.yaml, if it is there.",
    ),
]
SettingsDirBefore = Annotated[
    Path | None,
    typer.Option(
        "--settings-dir",
        envvar=environment_of("SETTINGS_DIR"),
        help="Folder of settings for one distribution each; default: overrides/settings.",
    ),
]
PatchesBefore = Annotated[
    Path | None,
    typer.Option(
        "--patches-dir",
        "-p",
        envvar=environment_of("PATCHES_DIR"),
        help="Folder of patches; default: overrides/patches.",
    ),
]
LeastAgeBefore = Annotated[
    int,
    typer.Option(
        "--min-release-age",
        min=0,
        envvar=environment_of("MIN_RELEASE_AGE"),
        help="Days for which a version must have been on the index.",
    ),
]
ConfigBefore = Annotated[
    Path | None,
    typer.Option("--config", envvar="WHEELFLEET_CREDENTIAL", help="Credential file of a cluster to use."),
]
FormatBefore = Annotated[
    Format, typer.Option("--format", envvar="WHEELFLEET_FORMAT", help="text, or json for machines.")
]
VerboseBefore = Annotated[bool, typer.Option("--verbose", "-v", envvar=environment_of("VERBOSE"), help="Say more.")]
DebugBefore = Annotated[
    bool, typer.Option("--debug", envvar=environment_of("DEBUG"), help="Say everything, with tracebacks.")
]
ColorBefore = Annotated[bool, typer.Option("--color/--no-color", help="Colours on a terminal.")]
LogFileBefore = Annotated[
    Path | None,
    typer.Option("--log-file", envvar=environment_of("LOG_FILE"), help="File for everything that is logged."),
]
ErrorLogBefore = Annotated[
    Path | None,
    typer.Option("--error-log-file", envvar=environment_of("ERROR_LOG_FILE"), help="File for errors alone."),
]
LogFormatBefore = Annotated[
    str,
    typer.Option(
        "--log-format",
        envvar=environment_of("LOG_FORMAT"),
        help="How records look on standard error, as for Python's logging.",
    ),
]
CleanupBefore = Annotated[
    bool | None,
    typer.Option(
        "--cleanup/--no-cleanup",
        envvar=environment_of("CLEANUP"),
        help="Without effect: agents remove what a build leaves.",
    ),
]
IsolationBefore = Annotated[
    bool | None,
    typer.Option(
        "--network-isolation/--no-network-isolation",
        envvar=environment_of("NETWORK_ISOLATION"),
        help="As --sandbox auto, and as --sandbox none; embedded cluster only.",
    ),
]
BuildServerBefore = Annotated[
    str | None,
    typer.Option(
        "--build-wheel-server-url",
        envvar=environment_of("BUILD_WHEEL_SERVER_URL"),
        help="Without effect: environments are locked to files of the collection.",
    ),
]
EnvsBefore = Annotated[Path | None, typer.Option("--envs-dir", "-e", envvar=environment_of("ENVS_DIR"), hidden=True)]
VersionBefore = Annotated[
    bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
]

# After the command, of several of them.

FormatOption = Annotated[Format | None, typer.Option("--format", help="text, or json for machines.")]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output-dir", "-O", help="Folder for work-dir/, sdists-repo/ and wheels-repo/.", show_default=False),
]
SdistsOption = Annotated[Path | None, typer.Option("--sdists-repo", help="Instead of OUTPUT_DIR/sdists-repo.")]
WheelsOption = Annotated[Path | None, typer.Option("--wheels-repo", help="Instead of OUTPUT_DIR/wheels-repo.")]
WorkOption = Annotated[Path | None, typer.Option("--work-dir", help="Instead of OUTPUT_DIR/work-dir.")]
ConstraintsOption = Annotated[
    list[str] | None,
    typer.Option("--constraints-file", help="Constraints that every version must meet: file or URL; may be repeated."),
]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, help="Cores inside one build; default: cores / slots.")
]
SlotsOption = Annotated[int | None, typer.Option("--slots", min=1, help="Builds at a time of the embedded cluster.")]
SandboxOption = Annotated[
    str | None, typer.Option("--sandbox", help="auto, or none: build without isolation, on the embedded cluster.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No progress; results and errors only.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Say everything, with tracebacks.")]

# Of ``bootstrap``.

Requirements = Annotated[list[str] | None, typer.Argument(metavar="REQUIREMENT", show_default=False)]
RequirementFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--requirements-file",
        "-r",
        envvar=environment_of("BOOTSTRAP_REQUIREMENTS_FILES"),
        help="Requirements, one a line: file or URL; may be repeated.",
    ),
]
PreviousGraphOption = Annotated[
    str,
    typer.Option(
        "--previous-bootstrap-file",
        "-p",
        callback=_not_empty,
        envvar=environment_of("BOOTSTRAP_PREVIOUS_BOOTSTRAP_FILE"),
        help="graph.json of an earlier run, whose versions are preferred: file or URL.",
    ),
]
CacheServers = Annotated[
    list[str] | None,
    typer.Option(
        "--cache-wheel-server-url",
        "-c",
        envvar=environment_of("BOOTSTRAP_CACHE_WHEEL_SERVER_URL"),
        help="Index whose wheels are taken over; may be repeated.",
    ),
]
IndexUrls = Annotated[
    list[str] | None,
    typer.Option(
        "--index-url",
        help="Index that sources come from; default: that of your pip or uv configuration, else PyPI.",
    ),
]
SdistOnly = Annotated[
    bool,
    typer.Option(
        "--sdist-only/--full-build",
        envvar=environment_of("BOOTSTRAP_SDIST_ONLY"),
        help="Build wheels of build requirements only.",
    ),
]
SkipConstraints = Annotated[
    bool,
    typer.Option(
        "--skip-constraints",
        envvar=environment_of("BOOTSTRAP_SKIP_CONSTRAINTS"),
        help="Write no constraints.txt; several versions of a distribution are fine.",
    ),
]
GreatestAge = Annotated[
    int,
    typer.Option(
        "--max-release-age",
        min=0,
        envvar=environment_of("BOOTSTRAP_MAX_RELEASE_AGE"),
        help="Days after which a version is not chosen any more, unless all are older; 0: any age.",
    ),
]
IndexOnly = Annotated[
    bool,
    typer.Option("--index-only", help="Ask the index alone: servers and source URLs in settings do not count."),
]
Replace = Annotated[bool, typer.Option("--replace", help="Let other bytes take the names of wheels in the index.")]
AsOf = Annotated[str, typer.Option(metavar="TIME", callback=_not_empty, help="See nothing that was uploaded later.")]
CollectionOption = Annotated[
    str, typer.Option(envvar="WHEELFLEET_COLLECTION", help="Collection that the wheels go to.")
]
TargetsOption = Annotated[
    list[str] | None,
    typer.Option("--target", help="Target to build for; default: this machine's. May be repeated."),
]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="Stop at the first failure.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check all inputs and say what would be queued.")]
Detach = Annotated[bool, typer.Option("--detach", help="Queue the run, print its id, and end.")]

# Of the commands that build what is named already.

_FORCE_HELP = "Build what is there already, too."
_CACHE_HELP = "Index whose wheels are taken over; may be repeated."
DistributionArgument = Annotated[str, typer.Argument(metavar="DIST_NAME", help="Name of the distribution.")]
ExactVersionArgument = Annotated[str, typer.Argument(metavar="DIST_VERSION", help="Its version.")]
SdistServerArgument = Annotated[
    str, typer.Argument(metavar="SDIST_SERVER_URL", help="Index that the source comes from.")
]
WheelServerOption = Annotated[
    str,
    typer.Option(
        "--wheel-server-url",
        envvar=environment_of("BUILD_WHEEL_SERVER_URL"),
        help="Index whose wheels may serve as build requirements, beside those of the collection.",
    ),
]
OrderArgument = Annotated[str, typer.Argument(metavar="BUILD_ORDER_FILE", help="build-order.json: file or URL.")]
GraphArgument = Annotated[str, typer.Argument(metavar="GRAPH_FILE", help="graph.json: file or URL.")]
ForceSequence = Annotated[
    bool, typer.Option("--force", "-f", envvar=environment_of("BUILD_SEQUENCE_FORCE"), help=_FORCE_HELP)
]
ForceParallel = Annotated[
    bool, typer.Option("--force", "-f", envvar=environment_of("BUILD_PARALLEL_FORCE"), help=_FORCE_HELP)
]
SequenceCacheServers = Annotated[
    list[str] | None,
    typer.Option(
        "--cache-wheel-server-url",
        "-c",
        envvar=environment_of("BUILD_SEQUENCE_CACHE_WHEEL_SERVER_URL"),
        help=_CACHE_HELP,
    ),
]
ParallelCacheServers = Annotated[
    list[str] | None,
    typer.Option(
        "--cache-wheel-server-url",
        "-c",
        envvar=environment_of("BUILD_PARALLEL_CACHE_WHEEL_SERVER_URL"),
        help=_CACHE_HELP,
    ),
]
MaxWorkers = Annotated[
    int | None,
    typer.Option(
        "--max-workers",
        "-m",
        min=1,
        envvar=environment_of("BUILD_PARALLEL_MAX_WORKERS"),
        help="Builds at a time of the embedded cluster, as --slots.",
    ),
]

# Of the commands about runs.

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Id of a run; its beginning is enough.")]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A distribution, or name==version.")]
