"""EC2 on moto's models: launches that respect capacity and quota, hosts that boot, the real images
and types.

Everything here imports moto; only `wiring.py` imports this package, when a `Cloud` is made.
"""
