"""How the coordinator reaches package indexes, servers and the file system."""
