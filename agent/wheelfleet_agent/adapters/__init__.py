"""How an agent reaches its host: sandbox, environments, hooks, transfers."""
