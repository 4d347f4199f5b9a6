"""The language coordinator and agents share: events, identities, rules, ports and their adapters."""
