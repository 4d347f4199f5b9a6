"""The one module of asked-for."""

VALUE = "asked-for"
