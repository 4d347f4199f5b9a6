"""The agent: claims builds and makes the wheels on one build machine."""
