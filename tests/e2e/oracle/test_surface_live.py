"""What fromager lets its users name is what was recorded of it."""

import json
import subprocess
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("surface_program.py")
RECORD = Path(__file__).parents[2] / "fromager_surface.json"


@pytest.mark.long
def test_commands_options_settings_and_plugin_points_are_as_recorded(fromager, say):
    done = subprocess.run([fromager.bin / "python", PROGRAM], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))
    RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    assert found == recorded, "fromager has changed: the record is written anew, look at its difference"
    say(f"{len(found['commands'])} commands, {len(found['settings/NAME.yaml'])} keys: as recorded")
