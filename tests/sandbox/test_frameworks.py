"""What the sandbox's images have for a framework."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fleet.sandbox.driver import Framework
from fleet.sandbox.frameworks import environment_texts, framework_of
from fleet.sandbox.hosts.disk import base_python

ASK = {
    "pytorch": "import torch as it; print(it.__version__, it.cuda.is_available(), it.cuda.device_count())",
    "tensorflow": "import tensorflow as it; print(it.__version__, it.config.list_physical_devices('GPU'))",
}
TOLD = {
    "pytorch": {2: "2.9.0 True 2", 0: "2.9.0 False 0"},
    "tensorflow": {2: "2.9.0 ['/physical_device:GPU:0', '/physical_device:GPU:1']", 0: "2.9.0 []"},
}


def environment(folder: Path, name: str) -> Path:
    for path, text in environment_texts(Framework(name, "2.9.0"), python=base_python()).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / "bin").mkdir()
    (folder / "bin/python").symlink_to(base_python())
    return folder / "bin/python"


def run(python: Path, program: str, *, path: Path) -> subprocess.CompletedProcess[str]:
    words = [str(python), "-I", "-c", program]
    found = {**os.environ, "PATH": str(path)}
    return subprocess.run(words, env=found, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", ASK)
@pytest.mark.parametrize("gpus", [2, 0])
def test_it_imports_and_counts_the_gpus(name: str, gpus: int, tmp_path: Path) -> None:
    python = environment(tmp_path / "there", name)
    if gpus:
        nvidia = tmp_path / "nvidia-smi"
        nvidia.write_text(
            '#!/bin/sh\nfor at in 0 1; do echo "GPU $at: NVIDIA A10G (UUID: x)"; done\n'
        )
        nvidia.chmod(0o755)
    assert run(python, ASK[name], path=tmp_path).stdout.strip() == TOLD[name][gpus]


def test_what_it_cannot_do_it_says(tmp_path: Path) -> None:
    python = environment(tmp_path / "there", "pytorch")
    done = run(python, "import torch; torch.zeros(3)", path=tmp_path)
    assert "zeros: this is the sandbox's stand-in for torch, which computes nothing" in done.stderr


@pytest.mark.parametrize(
    ("image", "framework"),
    [
        (
            "Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.7 (Ubuntu 22.04) 20250602",
            Framework("pytorch", "2.7.0"),
        ),
        (
            "Deep Learning OSS Nvidia Driver AMI GPU TensorFlow 2.18 (Amazon Linux 2023) 20250601",
            Framework("tensorflow", "2.18.0"),
        ),
        ("Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 24.04) 20250601", None),
    ],
)
def test_the_name_of_an_image_says_what_it_has(image: str, framework: Framework | None) -> None:
    assert framework_of(image) == framework
