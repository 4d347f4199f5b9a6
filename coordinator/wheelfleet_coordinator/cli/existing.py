"""What the index of ours holds already of some projects."""

import asyncio
from collections.abc import Sequence

import httpx

from wheelfleet_shared.core.credentials import Credential
from wheelfleet_shared.errors import InfrastructureError

from ..core.candidates import JSON_TYPE, ProjectListing, missing_project, read_page


async def held_listings(index_url: str, credential: Credential, projects: Sequence[str]) -> dict[str, ProjectListing]:
    """Project → what the index lists of it.

    index_url: with a slash at the end. Raises InfrastructureError where the index cannot be reached.
    """
    headers = {"Accept": JSON_TYPE}
    if credential.http_token:
        headers["Authorization"] = f"Bearer {credential.http_token}"
    async with httpx.AsyncClient(trust_env=False, timeout=15.0, headers=headers) as client:
        found = await asyncio.gather(*(_of(client, f"{index_url}{project}/", project) for project in projects))
    return dict(zip(projects, found, strict=True))


async def _of(client: httpx.AsyncClient, url: str, project: str) -> ProjectListing:
    try:
        answer = await client.get(url)
    except httpx.HTTPError as error:
        raise InfrastructureError(f"{url} cannot be reached: {error}", "see `wheelfleet doctor`") from error
    if answer.status_code == 404:
        return missing_project(project)
    if not answer.is_success:
        raise InfrastructureError(f"{url} answers {answer.status_code}", "see `wheelfleet doctor`")
    return read_page(answer.content, answer.headers.get("Content-Type", ""), url, project)
