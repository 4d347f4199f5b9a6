"""A built wheel, made the collection's own in one pass: build tag, record of the build, RECORD, fixed times."""

import hashlib
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from packaging.utils import BuildTag

from wheelfleet_shared.core.wheel_check import WheelFacts, build_tag_text, dist_info_folder
from wheelfleet_shared.core.wheel_record import SIGNATURES, RecordEntry, read_record, record_digest, write_record
from wheelfleet_shared.errors import BackendError, PolicyError
from wheelfleet_shared.names import NodeKey, Sha256

from .archive_limits import ExtractLimits, Meter
from .archive_tree import zip_time
from .wheel_file import Content, check_opened, chunks_of, is_executable, payload_of, verified

_UNIX = 3
_BUILD_LINE = re.compile(rb"^Build:[^\n]*\n?", re.MULTILINE | re.IGNORECASE)


class FinishedWheel(msgspec.Struct, frozen=True):
    """A wheel ready to be uploaded. payload: see ``wheel_file.payload_digest``."""

    path: Path
    sha256: Sha256
    size: int
    payload: Sha256
    facts: WheelFacts


def finish_wheel(
    built: Path, wanted: NodeKey, build_tag: BuildTag, added: Mapping[str, bytes], epoch: int, destination: Path
) -> FinishedWheel:
    """The wheel lies finished in the destination folder, as ``name-version-build-tags.whl``.

    build_tag: () counts as (0, ""). added: files of the dist-info folder by name; they replace
    equal names. Members are sorted, dist-info last; modes 0644 or 0755; mtimes the epoch; deflated
    at zlib's default level, so bytes are equal on equal zlibs and the payload everywhere.
    Signatures go, as they cannot hold. Raises PolicyError listing the faults of a wheel that lies
    (``check_wheel``, and each digest of its RECORD), BackendError where it cannot be read.
    """
    tag = build_tag or (0, "")
    path = destination / finished_name(built.name, tag)
    part = path.with_suffix(".part")
    try:
        with zipfile.ZipFile(built) as source:
            check_opened(source, built.name, wanted)
            replaced = _replaced(source, built.name, tag, added)
            contents = _rewrite(source, part, replaced, zip_time(epoch), built.stat().st_size)
        with zipfile.ZipFile(part) as finished:
            facts = check_opened(finished, path.name, wanted)
        part.replace(path)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise BackendError(f"{built.name} cannot be read: {error}", "look at what the backend wrote") from error
    finally:
        part.unlink(missing_ok=True)
    return FinishedWheel(path, _sha256(path), path.stat().st_size, payload_of(contents), facts)


def finished_name(file_name: str, build_tag: BuildTag) -> str:
    """The file name with this build tag in place of any it had; name and version stay verbatim."""
    parts = file_name.split("-")
    return "-".join((*parts[:2], build_tag_text(build_tag), *parts[-3:]))


def _replaced(
    source: zipfile.ZipFile, file_name: str, build_tag: BuildTag, added: Mapping[str, bytes]
) -> dict[str, bytes]:
    """The members that the finished wheel does not take over: WHEEL with its build tag, and the added."""
    folder = dist_info_folder(file_name, source.namelist())
    lines = source.read(f"{folder}/WHEEL").replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"
    text = _BUILD_LINE.sub(b"", lines) + f"Build: {build_tag_text(build_tag)}\n".encode()
    return {f"{folder}/WHEEL": text, **{f"{folder}/{name}": data for name, data in added.items()}}


def _rewrite(
    source: zipfile.ZipFile, path: Path, replaced: Mapping[str, bytes], epoch: int, archive_size: int
) -> list[Content]:
    """The finished wheel is written; what it holds. Raises PolicyError where RECORD lied."""
    folder = next(iter(replaced)).split("/")[0]
    record = f"{folder}/RECORD"
    dropped = {record, *(f"{folder}/{name}" for name in SIGNATURES)}
    listed = {entry.name: entry.digest for entry in read_record(source.read(record))}
    infos = {info.filename: info for info in source.infolist() if not info.is_dir()}
    kept = infos.keys() - replaced.keys() - dropped
    meter, faults = Meter(ExtractLimits(), archive_size), list[str]()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as sink:
        contents = []
        for name in sorted({*kept, *replaced}, key=lambda name: (name.startswith(f"{folder}/"), name.encode())):
            if name in replaced:
                contents.append(_add(sink, name, [replaced[name]], len(replaced[name]), epoch))
                continue
            info = infos[name]
            meter.add(info.file_size, name)
            chunks = verified(chunks_of(source, info), name, listed[name], faults)
            contents.append(_add(sink, name, chunks, info.file_size, epoch, executable=is_executable(info)))
        data = write_record([*(_entry(content) for content in contents), RecordEntry(record, "", None)])
        contents.append(_add(sink, record, [data], len(data), epoch))
    if faults:
        raise PolicyError(f"{path.stem}.whl: " + "; ".join(faults), "report it to the maintainers of the build backend")
    return contents


def _entry(content: Content) -> RecordEntry:
    return RecordEntry(content.name, record_digest(content.sha256), content.size)


def _add(
    sink: zipfile.ZipFile, name: str, chunks: Iterable[bytes], size: int, epoch: int, *, executable: bool = False
) -> Content:
    """The member stands in the sink. size: what is announced, to choose the zip64 form."""
    member = zipfile.ZipInfo(name, datetime.fromtimestamp(epoch, UTC).timetuple()[:6])
    member.compress_type = zipfile.ZIP_DEFLATED
    member.create_system = _UNIX
    member.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
    member.file_size = size
    hashed, written = hashlib.sha256(), 0
    with sink.open(member, "w") as opened:
        for chunk in chunks:
            hashed.update(chunk)
            written += opened.write(chunk)
    return Content(name, executable, hashed.digest(), written)


def _sha256(path: Path) -> Sha256:
    with path.open("rb") as opened:
        return Sha256(hashlib.file_digest(opened, "sha256").hexdigest())
