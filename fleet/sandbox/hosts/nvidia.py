"""`nvidia-smi` of one host: exactly the GPUs that its instance type has, with the load that a file of the host tells.

`echo 87 | sudo tee /etc/gpu-load` makes them 87 % busy, and `echo lost` has them fall off the bus.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.sandbox.hosts.commands import Answer, Reply, Request

if TYPE_CHECKING:
    from fleet.sandbox.driver import Gpu

_DRIVER = "570.133.20"
_CUDA = "12.8"
_NO_DEVICES = 6
_LOST = 15
_LOAD = "etc/gpu-load"
_CAPABILITIES = {
    "H200": "9.0",
    "H100": "9.0",
    "B200": "10.0",
    "L40S": "8.9",
    "L4": "8.9",
    "A10G": "8.6",
}
_CAPABILITIES |= {
    "A100": "8.0",
    "T4": "7.5",
    "T4g": "7.5",
    "V100": "7.0",
    "M60": "5.2",
    "K80": "3.7",
}
_UNITS = {"memory": " MiB", "utilization": " %", "temperature": "", "power": " W"}


def load_below(root: Path) -> str:
    """What a host's file of the load says, by the folder that is its root; "0" without one."""
    try:
        return (root / _LOAD).read_text().strip()
    except OSError:
        return "0"


class NvidiaSmi:
    """The GPUs of one host. `load` is their utilization in percent; what is no number has them lost."""

    def __init__(self, instance_id: str, gpus: tuple[Gpu, ...], load: str = "0") -> None:
        self._gpus = gpus
        self._load = load
        space = uuid.uuid5(uuid.NAMESPACE_DNS, instance_id)
        self._ids = [f"GPU-{uuid.uuid5(space, str(index))}" for index in range(len(gpus))]

    def answer(self, request: Request) -> Answer:
        """One call of nvidia-smi."""
        if not self._gpus:
            return Reply(code=_NO_DEVICES, out="No devices were found\n")
        if not self._load.isdigit():
            where = "Unable to determine the device handle for GPU 0000:00:1E.0"
            return Reply(code=_LOST, out=f"{where}: Unknown Error\n")
        chosen = _option(request.arguments, "-i", "--id")
        indexes = (
            [int(chosen)] if chosen.isdigit() and int(chosen) < len(self._gpus) else self._all()
        )
        query = _option(request.arguments, "--query-gpu")
        if query:
            return self._query(query.split(","), indexes, _option(request.arguments, "--format"))
        if _option(request.arguments, "--query-compute-apps"):
            return Reply()
        if {"-L", "--list-gpus"} & set(request.arguments):
            lines = (f"GPU {at}: {self._gpus[at].name} (UUID: {self._ids[at]})\n" for at in indexes)
            return Reply(out="".join(lines))
        return Reply(out=self._table(indexes))

    def _all(self) -> list[int]:
        return list(range(len(self._gpus)))

    def _field(self, name: str, index: int) -> str | None:
        gpu = self._gpus[index]
        model = next(
            (key for key in _CAPABILITIES if key in gpu.name.replace("-", " ").split()), ""
        )
        fields: dict[str, Callable[[], str]] = {
            "index": lambda: str(index),
            "name": lambda: gpu.name,
            "gpu_name": lambda: gpu.name,
            "uuid": lambda: self._ids[index],
            "gpu_uuid": lambda: self._ids[index],
            "count": lambda: str(len(self._gpus)),
            "driver_version": lambda: _DRIVER,
            "compute_cap": lambda: _CAPABILITIES.get(model, "8.0"),
            "memory.total": lambda: str(gpu.memory_mib),
            "memory.used": lambda: "0",
            "memory.free": lambda: str(gpu.memory_mib),
            "utilization.gpu": lambda: self._load,
            "utilization.memory": lambda: "0",
            "temperature.gpu": lambda: "30",
            "power.draw": lambda: "10.00",
            "pstate": lambda: "P8",
        }
        return fields[name]() if name in fields else None

    def _query(self, names: list[str], indexes: list[int], form: str) -> Reply:
        names, flags = [name.strip() for name in names], form.split(",")
        for name in names:
            if self._field(name, 0) is None:
                return Reply(code=2, out=f'Field "{name}" is not a valid field to query.\n\n')
        units = {
            name: "" if "nounits" in flags else _UNITS.get(name.split(".")[0], "") for name in names
        }
        lines = [
            ", ".join(f"{self._field(name, at)}{units[name]}" for name in names) for at in indexes
        ]
        if "noheader" not in flags:
            heads = (f"{name} [{units[name].strip()}]" if units[name] else name for name in names)
            lines.insert(0, ", ".join(heads))
        return Reply(out="".join(f"{line}\n" for line in lines))

    def _table(self, indexes: list[int]) -> str:
        rule = "+" + "-" * 77 + "+\n"
        head = (
            f"| NVIDIA-SMI {_DRIVER:<18} Driver Version: {_DRIVER:<14} CUDA Version: {_CUDA:<8} |\n"
        )
        rows = (
            f"| {at:>3}  {self._gpus[at].name:<31} {0:>7}MiB / {self._gpus[at].memory_mib:>6}MiB "
            f"{self._load:>6}%      Default |\n"
            for at in indexes
        )
        none = f"| {'No running processes found':<75} |\n"
        return rule + head + rule + "".join(rows) + rule + "\n" + rule + none + rule


def _option(arguments: tuple[str, ...], *names: str) -> str:
    """The value of an option, in either form, or an empty string."""
    for at, word in enumerate(arguments):
        option, equals, value = word.partition("=")
        if option in names:
            return value if equals else "".join(arguments[at + 1 : at + 2])
    return ""
