"""``wheelfleet-agent step``: one distribution made on this machine, as ``wheelfleet step`` has it done."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelfleet_shared.core.step import StepRecipe, decode_step
from wheelfleet_shared.errors import InfrastructureError, InputError, WheelfleetError
from wheelfleet_shared.names import NodeKey

app = typer.Typer(
    help="Make one distribution step by step on this machine.", no_args_is_help=True, pretty_exceptions_enable=False
)

_Folder = Annotated[Path | None, typer.Option(show_default=False, help="Instead of the one below OUTPUT_DIR.")]
_Name = Annotated[str, typer.Argument(metavar="DIST_NAME", help="Name of the distribution.")]
_Version = Annotated[str, typer.Argument(metavar="DIST_VERSION", help="Its version.")]
_Server = Annotated[str, typer.Option(help="Index that build requirements come from; default: the wheels-repo.")]


class _Said(NamedTuple):
    """What is said before the step. interpreter: that wheels are built for."""

    sdists: Path
    wheels: Path
    work: Path
    recipe: Path | None
    interpreter: Path
    jobs: int
    sandbox: str
    verbose: bool


@app.callback()
def before(
    invocation: typer.Context,
    output_dir: Annotated[Path, typer.Option("--output-dir", "-O", help="Folder for all outputs.")] = Path(),
    sdists_repo: _Folder = None,
    wheels_repo: _Folder = None,
    work_dir: _Folder = None,
    recipe: Annotated[
        Path | None, typer.Option(help="What settings and patches say, as `wheelfleet step` has it.")
    ] = None,
    interpreter: Annotated[Path | None, typer.Option(help="Python to build for; default: this one.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=0, help="Parallel jobs inside the build; 0: what fits.")] = 0,
    sandbox: Annotated[str, typer.Option(help="auto, none, or a level to insist on.")] = "auto",
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Show what hooks print.")] = False,
) -> None:
    """Options that each step takes."""
    invocation.obj = _Said(
        (sdists_repo or output_dir / "sdists-repo").absolute(),
        (wheels_repo or output_dir / "wheels-repo").absolute(),
        (work_dir or output_dir / "work-dir").absolute(),
        recipe,
        # The interpreter below a virtual environment: environments are made of it.
        interpreter or Path(getattr(sys, "_base_executable", sys.executable)),
        jobs,
        sandbox,
        verbose,
    )


@app.command()
def prepare_source(invocation: typer.Context, dist_name: _Name, dist_version: _Version) -> None:
    """Unpack and patch the downloaded archive; print the source's folder."""
    from .app.step_sources import prepare_source_step  # noqa: PLC0415 - --help answers at once

    said: _Said = invocation.obj
    step = _step(said, dist_name, dist_version)
    log = _Log(step.places.folder(step.node) / "prepare-source.log", said.verbose)
    typer.echo(_run(prepare_source_step(step, lambda: _host(said), log), log))


@app.command()
def build_sdist(invocation: typer.Context, dist_name: _Name, dist_version: _Version) -> None:
    """Pack the prepared source; print the sdist's path."""
    from .app.step_sources import build_sdist_step  # noqa: PLC0415

    typer.echo(build_sdist_step(_step(invocation.obj, dist_name, dist_version)))


@app.command()
def prepare_build(
    invocation: typer.Context, dist_name: _Name, dist_version: _Version, wheel_server_url: _Server = ""
) -> None:
    """Make the build environment, of wheels of one index alone; prints nothing."""
    from .adapters.index_lock import WheelSource  # noqa: PLC0415
    from .app.step_builds import prepare_build_step  # noqa: PLC0415

    said: _Said = invocation.obj
    step = _step(said, dist_name, dist_version)
    wheels = WheelSource(wheel_server_url, step.places.wheel_folders)
    log = _Log(step.places.folder(step.node) / "prepare-build.log", said.verbose)
    _run(_with_host(said, lambda host: prepare_build_step(step, host, wheels, log)), log)


@app.command()
def build_wheel(
    invocation: typer.Context, dist_name: _Name, dist_version: _Version, wheel_server_url: _Server = ""
) -> None:
    """Build the wheel, without any network; print its path."""
    from .app.step_builds import build_wheel_step  # noqa: PLC0415

    del wheel_server_url  # the environment is complete: scripts give it all the same
    said: _Said = invocation.obj
    step = _step(said, dist_name, dist_version)
    log = _Log(step.places.folder(step.node) / "build.log", said.verbose)
    typer.echo(_run(_with_host(said, lambda host: build_wheel_step(step, host, log)), log))


class _Log:
    """What hooks print goes to a file, and to standard error where that is wanted."""

    def __init__(self, file: Path, shown: bool) -> None:
        self._file = file
        self._shown = shown
        self._begun = False

    def write(self, data: bytes) -> None:
        """The lines are kept."""
        if not self._begun and self._file.parent.is_dir():
            self._file.write_bytes(b"")
            self._begun = True
        if self._begun:
            with self._file.open("ab") as opened:
                opened.write(data)
        if self._shown:
            sys.stderr.write(data.decode("utf-8", "replace"))

    def tell_end(self) -> None:
        """The last lines stand on standard error, unless all do."""
        if self._begun and not self._shown:
            lines = self._file.read_text(errors="replace").splitlines()[-20:]
            sys.stderr.write("".join(f"| {line}\n" for line in lines) + f"all of it: {self._file}\n")


def _step(said: _Said, name: str, version: str) -> Any:
    from .app.step import Step  # noqa: PLC0415
    from .core.step_files import StepPlaces  # noqa: PLC0415

    try:
        node = NodeKey(canonicalize_name(name, validate=True), str(Version(version)))
    except (InvalidVersion, ValueError) as error:
        raise InputError(f"{name} {version}: {error}", "correct name or version") from error
    recipe = decode_step(said.recipe.read_bytes()) if said.recipe is not None else StepRecipe()
    return Step(node, StepPlaces(said.sdists, said.wheels, said.work), recipe, said.jobs)


async def _with_host(said: _Said, made: Any) -> Any:
    """What is made on this host."""
    return await made(await _host(said))


async def _host(said: _Said) -> Any:
    """What is probed here; without a sandbox, and saying so, where none works and none was insisted on."""
    from wheelfleet_shared.core.configuration import AgentConfig  # noqa: PLC0415

    from .app.host import probe_host  # noqa: PLC0415

    config = AgentConfig("", str(said.work / "wheelfleet-host"), 1, (str(said.interpreter),), sandbox=said.sandbox)
    try:
        return await probe_host(config)
    except InfrastructureError as error:
        if said.sandbox != "auto":
            raise
        typer.echo(f"warning: {error.what}; hooks run with your rights and your network", err=True)
        return await probe_host(AgentConfig("", config.data, 1, config.interpreters, sandbox="none"))


def _run(making: Coroutine[Any, Any, Any], log: _Log) -> Any:
    from .core.hook_answers import HookStopped  # noqa: PLC0415

    try:
        return asyncio.run(making)
    except HookStopped as stopped:
        log.tell_end()
        raise InfrastructureError(f"the hook was stopped: {stopped.what}", "give it more room or time") from stopped
    except WheelfleetError as error:
        if error.party in {"backend", "policy"}:
            log.tell_end()
        raise
