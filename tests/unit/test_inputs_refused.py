"""What is refused before anything is read or queued."""

import pytest
from typer.testing import CliRunner

from wheelfleet_coordinator.cli.inputs import require_no_credentials, require_url
from wheelfleet_coordinator.cli.main import app
from wheelfleet_shared.errors import InputError


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
