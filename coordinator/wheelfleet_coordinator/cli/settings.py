"""What is said before a command and holds for all of them; options that are accepted in both places."""

import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer


class Format(StrEnum):
    """How results are printed: for people, or as one JSON document for machines."""

    TEXT = "text"
    JSON = "json"


class Settings(msgspec.Struct, frozen=True):
    """What was said before the command; None where nothing was.

    config: the credential file of a cluster. jobs: cores inside one build. slots: builds at a time
    of an embedded cluster.
    """

    constraints: tuple[str, ...] = ()
    output_dir: Path | None = None
    sdists_repo: Path | None = None
    wheels_repo: Path | None = None
    work_dir: Path | None = None
    jobs: int | None = None
    slots: int | None = None
    sandbox: str | None = None
    variant: str = "cpu"
    config: Path | None = None
    format: Format = Format.TEXT
    quiet: bool = False
    color: bool = True

    def changed(self, output_dir: Path | None, quiet: bool, chosen: Format) -> "Settings":
        """What holds where this is said after the command; None and False leave things as they are."""
        return msgspec.structs.replace(
            self, output_dir=output_dir or self.output_dir, quiet=quiet or self.quiet, format=chosen
        )


def settings_of(invocation: typer.Context) -> Settings:
    """What was said before the command."""
    found = invocation.find_object(Settings)
    return found if found is not None else Settings()


def format_of(invocation: typer.Context, after: Format | None) -> Format:
    """The format asked for: what is said after the command outweighs what is said before it."""
    return after if after is not None else settings_of(invocation).format


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


def set_verbosity(*, verbose: bool, debug: bool) -> None:
    """Our log shows more from now on; what was asked for before stays."""
    root = logging.getLogger()
    if verbose or debug:
        root.setLevel(min(root.level, logging.DEBUG if debug else logging.INFO))


def environment_of(*names: str) -> list[str]:
    """Variables that an option is read from: ours, then fromager's."""
    return [f"{prefix}_{name}" for prefix in ("WHEELFLEET", "FROMAGER") for name in names]
