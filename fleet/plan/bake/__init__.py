"""Bake: custom images."""
