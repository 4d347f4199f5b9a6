"""``migrate-config``: what fromager 0.27 was configured with, as settings files."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """The command is part of the application."""
    app.command("migrate-config")(migrate_config)


def migrate_config(
    envs_dir: Annotated[Path, typer.Option("--envs-dir", help="Folder of NAME.env and VARIANT/NAME.env.")],
    settings_file: Annotated[Path, typer.Option("--settings-file", help="settings.yaml with packages and pre_built.")],
    output_dir: Annotated[Path, typer.Option("--output-dir", help="Folder for one file a distribution.")],
) -> None:
    """Write settings files from the configuration of fromager 0.27."""
    from wheelfleet_shared.errors import InputError

    from ..core.old_settings import migrated

    try:
        paths = [*envs_dir.glob("*.env"), *envs_dir.glob("*/*.env")]
        texts = {path.relative_to(envs_dir).as_posix(): path.read_text(encoding="utf-8") for path in paths}
        found = migrated(settings_file.read_bytes(), texts)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the old configuration: {error}", "correct the names") from error
    output_dir.mkdir(exist_ok=True)
    for name, text in found.items():
        (output_dir / name).write_text(text, encoding="utf-8")
        typer.echo(str(output_dir / name))
