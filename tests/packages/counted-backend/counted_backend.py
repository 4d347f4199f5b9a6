"""A PEP 517 backend that tells of each call of a hook, for sources that say in pyproject.toml what it shall do.

Each call prints one line, which ends in the log of the build. Where the source holds a file ``CALLS``, the same line is
appended to the file that this names: it counts calls whose log was lost with the agent, but only without a sandbox.
"""

import base64
import hashlib
import os
import subprocess
import sysconfig
import tomllib
import zipfile
from pathlib import Path

MARK = "hook called:"


def get_requires_for_build_wheel(config_settings=None):
    _tell("get_requires_for_build_wheel")
    return _wishes().get("hook-requires", [])


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    _tell("build_wheel")
    members = {path.name: path.read_bytes() for path in sorted(Path().glob("*.py"))}
    members |= {name: data for source in sorted(Path().glob("*.c")) for name, data in [_compiled(source)]}
    native = any(name.endswith(".so") for name in members)
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_") if native else "any"
    return _write_wheel(Path(wheel_directory), members, f"py3-none-{platform}", pure=not native)


def _project():
    return tomllib.loads(Path("pyproject.toml").read_text())["project"]


def _wishes():
    return tomllib.loads(Path("pyproject.toml").read_text()).get("tool", {}).get("counted", {})


def _tell(hook):
    line = f"{MARK} {hook} of {_project()['name']}"
    print(line, flush=True)
    try:
        with Path(Path("CALLS").read_text()).open("a") as calls:
            calls.write(f"{line}\n")
    except OSError:
        return


def _compiled(source):
    target = Path(f"{source.stem}.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(target), source.name], check=True)
    return target.name, target.read_bytes()


def _write_wheel(folder, members, tag, *, pure):
    project = _project()
    name, info = (
        project["name"].replace("-", "_"),
        f"{project['name'].replace('-', '_')}-{project['version']}.dist-info",
    )
    wheel = f"Wheel-Version: 1.0\nGenerator: counted\nRoot-Is-Purelib: {str(pure).lower()}\nTag: {tag}\n"
    members = members | {f"{info}/METADATA": _metadata(project).encode(), f"{info}/WHEEL": wheel.encode()}
    record = "".join(f"{member},sha256={_digest(data)},{len(data)}\n" for member, data in members.items())
    members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    file_name = f"{name}-{project['version']}-{tag}.whl"
    epoch = int(os.environ["SOURCE_DATE_EPOCH"])
    with zipfile.ZipFile(folder / file_name, "w") as out:
        for member, data in members.items():
            out.writestr(zipfile.ZipInfo(member, _stamp(epoch)), data)
    return file_name


def _stamp(epoch):
    import time

    return max(time.gmtime(epoch)[:6], (1980, 1, 1, 0, 0, 0))


def _digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _metadata(project):
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}"]
    lines += [f"Requires-Dist: {text}" for text in project.get("dependencies", [])]
    for extra, texts in project.get("optional-dependencies", {}).items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f'Requires-Dist: {text}; extra == "{extra}"' for text in texts]
    return "\n".join(lines) + "\n"
