"""What the coordinator decides, as pure functions and folds."""
