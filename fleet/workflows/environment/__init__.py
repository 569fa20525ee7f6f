"""Environment: one person's instance with its services."""
