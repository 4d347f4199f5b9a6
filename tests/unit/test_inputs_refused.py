"""What is refused before anything is read or queued."""

import pytest
from typer.testing import CliRunner

from wheelfleet_coordinator.cli.inputs import require_no_credentials, require_url
from wheelfleet_coordinator.cli.main import app
from wheelfleet_coordinator.cli.submission import require_room
from wheelfleet_shared.core import events as e
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import IndexName, RunId, TargetId


@pytest.mark.parametrize("option", ["--as-of", "--previous-bootstrap-file"])
def test_an_option_that_is_given_is_not_empty(option: str) -> None:
    """Of ``--as-of "$UNSET"`` nothing would be held back."""
    said = CliRunner().invoke(app, ["bootstrap", option, "", "leaf"])
    assert said.exit_code == 2
    assert "it is empty" in said.output


def test_credentials_go_with_no_run_and_are_not_repeated() -> None:
    """Coordinators never see them, so the run would end with 401."""
    with pytest.raises(InputError) as caught:
        require_no_credentials("https://ann:s3cret@h.example/simple", "--index-url")
    assert "s3cret" not in str(caught.value)
    with pytest.raises(InputError, match="credentials"):
        require_url("https://ann:s3cret@h.example/simple")


def test_more_requirements_than_one_event_holds_are_refused() -> None:
    def submitted(count: int) -> e.RunSubmitted:
        requirements = tuple(f"dist{number}==1.0" for number in range(count))
        return e.RunSubmitted(RunId("r"), IndexName("main", "cpu"), (TargetId("t"),), requirements)

    require_room(submitted(5_000))
    with pytest.raises(InputError, match="20000 requirements are too many"):
        require_room(submitted(20_000))
