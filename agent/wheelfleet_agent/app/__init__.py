"""The running agent: ask, claim, build, report."""
