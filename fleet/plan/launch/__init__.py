"""Launch: from a plan to instances."""
