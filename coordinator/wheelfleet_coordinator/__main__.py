"""``python -m wheelfleet_coordinator`` is the ``wheelfleet`` command."""

from .cli.main import main

main()
