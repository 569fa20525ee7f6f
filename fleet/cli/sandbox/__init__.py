"""Sandbox: the local EC2 simulator."""
