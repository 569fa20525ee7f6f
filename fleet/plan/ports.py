"""The ports of an environment: the only ones that its security group opens."""

from __future__ import annotations

SSH_PORT = 22
TENSORBOARD_PORT = 6006
JUPYTER_PORT = 8888
TENSORBOARD_PATH = "/tensorboard/"
"""Where TensorBoard's page is on its port."""
PORTS = (SSH_PORT, TENSORBOARD_PORT, JUPYTER_PORT)
