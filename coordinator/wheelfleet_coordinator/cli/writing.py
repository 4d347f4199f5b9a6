"""A run's outputs brought into the user's folders, each file checked by its digest."""

import asyncio
import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import httpx
import msgspec
import urllib3

from wheelfleet_shared.errors import InfrastructureError, InputError
from wheelfleet_shared.names import RunId, Sha256

from ..core.partial import PARTIAL
from ..core.sequence_summary import SequenceEntry
from .places import Places

AT_ONCE = 8
"""Downloads at the same time."""
_TIMEOUT = httpx.Timeout(60.0, pool=None)


class ListedFile(msgspec.Struct, frozen=True):
    """A file that lies in the store. path: within the output folder. url: signed."""

    path: str
    sha256: Sha256
    size: int
    url: str


class Listing(msgspec.Struct, frozen=True):
    """All outputs of a run. texts: path → content. conflicts: what constraints.txt has no version for, explained.

    entries: of a saved order, what became of each; finished_at: seconds since the epoch.
    """

    run: RunId
    texts: dict[str, str]
    files: list[ListedFile]
    conflicts: tuple[str, ...] = ()
    entries: tuple[SequenceEntry, ...] = ()
    finished_at: float = 0.0


async def fetch_listing(http_url: str, token: str, run: RunId) -> Listing:
    """What the coordinator lists; raises InputError for an unknown run, InfrastructureError where it cannot be had."""
    return msgspec.json.decode(await ask_coordinator(f"{http_url}/runs/{run}/outputs", token), type=Listing)


async def ask_coordinator(url: str, token: str) -> bytes:
    """What the coordinator answers about a run; raises as ``fetch_listing``."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT) as client:
            response = await client.get(url, headers=headers)
    except httpx.HTTPError as error:
        raise InfrastructureError(f"{url} cannot be reached: {error}", "see `wheelfleet doctor`") from error
    if response.status_code == 404:
        raise InputError(response.text.strip(), "see `wheelfleet runs`")
    if response.status_code == 401:
        raise InfrastructureError(f"{url} refuses the token", "look at http_token in the credential file")
    if not response.is_success:
        raise InfrastructureError(f"{url} answers {response.status_code}", "read the coordinator's log")
    return response.content


async def fetch_stored(links: Mapping[Sha256, str]) -> dict[Sha256, bytes]:
    """The contents with these digests, from signed URLs; raises InfrastructureError where one cannot be had."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(client: httpx.AsyncClient, sha256: Sha256, url: str) -> tuple[Sha256, bytes]:
        async with free:
            response = await client.get(url)
        if hashlib.sha256(response.content).hexdigest() != sha256:
            raise InfrastructureError(f"the store answers {response.status_code} for {sha256}", "`wheelfleet doctor`")
        return sha256, response.content

    try:
        async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT) as client:
            return dict(await asyncio.gather(*(one(client, sha256, url) for sha256, url in links.items())))
    except httpx.HTTPError as error:
        raise InfrastructureError(f"the store cannot be reached: {error}", "see `wheelfleet doctor`") from error


async def write_outputs(listing: Listing, places: Places) -> int:
    """Everything listed lies in its place; how many files were fetched. What is there with the same bytes stays.

    Raises InfrastructureError where a file cannot be had or has other bytes than promised.
    """
    for path, text in listing.texts.items():
        _write(place_of(path, places), text.encode())
    wanted = [(file, place_of(file.path, places)) for file in listing.files]
    # In threads and without httpx, which takes ten times the processor time for so many small files.
    threads = ThreadPoolExecutor(AT_ONCE)
    loop = asyncio.get_running_loop()
    with urllib3.PoolManager(maxsize=AT_ONCE, timeout=60.0) as pool:
        try:
            brought = (loop.run_in_executor(threads, _bring, pool, file, place) for file, place in wanted)
            return sum(await asyncio.gather(*brought))
        finally:
            threads.shutdown(cancel_futures=True)


def remove_old_failures(listing: Listing, places: Places) -> None:
    """The failures of an earlier run in this folder are not taken for those of the run that is listed."""
    if not any(path.endswith(f"/{PARTIAL}") for path in listing.texts):
        (places.work / PARTIAL).unlink(missing_ok=True)


def place_of(path: str, places: Places) -> Path:
    """Where a listed path lies on this machine; raises InfrastructureError for one that would leave the folders."""
    roots = {"work-dir": places.work, "sdists-repo": places.sdists, "wheels-repo": places.wheels}
    first, *rest = PurePosixPath(path).parts
    if first not in roots or not rest or ".." in rest:
        raise InfrastructureError(f"the coordinator lists an output at {path!r}", "bring it to this version")
    return roots[first].joinpath(*rest)


def _write(place: Path, data: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.name}.new")
    temporary.write_bytes(data)
    temporary.replace(place)


def _bring(pool: urllib3.PoolManager, file: ListedFile, place: Path) -> bool:
    """Whether it had to be fetched."""
    if _holds(place, file):
        return False
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.name}.part")
    found = hashlib.sha256()
    try:
        with pool.request("GET", file.url, preload_content=False) as response:
            if response.status != 200:
                raise InfrastructureError(f"{file.path}: the store answers {response.status}", "try again")
            with temporary.open("wb") as out:
                for chunk in response.stream(2**20):
                    found.update(chunk)
                    out.write(chunk)
    except urllib3.exceptions.HTTPError as error:
        raise InfrastructureError(f"{file.path} cannot be fetched: {error}", "see `wheelfleet doctor`") from error
    if found.hexdigest() != file.sha256:
        temporary.unlink()
        raise InfrastructureError(f"{file.path} has other bytes than promised", "see `wheelfleet doctor`")
    temporary.replace(place)
    return True


def _holds(place: Path, file: ListedFile) -> bool:
    if not place.is_file() or place.stat().st_size != file.size:
        return False
    with place.open("rb") as held:
        return hashlib.file_digest(held, "sha256").hexdigest() == file.sha256
