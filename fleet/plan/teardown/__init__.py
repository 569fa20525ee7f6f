"""Teardown: what is released, and the receipt."""
