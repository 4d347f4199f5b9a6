"""Implementations of the ports: the real one and one in memory for each."""
