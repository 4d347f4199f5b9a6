"""A builder that takes virtual time and makes tiny real wheels, so that the coordinator's checks are real."""

import asyncio
import base64
import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from universe import Release, read_release
from wheelfleet_agent.app.attempt import file_ref
from wheelfleet_agent.app.ports import AttemptEnded, LogSink, Result, Upload
from wheelfleet_shared.adapters.memory_blobs import MemoryBlobs
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.messages import Work


class SimBuilder:
    """Counts each hook by (name, version); ``calls`` is shared by all agents of a cluster."""

    def __init__(self, blobs: MemoryBlobs, calls: list[tuple[str, str, str]]) -> None:
        self._blobs = blobs
        self._calls = calls

    async def carry_out(self, work: Work, phase: Callable[[str], None], log: LogSink, upload: Upload) -> Result:
        if work.plan.goal == "source" and work.hooks is not None:
            self._calls.append(("hooks", work.plan.node.name, work.plan.node.version))
            return e.SourcePrepared(work.fence, work.sdist.file, 0, (), "")
        release = read_release(await self._download(work.sdist.url))
        for wheel in work.environment:
            await self._download(wheel.url)
        if work.plan.goal == "source":
            return await self._prepare(work, release, upload)
        phase("build_wheel")
        if work.requirements is None:
            self._calls.append(("get_requires", release.name, release.version))
            missing = [text for text in release.hook if not _met(text, work)]
            if missing and work.static:
                return e.BuildBlocked(work.fence, release.hook)
        await asyncio.sleep(release.seconds)
        self._calls.append(("build_wheel", release.name, release.version))
        if release.fails:
            return e.BuildFailed(e.Failure("backend", "build_wheel", "it fails by design"), work.fence)
        with TemporaryDirectory() as folder:
            abi, _, platform = work.target.partition("-")
            tag = f"{abi}-{abi}-{platform}" if release.native else "py3-none-any"
            path = Path(folder) / f"{release.name.replace('-', '_')}-{release.version}-{work.plan.build_tag}-{tag}.whl"
            path.write_bytes(wheel_bytes(release, work.fence, tag, work.plan.build_tag))
            wheel = file_ref(path)
            await upload(path, wheel, "wheel")
        payload = wheel.sha256 if release.erratic else f"{tag} of {release.name} {release.version}"
        return e.WheelBuilt(work.fence, wheel, payload, release.hook)

    async def _prepare(self, work: Work, release: Release, upload: Upload) -> Result:
        await asyncio.sleep(0.5)
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"{release.name.replace('-', '_')}-{release.version}.tar.gz"
            path.write_bytes(await self._download(work.sdist.url))
            sdist = file_ref(path)
            await upload(path, sdist, "sdist")
        return e.SourcePrepared(work.fence, sdist, 1_600_000_000, release.static, "backend")

    async def _download(self, url: str) -> bytes:
        status, content = self._blobs.get_signed(url)
        if status != 200:
            raise AttemptEnded("download", f"{status} for {url}")
        return content


def _met(text: str, work: Work) -> bool:
    requirement = Requirement(text)
    name = canonicalize_name(requirement.name)
    return any(w.name == name and requirement.specifier.contains(w.version) for w in work.environment)


def wheel_bytes(release: Release, fence: int = 0, tag: str = "py3-none-any", build: str = "0") -> bytes:
    """A wheel that holds its metadata alone; other bytes at each attempt, as of a backend that is not reproducible."""
    stem = f"{release.name.replace('-', '_')}-{release.version}"
    lines = ["Metadata-Version: 2.2", f"Name: {release.name}", f"Version: {release.version}"]
    lines += ["Provides-Extra: x"] if any("extra ==" in text for text in release.install) else []
    lines += [f"Requires-Dist: {text}" for text in release.install]
    files = {
        f"{stem}.dist-info/METADATA": "\n".join(lines) + "\n\n",
        f"{stem}.dist-info/WHEEL": f"Wheel-Version: 1.0\nGenerator: sim {fence:05}\n"
        f"Root-Is-Purelib: {str(tag.endswith('-any')).lower()}\nTag: {tag}\nBuild: {build}\n",
    }
    record = "".join(f"{name},sha256={_digest(text)},{len(text)}\n" for name, text in files.items())
    files[f"{stem}.dist-info/RECORD"] = record + f"{stem}.dist-info/RECORD,,\n"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), text)
    return stream.getvalue()


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
