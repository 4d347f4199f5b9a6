"""The one module of a distribution that brings its own backend."""

ANSWER = 42
