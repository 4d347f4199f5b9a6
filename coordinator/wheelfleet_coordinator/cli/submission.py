"""A run queued: its target chosen, its inputs stored, its first event appended."""

import asyncio
import fnmatch
import hashlib
import platform
import secrets
import sys
import time
from collections.abc import Sequence

import httpx
import msgspec

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.bundle import RunInputs, encode_inputs
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.errors import InfrastructureError, InputError
from wheelfleet_shared.names import IndexName, RunId, Sha256, TargetId

from .connection import Link

JOINS_WITHIN = 20.0
"""Seconds for which a first agent is waited for."""
_BETWEEN_LOOKS = 0.2
MOST_BYTES = 240 * 1024
"""Of the event of a run: what the log takes, but for what is added around it."""
_DIGITS = "0123456789abcdefghijklmnopqrstuv"


def new_run_id() -> RunId:
    """13 characters that sort by time: 45 bits of milliseconds, 20 random ones."""
    number = (time.time_ns() // 1_000_000) << 20 | secrets.randbits(20)
    return RunId("".join(_DIGITS[number >> shift & 31] for shift in range(60, -1, -5)))


async def offered(link: Link) -> m.TargetList:
    """The targets on offer, once there is one; raises InfrastructureError where no agent comes in time."""
    end = time.monotonic() + JOINS_WITHIN
    while True:
        found = await link.ask(m.Targets(), m.TargetList)
        if found.targets:
            return found
        if time.monotonic() > end:
            raise InfrastructureError(
                "no agent offers any target", "start one, or read its log; `wheelfleet doctor` looks at all parts"
            )
        await asyncio.sleep(_BETWEEN_LOOKS)


def choose_targets(wanted: Sequence[str], on_offer: Sequence[TargetId]) -> tuple[TargetId, ...]:
    """The targets asked for, by id or pattern (``cp311-*``), else this machine's and Python's, else the only one.

    Raises InputError where that is none, or not clear.
    """
    found = {text: fnmatch.filter(on_offer, text) for text in wanted}
    missing = [text for text, targets in found.items() if not targets]
    if missing:
        raise InputError(f"no agent offers {', '.join(missing)}", f"on offer: {', '.join(on_offer)}")
    if wanted:
        return tuple(dict.fromkeys(TargetId(target) for targets in found.values() for target in targets))
    native = f"cp{sys.version_info.major}{sys.version_info.minor}-linux_{platform.machine()}"
    fitting = [target for target in on_offer if target == native or target.startswith(f"{native}-")]
    if len(fitting) == 1:
        return (fitting[0],)
    if len(on_offer) == 1:
        return (on_offer[0],)
    raise InputError(
        f"which target? none of those on offer is clearly {native}", f"give --target; on offer: {', '.join(on_offer)}"
    )


async def store_inputs(link: Link, inputs: RunInputs) -> Sha256 | None:
    """The digest under which the inputs lie in the store; None where there is nothing to store."""
    if inputs.empty:
        return None
    data = encode_inputs(inputs)
    digest = Sha256(hashlib.sha256(data).hexdigest())
    grant = await link.ask(m.BundleAsk(digest, len(data)), m.UploadGrant)
    if not grant.stored:
        await _put(grant, data)
    return digest


async def _put(grant: m.UploadGrant, data: bytes) -> None:
    try:
        # The URL is the store's own; what the user's proxy settings say is about the package index.
        async with httpx.AsyncClient(trust_env=False, timeout=60.0) as client:
            response = await client.put(grant.url, content=data, headers=grant.headers)
    except httpx.HTTPError as error:
        raise InfrastructureError(f"the object store cannot be reached: {error}", "see `wheelfleet doctor`") from error
    if not response.is_success:
        raise InfrastructureError(f"the object store refused the inputs: {response.status_code}", "`wheelfleet doctor`")


def require_room(event: e.RunSubmitted) -> None:
    """Raises InputError for more requirements than one event holds; some 8,000 of usual length go in."""
    size = len(msgspec.json.encode(event))
    if size > MOST_BYTES:
        raise InputError(
            f"{len(event.requirements)} requirements are too many for one run: {size} bytes, and {MOST_BYTES} go in",
            "split them into several runs, of one collection if they belong together",
        )


async def submit(
    link: Link,
    index: IndexName,
    targets: tuple[TargetId, ...],
    requirements: tuple[str, ...],
    options: e.RunOptions,
    bundle: Sha256 | None,
) -> RunId:
    """The id of the run, whose first event is in the log."""
    run = new_run_id()
    event = e.RunSubmitted(run, index, targets, requirements, options, bundle)
    require_room(event)
    if not await link.append(Aggregate("run", run), 0, event):
        raise InfrastructureError(f"another run has the id {run}", "try again")
    return run
