"""The one module of extra-user."""

VALUE = "extra-user"
