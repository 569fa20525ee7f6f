"""The container driver: hosts with real systemd, real cloud-init and real sshd on port 22. Needs root.

A host is a systemd-nspawn container over an overlay of a cached base tree, in a network namespace
with an address of its own. The daemon lives in a mount namespace of its own, in which all mounts
and names of namespaces are made: they go with the last process in it, whatever ended it.
"""
