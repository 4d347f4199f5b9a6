"""``python -m wheelfleet_agent`` is the ``wheelfleet-agent`` command."""

from .cli import main

main()
