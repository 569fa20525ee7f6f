"""Hardware: instance types, quotas, prices."""
