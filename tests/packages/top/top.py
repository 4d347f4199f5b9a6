"""The one module of top."""

VALUE = "top"
