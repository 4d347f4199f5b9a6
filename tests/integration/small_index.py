"""A folder that is a package index of tiny distributions, each with a backend of its own and no tools to install."""

import io
import tarfile
from pathlib import Path
from typing import NamedTuple

_PYPROJECT = """
[build-system]
requires = {build}
build-backend = "backend"
backend-path = ["."]
"""
_BACKEND = """
import base64, hashlib, zipfile
NAME, VERSION, INSTALL, FAILS = {name!r}, "1.0", {install!r}, {fails!r}

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    if FAILS:
        print("looking for the one thing that is needed")
        raise SystemExit("error: it is not there")
    info = f"{{NAME}}-{{VERSION}}.dist-info"
    metadata = f"Metadata-Version: 2.1\\nName: {{NAME}}\\nVersion: {{VERSION}}\\n"
    metadata += "".join(f"Requires-Dist: {{text}}\\n" for text in INSTALL)
    wheel = "Wheel-Version: 1.0\\nGenerator: tiny\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    members = {{f"{{NAME}}.py": "VALUE = 1\\n", f"{{info}}/METADATA": metadata, f"{{info}}/WHEEL": wheel}}
    record = ""
    for member, text in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{{member}},sha256={{digest}},{{len(text.encode())}}\\n"
    members[f"{{info}}/RECORD"] = record + f"{{info}}/RECORD,,\\n"
    file_name = f"{{NAME}}-{{VERSION}}-py3-none-any.whl"
    with zipfile.ZipFile(f"{{wheel_directory}}/{{file_name}}", "w") as out:
        for member, text in members.items():
            out.writestr(member, text)
    return file_name
"""


class Tiny(NamedTuple):
    """A distribution at version 1.0: what its build and its users need, and whether building it fails."""

    name: str
    build: tuple[str, ...] = ()
    install: tuple[str, ...] = ()
    fails: bool = False


def write_index(folder: Path, distributions: list[Tiny]) -> str:
    """The URL of an index with the sdists of these distributions."""
    for tiny in distributions:
        project = folder / tiny.name
        project.mkdir(parents=True)
        file_name = f"{tiny.name}-1.0.tar.gz"
        (project / file_name).write_bytes(_sdist(tiny))
        (project / "index.html").write_text(
            f'<!DOCTYPE html><html><body><a href="{file_name}">{file_name}</a></body></html>'
        )
    return folder.as_uri() + "/"


def _sdist(tiny: Tiny) -> bytes:
    root = f"{tiny.name}-1.0"
    members = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {tiny.name}\nVersion: 1.0\n",
        "pyproject.toml": _PYPROJECT.format(build=list(tiny.build)),
        "backend.py": _BACKEND.format(name=tiny.name, install=tiny.install, fails=tiny.fails),
    }
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for member, text in members.items():
            info = tarfile.TarInfo(f"{root}/{member}")
            info.size = len(text.encode())
            info.mtime = 1_600_000_000
            archive.addfile(info, io.BytesIO(text.encode()))
    return stream.getvalue()
