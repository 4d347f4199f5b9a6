"""What the commands that look into a run do."""

import asyncio
import codecs
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import typer

from wheelfleet_shared.adapters.build_log_stream import read_build_log
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.errors import InfrastructureError, InputError
from wheelfleet_shared.names import RunId

from ..core.comparison import compare, difference_lines
from ..core.graph_file import ParsedGraph, read_graph
from ..core.printable import printable
from .connection import Link, http_url_of, linked
from .run_commands import find_run, print_json
from .settings import Format, Settings
from .writing import fetch_listing


def print_explanation(settings: Settings, chosen: Format, run: str, name: str) -> None:
    """The explanation is printed."""

    async def work() -> m.Text:
        async with linked(settings) as link:
            return await link.ask(m.ExplainAsk(await find_run(link, run), name), m.Text)

    _print_text(asyncio.run(work()), chosen)


def print_why(settings: Settings, chosen: Format, run: str, name: str) -> None:
    """The chains of who needs it are printed."""

    async def work() -> m.Text:
        async with linked(settings) as link:
            return await link.ask(m.WhyAsk(await find_run(link, run), name), m.Text)

    _print_text(asyncio.run(work()), chosen)


def _print_text(text: m.Text, chosen: Format) -> None:
    if chosen is Format.JSON:
        print_json(text.data)
    else:
        typer.echo(printable("\n".join(text.lines)))


def print_logs(settings: Settings, chosen: Format, run: str, name: str, *, follow: bool) -> None:
    """The logs are printed, oldest first; with ``follow`` what a running build still writes too."""

    async def work() -> None:
        async with linked(settings) as link:
            found = await link.ask(m.LogAsk(await find_run(link, run), name), m.LogList)
            if chosen is Format.JSON:
                print_json(found)
                return
            if not found.logs:
                raise InputError(f"no build of {name} has written a log yet", f"see `wheelfleet explain {run} {name}`")
            for head, row in zip(log_heads(found.logs), found.logs, strict=True):
                typer.echo(head)
                await link.unless_stopped(_print_log(link, row, follow=follow))

    asyncio.run(work())


def log_heads(rows: Sequence[m.LogRow]) -> list[str]:
    """A line above each log; attempts count from 1 within their build, whatever their fences."""
    seen: Counter[str] = Counter()
    heads = []
    for row in rows:
        seen[row.build] += 1
        heads.append(f"--- {row.node}, {row.goal}, attempt {seen[row.build]}: {row.status}")
    return heads


async def _print_log(link: Link, row: m.LogRow, *, follow: bool) -> None:
    chunks = _stored_log(row.url) if row.url else read_build_log(link.client, row.build, row.fence, follow=follow)
    written = 0
    # A file or a pipe gets the bytes as they are; a terminal would obey what a stranger's build wrote.
    text = codecs.getincrementaldecoder("utf-8")("replace") if sys.stdout.isatty() else None
    async for data in chunks:
        shown = data if text is None else _for_terminals(text.decode(data))
        written += sys.stdout.buffer.write(shown)
        sys.stdout.flush()
    if not written:
        typer.echo("(no output)")


def _for_terminals(text: str) -> bytes:
    return printable(text.replace("\r\n", "\n").replace("\r", "\n")).encode()


async def _stored_log(url: str) -> AsyncIterator[bytes]:
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=60.0) as client, client.stream("GET", url) as answer:
            if not answer.is_success:
                raise InfrastructureError(f"the store answers {answer.status_code}", "see `wheelfleet doctor`")
            async for data in answer.aiter_bytes():
                yield data
    except httpx.HTTPError as error:
        raise InfrastructureError(f"the log cannot be fetched: {error}", "see `wheelfleet doctor`") from error


def print_difference(settings: Settings, chosen: Format, old: str, new: str) -> int:
    """1 where the two differ, as diff does; what differs is printed."""
    texts = {name: Path(name).read_bytes() for name in (old, new) if Path(name).is_file()}
    missing = [name for name in (old, new) if name not in texts]

    async def fetch() -> None:
        async with linked(settings) as link:
            for name in missing:
                texts[name] = await _graph_of(link, await find_run(link, name))

    if missing:
        asyncio.run(fetch())
    found = compare(_parsed(texts, old), _parsed(texts, new))
    if chosen is Format.JSON:
        print_json(found)
    else:
        typer.echo("\n".join(difference_lines(found)))
    return 0 if found.empty else 1


def _parsed(texts: dict[str, bytes], name: str) -> ParsedGraph:
    try:
        return read_graph(texts[name])
    except InputError as error:
        raise InputError(f"{name}: {error.what}", error.next_step) from error


async def _graph_of(link: Link, run: RunId) -> bytes:
    texts = (await fetch_listing(await http_url_of(link), link.credential.http_token, run)).texts
    found = [path for path in texts if path.startswith("work-dir/") and path.endswith("/graph.json")]
    if len(found) != 1:
        raise InputError(f"run {run} has {len(found)} graphs", "compare graph files, one target at a time")
    return texts[found[0]].encode()
