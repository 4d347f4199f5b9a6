"""The coordinator: decides, resolves, fetches, offers, publishes; and the command line to queue and watch."""
