"""A PEP 517 backend without requirements, which notes each hook call in $HOOK_CALLS where that is set."""

import os
import zipfile
from pathlib import Path

NAME, VERSION = "inhouse_backend", "1.0"
DIST_INFO = f"{NAME}-{VERSION}.dist-info"
METADATA = f"Metadata-Version: 2.1\nName: inhouse-backend\nVersion: {VERSION}\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: inhouse\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def _note(hook, config_settings):
    calls = os.environ.get("HOOK_CALLS")
    if calls:
        with Path(calls).open("a") as stream:
            stream.write(f"{hook} {sorted((config_settings or {}).items())}\n")


def get_requires_for_build_wheel(config_settings=None):
    _note("get_requires_for_build_wheel", config_settings)
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    _note("prepare_metadata_for_build_wheel", config_settings)
    folder = Path(metadata_directory, DIST_INFO)
    folder.mkdir()
    (folder / "METADATA").write_text(METADATA)
    (folder / "WHEEL").write_text(WHEEL)
    return DIST_INFO


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    _note("build_wheel", config_settings)
    name = f"{NAME}-{VERSION}-py3-none-any.whl"
    members = {
        "inhouse.py": Path("inhouse.py").read_text(),
        f"{DIST_INFO}/METADATA": METADATA,
        f"{DIST_INFO}/WHEEL": WHEEL,
    }
    record = "".join(f"{member},,\n" for member in (*members, f"{DIST_INFO}/RECORD"))
    with zipfile.ZipFile(Path(wheel_directory, name), "w") as wheel:
        for member, text in {**members, f"{DIST_INFO}/RECORD": record}.items():
            wheel.writestr(zipfile.ZipInfo(member, (1980, 1, 1, 0, 0, 0)), text)
    print("built", name)
    return name
