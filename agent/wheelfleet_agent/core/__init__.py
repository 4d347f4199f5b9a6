"""What an agent does to sources and wheels, as pure functions over bytes and folders."""
