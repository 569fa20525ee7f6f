"""Asks nvidia-smi how busy the GPUs are."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from rules import Finding

_BUSY_PERCENT = 5
_SECONDS = 18.0  # without the persistence daemon the driver wakes each GPU first
_NO_GPU = (6, 9)  # nvidia-smi's exit statuses: no device found, driver not loaded
_NVIDIA = "0x10de"


def look() -> Finding:
    """One look at all GPUs. An image with the driver on an instance without a GPU has none."""
    if shutil.which("nvidia-smi") is None:
        return Finding("quiet", "no GPU")
    done = subprocess.run(
        ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode in _NO_GPU and not _is_built_in():
        return Finding("quiet", "no GPU")
    if done.returncode:
        return Finding("unknown", f"GPU: nvidia-smi failed with exit status {done.returncode}")
    used = [line.strip() for line in done.stdout.splitlines()]
    if not used or not all(line.isdigit() for line in used):
        return Finding("unknown", "GPU: nvidia-smi gives no utilization")  # so it is with MIG
    most = max(map(int, used))
    return Finding("busy" if most >= _BUSY_PERCENT else "quiet", f"GPU {most} %")


def _is_built_in() -> bool:
    vendors = Path("/sys/bus/pci/devices").glob("*/vendor")
    return any(vendor.read_text().strip() == _NVIDIA for vendor in vendors)
