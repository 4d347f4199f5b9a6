"""The one module of asks-hooks."""

VALUE = "asks-hooks"
