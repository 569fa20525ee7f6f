"""Lifetime: expiry, extension, watch."""
