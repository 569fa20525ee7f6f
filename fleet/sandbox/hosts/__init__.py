"""Hosts that really boot, for the sandbox's cloud: an SSH server, a home, units and their journal.

`process` is the driver for any Linux user; a host is a small tree of processes and a folder.
"""
