"""Options of ``bootstrap`` and ``bootstrap-parallel`` that are rarely given, and those that the latter reads elsewhere.

As with fromager, each command reads its options from variables that bear its name.
"""

from typing import Annotated

import typer

from .options import environment_of

_SEVERAL = "Build every version that a requirement lets in; leave out what fails."
_NO_THREADS = "Without effect: pages and sources are fetched side by side."

MultipleVersions = Annotated[
    bool,
    typer.Option("--multiple-versions", envvar=environment_of("BOOTSTRAP_MULTIPLE_VERSIONS"), help=_SEVERAL),
]
MultipleVersionsParallel = Annotated[
    bool,
    typer.Option("--multiple-versions", envvar=environment_of("BOOTSTRAP_PARALLEL_MULTIPLE_VERSIONS"), help=_SEVERAL),
]
TestMode = Annotated[
    bool,
    typer.Option(
        "--test-mode",
        envvar=environment_of("BOOTSTRAP_TEST_MODE"),
        help="Where a build fails take upstream's wheel of that version, and list what failed.",
    ),
]
BackgroundThreads = Annotated[
    int | None,
    typer.Option("--bg-threads", min=1, envvar=environment_of("BOOTSTRAP_NUM_BG_THREADS"), help=_NO_THREADS),
]
BackgroundThreadsParallel = Annotated[
    int | None,
    typer.Option("--bg-threads", min=1, envvar=environment_of("BOOTSTRAP_PARALLEL_NUM_BG_THREADS"), help=_NO_THREADS),
]
RequirementFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--requirements-file",
        "-r",
        envvar=environment_of("BOOTSTRAP_PARALLEL_REQUIREMENTS_FILES"),
        help="Requirements, one a line: file or URL; may be repeated.",
    ),
]
PreviousGraphOption = Annotated[
    str,
    typer.Option(
        "--previous-bootstrap-file",
        "-p",
        envvar=environment_of("BOOTSTRAP_PARALLEL_PREVIOUS_BOOTSTRAP_FILE"),
        help="graph.json of an earlier run, whose versions are preferred: file or URL.",
    ),
]
CacheServers = Annotated[
    list[str] | None,
    typer.Option(
        "--cache-wheel-server-url",
        "-c",
        envvar=environment_of("BOOTSTRAP_PARALLEL_CACHE_WHEEL_SERVER_URL"),
        help="Index whose wheels are taken over; may be repeated.",
    ),
]
SkipConstraints = Annotated[
    bool,
    typer.Option(
        "--skip-constraints",
        envvar=environment_of("BOOTSTRAP_PARALLEL_SKIP_CONSTRAINTS"),
        help="Write no constraints.txt; several versions of a distribution are fine.",
    ),
]
GreatestAge = Annotated[
    int,
    typer.Option(
        "--max-release-age",
        min=0,
        envvar=environment_of("BOOTSTRAP_PARALLEL_MAX_RELEASE_AGE"),
        help="Days after which a version is not chosen any more, unless all are older; 0: any age.",
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force", "-f", envvar=environment_of("BOOTSTRAP_PARALLEL_FORCE"), help="Build what is there already, too."
    ),
]
MaxWorkers = Annotated[
    int | None,
    typer.Option(
        "--max-workers",
        "-m",
        min=1,
        envvar=environment_of("BOOTSTRAP_PARALLEL_MAX_WORKERS"),
        help="Builds at a time of the embedded cluster, as --slots.",
    ),
]
