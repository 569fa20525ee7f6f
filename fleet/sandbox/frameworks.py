"""The framework that an image comes with: a stand-in, for the real one takes 6 GB of each host.

It imports, tells its version and counts the GPUs of nvidia-smi. It computes nothing, and says so.
"""

from __future__ import annotations

import re

from fleet.sandbox.driver import Framework

_NAMED = re.compile(r"\b(PyTorch|TensorFlow) (\d+\.\d+)")
_COUNT = """\
import subprocess as _subprocess


def _gpus():
    try:
        said = _subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        return []
    return [line for line in said.stdout.splitlines() if line.startswith("GPU ")]


def __getattr__(name):
    raise AttributeError(
        f"{name}: this is the sandbox's stand-in for {__name__}, which computes nothing; "
        "an instance of EC2 has the real one"
    )
"""
_MODULES = {
    "pytorch": ("torch", '''\


class cuda:
    @staticmethod
    def is_available():
        return bool(_gpus())

    @staticmethod
    def device_count():
        return len(_gpus())

    @staticmethod
    def get_device_name(device=0):
        return _gpus()[device].split(": ", 1)[1].split(" (UUID")[0]
'''),
    "tensorflow": ("tensorflow", '''\


class config:
    @staticmethod
    def list_physical_devices(device_type=None):
        return [f"/physical_device:GPU:{at}" for at, _ in enumerate(_gpus())] if device_type == "GPU" else []
'''),
}  # fmt: skip


def framework_of(image_name: str) -> Framework | None:
    """The framework that an image's name promises."""
    found = _NAMED.search(image_name)
    return Framework(found[1].lower(), f"{found[2]}.0") if found else None


def environment_texts(framework: Framework, *, python: str) -> dict[str, str]:
    """The files of a virtual environment with the framework, by their paths in it; it lacks `bin/python` alone.

    `python` is the interpreter that it links to, as the host names it and with its version: /usr/bin/python3.12.
    """
    module, text = _MODULES[framework.name]
    home, _, name = python.rpartition("/")
    return {
        "pyvenv.cfg": f"home = {home}\nversion = {name.removeprefix('python')}\n",
        f"lib/{name}/site-packages/{module}/__init__.py": f'__version__ = "{framework.version}"\n{_COUNT}{text}',
    }
