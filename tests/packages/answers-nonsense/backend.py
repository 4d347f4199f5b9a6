"""A backend whose answers are traps for whoever reads them; $TRAP says which."""

import os
from pathlib import Path


def get_requires_for_build_wheel(config_settings=None):
    return {"number": 5, "invalid": ["not a requirement!"], "list": [["nested"]]}[os.environ["TRAP"]]


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = "answers_nonsense-1.0-py3-none-any.whl"
    wheel = Path(wheel_directory, name)
    trap = os.environ["TRAP"]
    if trap == "link":
        wheel.symlink_to("/etc/passwd")
    elif trap == "pipe":
        os.mkfifo(wheel)
    elif trap == "linked folder":
        elsewhere = Path(wheel_directory).with_name("elsewhere")
        elsewhere.mkdir()
        (elsewhere / name).write_text("wheel")
        Path(wheel_directory).rmdir()
        Path(wheel_directory).symlink_to(elsewhere)
    elif trap == "escape":
        return f"../{name}"
    elif trap == "no answer":
        os._exit(0)
    return name
