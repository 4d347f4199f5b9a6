"""What ``wheel-server`` does."""

import asyncio
from pathlib import Path

import typer

from ..adapters.folder_index import folder_index_app
from ..adapters.http_server import serve


def serve_wheels(wheels_repo: Path, address: str, port: int) -> None:
    """The wheels of the folder are served until the process is interrupted; raises InputError for a taken address."""
    asyncio.run(_serve(wheels_repo, address, port))


async def _serve(wheels_repo: Path, address: str, port: int) -> None:
    running = await serve(folder_index_app(wheels_repo), address, port)
    typer.echo(f"Listening on {running.url}/simple/")
    try:
        await asyncio.Event().wait()
    finally:
        await running.stop()
