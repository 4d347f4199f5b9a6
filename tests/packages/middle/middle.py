"""The one module of middle."""

VALUE = "middle"
