"""The one module of leaf."""

VALUE = "leaf"
