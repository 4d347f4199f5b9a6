"""The one module of extra-leaf."""

VALUE = "extra-leaf"
