"""Record: what is kept of a fleet."""
