"""The ``wheelfleet`` command."""
