"""The SPDX 2.3 document of a wheel: what it is, what it was made from, and what it was made with."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from wheelfleet_shared.core.recipe import SbomPart, SbomRecipe
from wheelfleet_shared.names import NodeKey, Sha256

FILE: Final = "sboms/fromager.spdx.json"
"""In the dist-info folder (PEP 770), under the name that fromager gives it."""
_UNKNOWN: Final = "NOASSERTION"
_WHEEL: Final = "SPDXRef-wheel"
_UPSTREAM: Final = "SPDXRef-upstream"
_DOCUMENT: Final = "SPDXRef-DOCUMENT"


class BuiltWith(NamedTuple):
    """One wheel of the locked environment. sha256: of the file."""

    name: str
    version: str
    file_name: str
    sha256: Sha256


def sbom(
    recipe: SbomRecipe, node: NodeKey, source: Sha256, environment: Iterable[BuiltWith], epoch: int, tool: str
) -> bytes:
    """The document, the same bytes for equal arguments; the wheel cannot hold its own sha256.

    source: sha256 of the upstream archive. epoch: seconds, said as the time of creation. tool: name and
    version of what wrote it.
    """
    used = sorted(environment)
    document: dict[str, Any] = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": _DOCUMENT,
        "name": f"{node.name}-{node.version}",
        "documentNamespace": recipe.namespace,
        "creationInfo": {
            "created": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": [*recipe.creators, f"Tool: {tool}"],
        },
        "packages": [
            _described(_WHEEL, recipe.wheel, recipe.supplier),
            _described(_UPSTREAM, recipe.upstream, _UNKNOWN, source),
            *(_tool(number, item) for number, item in enumerate(used)),
        ],
        "relationships": _relationships(used),
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


def _relationships(used: Sequence[BuiltWith]) -> list[dict[str, str]]:
    return [
        _relationship(_DOCUMENT, "DESCRIBES", _WHEEL),
        _relationship(_WHEEL, "GENERATED_FROM", _UPSTREAM),
        *(_relationship(_reference(number), "BUILD_DEPENDENCY_OF", _WHEEL) for number in range(len(used))),
    ]


def _relationship(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _reference(number: int) -> str:
    return f"SPDXRef-build-{number + 1}"


def _tool(number: int, item: BuiltWith) -> dict[str, Any]:
    purl = f"pkg:pypi/{item.name}@{quote(item.version, safe='')}"
    described = _described(_reference(number), SbomPart(item.name, item.version, purl), _UNKNOWN, item.sha256)
    return {**described, "packageFileName": item.file_name}


def _described(reference: str, part: SbomPart, supplier: str, sha256: Sha256 | None = None) -> dict[str, Any]:
    checksums = [{"algorithm": "SHA256", "checksumValue": str(sha256)}]
    return {
        "SPDXID": reference,
        "name": part.name,
        "versionInfo": part.version,
        "downloadLocation": _UNKNOWN,
        # Without it, a reader must find the digests of all members here.
        "filesAnalyzed": False,
        "supplier": supplier,
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": part.purl}
        ],
        **({"checksums": checksums} if sha256 is not None else {}),
    }
