"""The running coordinator: recorded events in, decisions and effects out."""
