"""A backend that writes beside its folders, into $OUTSIDE, and reads $CANARY; answers what it could do."""

import os
from pathlib import Path


def get_requires_for_build_wheel(config_settings=None):
    done = []
    for number, folder in enumerate((os.environ["OUTSIDE"], "/usr", "/environment", "/toolchain", "/")):
        try:
            Path(folder, "was-here").write_text("was here")
            done.append(f"wrote-{number}")
        except OSError:
            continue
    if "WHEELFLEET_CANARY" in os.environ:
        done.append("saw-variable")
    try:
        Path(os.environ["CANARY"]).read_text()
        done.append("read-file")
    except OSError:
        pass
    return done
