"""The one module of tool."""

VALUE = "tool"
