"""The sandbox's VPC: one network namespace with a bridge, and one more for each host.

The machine reaches hosts over one veth; hosts reach the metadata service and the package index at
the bridge, and nothing else: no route leads out, no host begins a connection to the machine or to
another host, as no rule of a fleet's security group lets it in. An address that no host has is
silent, as on EC2: neither refused nor unreachable.
"""

from __future__ import annotations

import ctypes
import ipaddress
import json
import os
import socket
import threading
from pathlib import Path

from fleet.errors import SandboxError
from fleet.sandbox.addresses import hold
from fleet.sandbox.containers.links import RULES, WHOLE, Ends, Link, without
from fleet.sandbox.containers.programs import run

METADATA = "169.254.169.254"
PACKAGES_PORT = 3141
"""Where the package index listens, at the gateway."""
_NAMESPACES = Path("/run/netns")
_VPC = "vpc"
_BLOCKS = range(77, 128)
_NEWNET = 0x40000000


class Vpc:
    """A network 10.K.0.0/16. Must be made in a mount namespace of the daemon's own."""

    def __init__(self) -> None:
        self._holder, block = _reserve()
        self.network = f"10.{block}.0.0/16"
        self.gateway = f"10.{block}.0.1"
        self._uplink = f"fleet-{block}"
        hosts = ipaddress.ip_network(self.network).hosts()
        next(hosts)  # the gateway
        self._hosts, self._lock = hosts, threading.Lock()
        self._machine = f"10.{block}.255.254"
        self._make()

    def __call__(self) -> str:
        """The next address; none is given twice. The machine knows its hardware address for good."""
        with self._lock:
            address = str(next(self._hosts))
        if address == self._machine:
            raise SandboxError(
                f"all addresses of {self.network} have been given away",
                remedy="run `fleet sandbox stop`, then start it again",
            )
        words = (address, "lladdr", _hardware(address), "dev", self._uplink, "nud", "permanent")
        run("ip", "neigh", "replace", *words)
        return address

    def listen(self, address: str, port: int) -> socket.socket:
        """A listening socket inside the VPC, for a server in this process."""
        made: list[socket.socket] = []

        def within() -> None:
            _enter(_VPC)
            made.append(socket.create_server((address, port), backlog=128))

        # A thread has a namespace of its own, and this one ends with it.
        thread = threading.Thread(target=within, name="vpc")
        thread.start()
        thread.join()
        if not made:
            raise SandboxError(f"{address}:{port} cannot be listened on", remedy="")
        return made[0]

    # -- hosts --------------------------------------------------------------------------------

    def plug(self, address: str) -> Path:
        """A new namespace for the host of that address; gives its path."""
        space, port = _space(address), _port(address)
        self.unplug(address)
        run("ip", "netns", "add", space)
        peer = ("peer", "name", port, "netns", _VPC)
        run(
            "ip",
            "-n",
            space,
            "link",
            "add",
            "host0",
            "address",
            _hardware(address),
            "type",
            "veth",
            *peer,
        )
        run("ip", "-n", _VPC, "link", "set", port, "master", "br0", "up")
        run("ip", "-n", space, "addr", "add", f"{address}/16", "dev", "host0")
        run("ip", "-n", space, "link", "set", "lo", "up")
        run("ip", "-n", space, "link", "set", "host0", "up")
        run("ip", "-n", space, "route", "add", "default", "via", self.gateway)
        return _NAMESPACES / space

    def unplug(self, address: str) -> None:
        """The host is gone: its address is silent."""
        space = _space(address)
        if (_NAMESPACES / space).exists():
            self._ends(address).set(WHOLE)
            without("ip", "-n", _VPC, "link", "del", _port(address))
            run("ip", "netns", "del", space)

    def link(self, address: str, link: Link) -> None:
        """Make the host's link so; an address without a host has none."""
        if (_NAMESPACES / _space(address)).exists():
            self._ends(address).set(link)

    def close(self) -> None:
        """Take everything away, and give the block back."""
        for each in sorted(_NAMESPACES.iterdir()):
            without("ip", "netns", "del", each.name)
        without("ip", "link", "del", self._uplink)
        self._holder.close()

    # -- inside -------------------------------------------------------------------------------

    def _make(self) -> None:
        _NAMESPACES.mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "fleet", str(_NAMESPACES))
        run("ip", "netns", "add", _VPC)
        run("ip", "-n", _VPC, "link", "set", "lo", "up")
        # An address of its own: else it changes with the hosts that come and go, and those that stay do not hear of it.
        hardware = ("address", _hardware(self.gateway))
        run("ip", "-n", _VPC, "link", "add", "br0", *hardware, "type", "bridge")
        run("ip", "-n", _VPC, "addr", "add", f"{self.gateway}/16", "dev", "br0")
        run("ip", "-n", _VPC, "addr", "add", f"{METADATA}/32", "dev", "lo")
        run("ip", "-n", _VPC, "link", "set", "br0", "up")
        run(
            "ip",
            "link",
            "add",
            self._uplink,
            "type",
            "veth",
            "peer",
            "name",
            "uplink",
            "netns",
            _VPC,
        )
        run("ip", "-n", _VPC, "link", "set", "uplink", "master", "br0", "up")
        run("ip", "addr", "add", f"{self._machine}/16", "dev", self._uplink)
        run("ip", "link", "set", self._uplink, "up")
        rules = RULES.replace("PORT", str(PACKAGES_PORT))
        run("ip", "netns", "exec", _VPC, "nft", "-f", "-", given=rules)

    @staticmethod
    def _ends(address: str) -> Ends:
        return Ends(_VPC, _port(address), _space(address))


def _tail(address: str) -> str:
    third, fourth = address.split(".")[2:]
    return f"{third}-{fourth}"


def _space(address: str) -> str:
    return f"host-{_tail(address)}"


def _port(address: str) -> str:
    """The host's end at the bridge: `h-0-2`."""
    return f"h-{_tail(address)}"


def _hardware(address: str) -> str:
    return "02:fe:" + ":".join(f"{int(part):02x}" for part in address.split("."))


def hardware_address(address: str) -> str:
    """The MAC address of the host with that address."""
    return _hardware(address)


def _enter(space: str) -> None:
    """This thread goes into a network namespace. (os.setns is Python 3.12's.)"""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.open(_NAMESPACES / space, os.O_RDONLY)
    try:
        if libc.setns(fd, _NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(fd)


def _reserve() -> tuple[socket.socket, int]:
    """A block 10.K that no other sandbox holds, and that the machine has no route into."""
    taken = _routes()
    for block in _BLOCKS:
        network = ipaddress.ip_network(f"10.{block}.0.0/16")
        if any(network.overlaps(route) for route in taken):
            continue
        if holder := hold(f"10.{block}"):
            return holder, block
    raise SandboxError(
        f"every network from 10.{_BLOCKS[0]}.0.0/16 to 10.{_BLOCKS[-1]}.0.0/16 is in use",
        remedy="stop a sandbox with `fleet sandbox stop`",
    )


def _routes() -> list[ipaddress.IPv4Network]:
    told = json.loads(run("ip", "-json", "-4", "route", "show", "table", "main") or "[]")
    found = (route["dst"] for route in told if route["dst"] != "default")
    return [ipaddress.IPv4Network(each, strict=False) for each in found]
