"""What runs in the child process that a plugin is called in, and what it may import there."""
