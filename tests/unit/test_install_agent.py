import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy" / "install-agent"
PLACES = (Path("/opt/wheelfleet"), Path("/etc/wheelfleet"))


def said(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def credential(tmp_path):
    path = tmp_path / "b1.json"
    path.write_text('{\n  "actor": "agent-b1",\n  "nkey_seed": "SU-SECRET"\n}\n')
    return path


@pytest.mark.skipif(not (shutil.which("apt-get") or shutil.which("dnf")), reason="for Debian and Fedora")
def test_a_dry_run_says_each_step_and_changes_nothing(credential):
    before = [place.exists() for place in PLACES]
    done = said("--dry-run", "--slots", "3", "--interpreter", "/usr/bin/python3.12", credential)
    assert done.returncode == 0, done.stderr
    assert [f"{step}/6" in done.stderr for step in range(1, 7)] == [True] * 6
    assert '"slots": 3, "interpreters": ["/usr/bin/python3.12"]' in done.stdout
    assert "nothing was changed" in done.stderr
    assert "SU-SECRET" not in done.stdout + done.stderr
    assert [place.exists() for place in PLACES] == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "name the credential file"),
        (("/no/such",), "cannot be read"),
        (("--slots",), "--slots needs a value"),
        (("--slots", "x", "CREDENTIAL"), "wants a number"),
        (("--what",), "there is no option --what"),
        (("CREDENTIAL", "again"), "one credential"),
    ],
)
def test_mistakes_are_named_before_anything_is_done(credential, arguments, words):
    done = said("--dry-run", *(credential if word == "CREDENTIAL" else word for word in arguments))
    assert done.returncode == 2
    assert words in done.stderr
    assert "1/6" not in done.stderr


def test_a_credential_of_somebody_else_is_refused(tmp_path):
    (tmp_path / "ann.json").write_text('{"actor": "operator-ann"}')
    assert "no credential of an agent" in said("--dry-run", tmp_path / "ann.json").stderr


def test_help_comes_from_its_head():
    assert "--dry-run" in said("--help").stdout
