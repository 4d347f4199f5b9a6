"""What the index of ours holds already for some requirements."""

import asyncio
from collections.abc import Sequence

import httpx
import msgspec
from packaging.requirements import Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from wheelfleet_shared.core.credentials import Credential
from wheelfleet_shared.errors import InfrastructureError

_JSON = "application/vnd.pypi.simple.v1+json"


class _File(msgspec.Struct):
    filename: str


class _Page(msgspec.Struct):
    files: list[_File]


async def existing_wheels(index_url: str, credential: Credential, requirements: Sequence[str]) -> list[str]:
    """File names of published wheels that satisfy one of the requirements, by name; what they need is not looked at.

    Raises InfrastructureError where the index cannot be reached.
    """
    headers = {"Accept": _JSON}
    if credential.http_token:
        headers["Authorization"] = f"Bearer {credential.http_token}"
    async with httpx.AsyncClient(trust_env=False, timeout=15.0, headers=headers) as client:
        found = await asyncio.gather(*(_of(client, index_url, Requirement(text)) for text in requirements))
    return sorted({name for names in found for name in names})


async def _of(client: httpx.AsyncClient, index_url: str, requirement: Requirement) -> list[str]:
    try:
        answer = await client.get(f"{index_url}{canonicalize_name(requirement.name)}/")
    except httpx.HTTPError as error:
        raise InfrastructureError(f"{index_url} cannot be reached: {error}", "see `wheelfleet doctor`") from error
    if answer.status_code == 404:
        return []
    if not answer.is_success:
        raise InfrastructureError(f"{index_url} answers {answer.status_code}", "see `wheelfleet doctor`")
    page = msgspec.json.decode(answer.content, type=_Page)
    return [file.filename for file in page.files if _satisfies(file.filename, requirement)]


def _satisfies(file_name: str, requirement: Requirement) -> bool:
    try:
        version = parse_wheel_filename(file_name)[1]
    except InvalidWheelFilename:
        return False
    return requirement.specifier.contains(version, prereleases=True)
